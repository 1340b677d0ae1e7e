"""Where quiet is not plausible: something should have been heard of and was not. Each case is shown and probed once."""

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.exchange.records import BalanceRecord, OrderRecord
from coindcx_feed.feed.marks import FRESH_S, Marks
from coindcx_feed.feed.state import AccountState, Entity

EVERY_S: Final = 1.0
CROSSED_BY: Final = Decimal("0.001")
"""A limit counts as crossed when the mark is beyond it by this share: the mark is not the book."""
WITH_S: Final = 5.0
"""Balance, order and position of one action arrive within this time."""
LOOKED_AT: Final = 200
"""Orders touched last among which the cause of a lock is looked for."""
RESTING: Final = frozenset({"open", "partially_filled"})


class Odd(NamedTuple):
    """One implausible silence. ``key`` tells cases apart; ``since_ns`` is when it began, wall clock."""

    key: str
    since_ns: int
    text: str


class Suspicion:
    """Looks at the state every second. Written on the loop; ``present`` may be read from any thread.

    Args:
        after_s: A case must last so long before it counts.
        is_watched: Whether the account is being watched: away from the exchange, silence is no wonder.
        probe: Asks for one comparison with REST; called once per case.
    """

    def __init__(
        self,
        state: AccountState,
        marks: Marks,
        after_s: float,
        is_watched: Callable[[], bool],
        probe: Callable[[], None],
    ) -> None:
        self._state, self._marks, self._after_ns = state, marks, int(after_s * 1e9)
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
        self.present = tuple(odd for odd in self._seen.values() if now_ns - odd.since_ns >= self._after_ns)
        due = {odd.key for odd in self.present}
        if due - self._probed:
            self._probe()
        self._probed = due

    def _cases(self, now_ns: int) -> Iterator[Odd]:
        for order in self._state.working_orders():
            yield from self._crossed(order, now_ns)
        for position in self._state.positions():
            record = position.record
            mark = self._marks.newest(record.pair)
            if record.active_pos and mark is not None and now_ns - mark.received_ns > FRESH_S * 1e9:
                yield Odd(
                    f"mark {record.pair}", mark.received_ns, f"no mark of {record.pair}, where a position is open"
                )
        for wallet in self._state.balances():
            yield from self._locked_alone(wallet)

    def _crossed(self, order: Entity[OrderRecord], now_ns: int) -> Iterator[Odd]:
        record = order.record
        if record.status.lower() not in RESTING or record.order_type != "limit_order" or not record.pair:
            return
        mark = self._marks.fresh(record.pair, now_ns)
        if mark is None or not record.price:
            return
        is_buy = record.side == "buy"
        beyond = mark < record.price * (1 - CROSSED_BY) if is_buy else mark > record.price * (1 + CROSSED_BY)
        if beyond:
            text = f"{record.side} order {record.id[:8]} at {record.price} still open, mark {mark}"
            yield Odd(f"order {record.id} {order.seq}", now_ns, text)

    def _locked_alone(self, wallet: Entity[BalanceRecord]) -> Iterator[Odd]:
        before = self._state.locked_before(wallet.record.id)
        if before is None or before == wallet.record.locked_balance:
            return
        near = WITH_S * 1e9
        others = [entity.received_ns for entity in self._state.orders()[-LOOKED_AT:]]
        others += [entity.received_ns for entity in self._state.positions()]
        if not any(abs(other_ns - wallet.received_ns) <= near for other_ns in others):
            currency = wallet.record.currency_short_name
            text = f"locked {currency} moved {before} to {wallet.record.locked_balance} without order or position"
            yield Odd(f"lock {wallet.record.id} {wallet.seq}", wallet.received_ns, text)
