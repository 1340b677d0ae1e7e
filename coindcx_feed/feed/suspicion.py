"""Where quiet is not plausible: something should have been heard of and was not. Each case is shown and probed once."""

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.state import AccountState, Entity

EVERY_S: Final = 1.0
LOOKED_AT: Final = 200
"""Orders touched last among which the cause of a lock is looked for."""
RESTING: Final = frozenset({"open", "partially_filled"})


class Thresholds(NamedTuple):
    """From when on silence is not plausible; each is a setting.

    ``after_s``: a case must last so long before it counts. ``crossed_by``: share by which the mark must be beyond a
    limit, because the mark is not the book. ``mark_age_s``: oldest mark of an open position. ``lock_s``: balance, order
    and position of one action arrive within this time.
    """

    after_s: float = 20.0
    crossed_by: Decimal = Decimal("0.001")
    mark_age_s: float = 10.0
    lock_s: float = 5.0


class Odd(NamedTuple):
    """One implausible silence. ``key`` tells cases apart; ``since_ns`` is when it began, wall clock."""

    key: str
    since_ns: int
    text: str


class Suspicion:
    """Looks at the state every second. Written on the loop; ``present`` may be read from any thread.

    Args:
        limits: What counts as odd.
        is_watched: Whether the account is being watched: away from the exchange, silence is no wonder.
        probe: Asks for one comparison with REST; called once per case.
    """

    def __init__(
        self,
        state: AccountState,
        marks: Marks,
        limits: Thresholds,
        is_watched: Callable[[], bool],
        probe: Callable[[], None],
    ) -> None:
        self._state, self._marks, self._limits = state, marks, limits
        self._is_watched, self._probe = is_watched, probe
        self._seen: dict[str, Odd] = {}
        self._probed: set[str] = set()
        self.present: tuple[Odd, ...] = ()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look(time.time_ns())
            await asyncio.sleep(EVERY_S)

    def look(self, now_ns: int) -> None:
        """Bring the list of odd cases up to date and ask for a probe where one is new."""
        found = {odd.key: odd for odd in self._cases(now_ns)} if self._is_watched() else {}
        # A case keeps the time at which it was first seen.
        self._seen = {key: self._seen.get(key, odd) for key, odd in found.items()}
        self.present = tuple(odd for odd in self._seen.values() if now_ns - odd.since_ns >= self._limits.after_s * 1e9)
        due = {odd.key for odd in self.present}
        if due - self._probed:
            self._probe()
        self._probed = due

    def _cases(self, now_ns: int) -> Iterator[Odd]:
        crossings: dict[str, tuple[Decimal, Decimal, Decimal] | None] = {}
        for order in self._state.working_orders():
            pair = order.record.pair
            if pair and pair not in crossings:
                crossings[pair] = self._crossing(pair, now_ns)
            yield from _crossed(order, crossings.get(pair or ""), now_ns)
        for position in self._state.positions():
            yield from self._unmarked(position, now_ns)
        for wallet in self._state.balances():
            yield from self._locked_alone(wallet)

    def _unmarked(self, position: Entity[PositionRecord], now_ns: int) -> Iterator[Odd]:
        pair = position.record.pair
        mark = self._marks.newest(pair)
        # Without any mark, the wait began with the position.
        heard_ns = position.received_ns if mark is None else mark.received_ns
        if position.record.active_pos and now_ns - heard_ns > self._limits.mark_age_s * 1e9:
            yield Odd(f"mark {pair}", heard_ns, f"no mark of {pair}, where a position is open")

    def _crossing(self, pair: str, now_ns: int) -> tuple[Decimal, Decimal, Decimal] | None:
        # Worked out once per pair: a loop over thousands of orders delays the frames behind it.
        mark = self._marks.fresh(pair, now_ns)
        by = self._limits.crossed_by
        return None if mark is None else (mark, mark / (1 - by), mark / (1 + by))

    def _locked_alone(self, wallet: Entity[BalanceRecord]) -> Iterator[Odd]:
        before = self._state.locked_before(wallet.record.id)
        if before is None or before == wallet.record.locked_balance:
            return
        near = self._limits.lock_s * 1e9
        others = [entity.received_ns for entity in self._state.orders()[-LOOKED_AT:]]
        others += [entity.received_ns for entity in self._state.positions()]
        if not any(abs(other_ns - wallet.received_ns) <= near for other_ns in others):
            currency = wallet.record.currency_short_name
            text = f"locked {currency} moved {before} to {wallet.record.locked_balance} without order or position"
            yield Odd(f"lock {wallet.record.id} {wallet.seq}", wallet.received_ns, text)


def _crossed(
    order: Entity[OrderRecord], crossing: tuple[Decimal, Decimal, Decimal] | None, now_ns: int
) -> Iterator[Odd]:
    record = order.record
    if (
        crossing is None
        or record.status.lower() not in RESTING
        or record.order_type != "limit_order"
        or not record.price
    ):
        return
    mark, highest_buy, lowest_sell = crossing
    if record.price > highest_buy if record.side == "buy" else record.price < lowest_sell:
        text = f"{record.side} order {record.id[:8]} at {record.price} still open, mark {mark}"
        yield Odd(f"order {record.id} {order.seq}", now_ns, text)
