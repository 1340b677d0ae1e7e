"""Faults ordered one by one for the next account frames."""

import pytest

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.emissions import Emissions, Fate
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.outbox import Outbox

ORDER, BALANCE = wire.ORDER_EVENT, wire.BALANCE_EVENT


class Sockets:
    """One socket that takes everything, until it is told to be gone."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, str | None]] = []
        self.fate: Fate = "delivered"

    async def deliver(self, event: str, text: str, channel: str | None) -> tuple[int, Fate]:
        self.got.append((event, text, channel))
        return int(self.fate == "delivered"), self.fate

    @property
    def events(self) -> list[str]:
        return [event for event, _, _ in self.got]


@pytest.fixture
def sockets() -> Sockets:
    """What the outbox delivers to."""
    return Sockets()


@pytest.fixture
def outbox(sockets: Sockets) -> Outbox:
    """With numbers and a list."""
    return Outbox(Emissions(Behaviour(numbered=True)), sockets.deliver)


async def emit(outbox: Outbox, event: str, number: int = 0) -> int:
    return await outbox.emit(event, socket_text([{"id": str(number)}]), None)


async def test_frame_is_numbered_delivered_and_listed(outbox: Outbox, sockets: Sockets) -> None:
    """Without any fault."""
    assert await emit(outbox, ORDER) == 1
    assert sockets.got == [(ORDER, '[{"id":"0","x_number":1}]', None)]
    assert [(row.number, row.fate) for row in outbox.emissions.rows] == [(1, "delivered")]


async def test_next_frames_of_an_event_are_lost(outbox: Outbox, sockets: Sockets) -> None:
    """Exactly so many; others pass; the list knows the lost ones."""
    outbox.drop_next(2, BALANCE)
    for event in (ORDER, BALANCE, BALANCE, BALANCE):
        await emit(outbox, event)
    assert sockets.events == [ORDER, BALANCE]
    assert [row.fate for row in outbox.emissions.rows] == ["delivered", "dropped", "dropped", "delivered"]


async def test_next_frame_of_any_event_is_repeated(outbox: Outbox, sockets: Sockets) -> None:
    """The same text twice, listed twice under one number."""
    outbox.repeat_next(1, None)
    assert await emit(outbox, BALANCE) == 2
    await emit(outbox, ORDER)
    assert sockets.events == [BALANCE, BALANCE, ORDER]
    assert sockets.got[0] == sockets.got[1]
    assert [row.number for row in outbox.emissions.rows] == [1, 1, 2]


@pytest.mark.parametrize(("arrangement", "expected"), [("kept", "0123"), ("reversed", "3210"), ("shuffled", "3021")])
async def test_held_frames_leave_in_the_order_asked_for(
    outbox: Outbox, sockets: Sockets, arrangement: str, expected: str
) -> None:
    """Nothing leaves before; afterwards frames pass again."""
    outbox.hold()
    outbox.hold()
    for number in range(4):
        assert await emit(outbox, ORDER, number) == 0
    assert sockets.got == []
    assert outbox.emissions.rows == []
    assert await outbox.release(arrangement, 1) == 4  # type: ignore[arg-type]
    assert "".join(row.id or "" for row in outbox.emissions.rows) == expected
    assert await emit(outbox, ORDER) == 1
    assert await outbox.release("kept", 0) == 0


async def test_fate_of_the_sockets_is_listed(outbox: Outbox, sockets: Sockets) -> None:
    """Nobody joined, or a switch kept it back."""
    for fate in ("nobody", "muted", "frozen"):
        sockets.fate = fate
        assert await emit(outbox, ORDER) == 0
    assert [row.fate for row in outbox.emissions.rows] == ["nobody", "muted", "frozen"]
