"""Rows F07 to F09 and F28 as a state machine: frames, repeats, reorders, returns and reads in any order.

The real normaliser, de-duplication and state are compared with a model that keeps everything and looks it all through.
"""

import asyncio
from collections import Counter
from typing import Any

from fakes.frames import BALANCE, ORDER, balance, frame, order
from fakes.pipelines import START_S, feed, new_pipeline, row
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coindcx_feed.feed.normalize import AccountItem, normalize

IDS = st.sampled_from(["a", "b", "c"])
TIMES = st.integers(0, 6)
STATUSES = st.sampled_from(["open", "partially_filled", "filled", "cancelled"])
LEFT = st.sampled_from([0.05, 0.02, 0])
ENDED = {"filled", "cancelled"}
FREE = st.sampled_from(["1", "2", "3"])

Fields = dict[str, Any]


class Model:
    """What should happen, the slow and plain way: whole histories instead of digests."""

    def __init__(self) -> None:
        self.seen: list[Fields] = []
        self.listed: dict[tuple[str, int], Fields] = {}
        self.orders: dict[str, tuple[Fields, str]] = {}
        self.wallets: dict[str, Fields] = {}
        self.outcomes: Counter[str] = Counter()

    def frame_of_order(self, fields: Fields) -> None:
        if fields in self.seen:
            self.outcomes["duplicate"] += 1
            return
        self.seen.append(fields)
        present, source = self.orders.get(fields["id"], ({}, ""))
        was_read = self.listed.get((fields["id"], fields["updated_at"]))
        if was_read == fields or (present and source == "rest" and _alike(present, fields)):
            self.outcomes["duplicate"] += 1
        elif present and _is_older(fields, present):
            self.outcomes["late"] += 1
        else:
            self.orders[fields["id"]] = (fields, "stream")
            self.outcomes["event"] += 1

    def read_of_order(self, fields: Fields) -> None:
        present, _ = self.orders.get(fields["id"], ({}, ""))
        if present and _is_older(fields, present, is_read=True):
            return
        if present and _alike(present, fields):
            return
        self.orders[fields["id"]] = (fields, "rest")
        self.listed[fields["id"], fields["updated_at"]] = fields
        self.outcomes["event"] += 1

    def frame_of_wallet(self, fields: Fields) -> None:
        if self.wallets.get(fields["id"]) == fields:
            self.outcomes["duplicate"] += 1
            return
        self.wallets[fields["id"]] = fields
        self.outcomes["event"] += 1


def _alike(present: Fields, fields: Fields) -> bool:
    return present == fields


def _is_older(fields: Fields, present: Fields, *, is_read: bool = False) -> bool:
    if fields["updated_at"] != present["updated_at"]:
        return bool(fields["updated_at"] < present["updated_at"])
    return present["status"] in ENDED and fields["status"] not in ENDED


class AccountMachine(RuleBasedStateMachine):
    """Frames go the whole way through the pipeline; reads are judged as rows of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.pipeline = asyncio.run(_made())
        self.model = Model()
        self.sent: list[tuple[str, list[Fields]]] = []

    def _send(self, event: str, records: list[Fields]) -> None:
        asyncio.run(feed(self.pipeline, [row(event, *records)]))
        for record in records:
            (self.model.frame_of_order if event == ORDER else self.model.frame_of_wallet)(record)

    @rule(ids=st.lists(IDS, min_size=1, max_size=3), at=TIMES, status=STATUSES, left=LEFT)
    def orders_change(self, ids: list[str], at: int, status: str, left: float) -> None:
        """Send one frame with one or several updates; times go up and down."""
        records = [_order(order_id, at, status, left) for order_id in ids]
        self.sent.append((ORDER, records))
        self._send(ORDER, records)

    @rule(free=FREE, wallet=IDS)
    def wallet_changes(self, free: str, wallet: str) -> None:
        """A, B, A, …: a value may return."""
        records: list[Fields] = [balance(wallet, free)]
        self.sent.append((BALANCE, records))
        self._send(BALANCE, records)

    @rule(back=st.integers(1, 8))
    def frame_comes_again(self, back: int) -> None:
        """An earlier frame comes once more, byte for byte: a repeat, or out of order."""
        if self.sent:
            self._send(*self.sent[-min(back, len(self.sent))])

    @rule(order_id=IDS, at=TIMES, status=STATUSES, left=LEFT)
    def list_is_read(self, order_id: str, at: int, status: str, left: float) -> None:
        """A read shows the order of some time, older or newer than what is known."""
        fields = _order(order_id, at, status, left)
        items = [item for item in normalize(frame(ORDER, [fields])) if isinstance(item, AccountItem)]
        asyncio.run(_settle(self.pipeline, items))
        self.model.read_of_order(fields)

    @invariant()
    def outcomes_are_those_of_the_model(self) -> None:
        """C1 and C3: every record has one outcome, events are dense."""
        version, outcomes = self.pipeline.ring.version, self.model.outcomes
        assert version == outcomes["event"] + outcomes["late"]
        assert self.pipeline.duplicates.count == outcomes["duplicate"]
        assert self.pipeline.counters["late"] == outcomes["late"]
        assert self.pipeline.quarantine.count == 0

    @invariant()
    def state_is_that_of_the_model(self) -> None:
        """The newest version of each order, the last value of each wallet."""
        state = self.pipeline.state
        shown = {entity.record.id: entity.record for entity in state.orders()}
        assert shown.keys() == self.model.orders.keys()
        for key, (fields, _) in self.model.orders.items():
            record = shown[key]
            assert (record.status, record.updated_at) == (fields["status"], fields["updated_at"])
            assert float(record.remaining_quantity or 0) == fields["remaining_quantity"]
        free = {entity.record.id: str(entity.record.balance) for entity in state.balances()}
        assert free == {key: fields["balance"] for key, fields in self.model.wallets.items()}


def _order(order_id: str, at: int, status: str, left: float) -> Fields:
    return order(order_id, updated_at=START_S * 1_000 + at, status=status, remaining_quantity=left)


async def _made() -> Any:
    return new_pipeline(10_000)


async def _settle(pipeline: Any, items: list[AccountItem]) -> None:
    settled = asyncio.create_task(pipeline.settle(items))
    await asyncio.sleep(0)
    await pipeline.drain()
    await settled


AccountMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAccountMachine = AccountMachine.TestCase
