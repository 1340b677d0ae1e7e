"""Silence that is not plausible."""

from decimal import Decimal
from typing import Any

from fakes.frames import balance, order, position

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord, CurrentPricesRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.suspicion import Suspicion, Thresholds

S = 10**9
START = 1_790_000_000 * S
DEFAULTS = Thresholds()


class Scene:
    """A state, marks, and a count of probes."""

    def __init__(self, limits: Thresholds = DEFAULTS) -> None:
        self.state, self.marks, self.probes, self.is_watched = AccountState(), Marks(), 0, True
        self.suspicion = Suspicion(self.state, self.marks, limits, lambda: self.is_watched, self._probe)
        self._seq = 0

    def _probe(self) -> None:
        self.probes += 1

    def mark(self, price: str, at_s: int) -> None:
        prices = {"B-ETH_USDT": {"mp": Decimal(price)}}
        record = CurrentPricesRecord.model_validate({"pr": "futures", "prices": prices})
        self.marks.update(record, START + at_s * S, ())

    def told(self, kind: EventType, fields: dict[str, Any], at_s: int) -> None:
        models = {EventType.ORDER: OrderRecord, EventType.POSITION: PositionRecord, EventType.BALANCE: BalanceRecord}
        self._seq += 1
        record: Any = models[kind].model_validate(fields)
        self.state.apply(kind, record, self._seq, START + at_s * S, is_late=False)

    def look(self, at_s: int) -> list[str]:
        self.suspicion.look(START + at_s * S)
        return [odd.key.split()[0] for odd in self.suspicion.present]


def test_resting_order_whose_limit_was_crossed_is_odd_after_its_time_and_probed_once() -> None:
    """A buy at 2,900.5 with a mark of 2,890 for 20 s should have filled."""
    scene = Scene()
    scene.told(EventType.ORDER, order(), 0)
    for second in range(0, 31, 2):
        scene.mark("2890", second)
        found = scene.look(second)
        assert found == (["order"] if second >= 20 else [])
    assert scene.probes == 1
    scene.told(EventType.ORDER, order(status="filled", remaining_quantity=0), 32)
    assert scene.look(32) == []


def test_order_near_the_mark_is_not_odd() -> None:
    """The mark is not the book: a tenth of a percent is no proof."""
    scene = Scene()
    scene.told(EventType.ORDER, order(), 0)
    for second in range(0, 41, 5):
        scene.mark("2899", second)
        assert scene.look(second) == []


def test_old_mark_of_an_open_position_is_odd() -> None:
    """Prices come several times a second."""
    scene = Scene()
    scene.told(EventType.POSITION, position(), 0)
    scene.mark("2890", 0)
    assert scene.look(9) == []
    assert scene.look(25) == ["mark"]


def test_open_position_that_never_had_a_mark_is_odd() -> None:
    """The whole list of prices comes every 15 s: a pair that is not in it cannot be valued."""
    scene = Scene()
    scene.told(EventType.POSITION, position(), 0)
    assert scene.look(9) == []
    scene.look(11)
    assert scene.look(31) == ["mark"]


def test_every_threshold_is_a_setting() -> None:
    """Time, distance beyond the limit, age of a mark, time around a lock: each moves its own case."""
    patient = Scene(DEFAULTS._replace(after_s=60.0))
    wide = Scene(DEFAULTS._replace(crossed_by=Decimal("0.01")))
    for scene in (patient, wide):
        scene.told(EventType.ORDER, order(), 0)
        for second in range(0, 41, 5):
            scene.mark("2890", second)
            assert scene.look(second) == []
    slow = Scene(DEFAULTS._replace(mark_age_s=40.0))
    slow.told(EventType.POSITION, position(), 0)
    slow.mark("2890", 0)
    assert slow.look(39) == []
    near = Scene(DEFAULTS._replace(lock_s=30.0))
    near.told(EventType.ORDER, order(), 0)
    near.told(EventType.BALANCE, balance(locked="0"), 1)
    near.told(EventType.BALANCE, balance(locked="10"), 25)
    assert near.look(60) == []


def test_lock_that_moved_alone_is_odd() -> None:
    """Orders and positions lock money; with one of them near, nothing is odd."""
    scene = Scene()
    scene.told(EventType.BALANCE, balance(locked="0"), 0)
    scene.told(EventType.BALANCE, balance(locked="10"), 10)
    assert scene.look(31) == ["lock"]
    scene.told(EventType.ORDER, order(), 11)
    assert scene.look(32) == []


def test_away_from_the_exchange_silence_is_no_wonder() -> None:
    """The gap says it all."""
    scene = Scene()
    scene.told(EventType.POSITION, position(), 0)
    scene.mark("2890", 0)
    scene.is_watched = False
    assert scene.look(60) == []
    assert scene.probes == 0
