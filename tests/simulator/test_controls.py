"""Scripting a simulator from another process."""

from typing import Any

import aiohttp
import msgspec
import pytest
from simulator.helpers import Recorder, eventually

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.server import ExchangeServer


async def post(server: ExchangeServer, path: str, body: object = None, headers: Any = None) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/simulator/{path}", data=raw, headers=headers or {}) as reply,
    ):
        return reply.status, msgspec.json.decode(await reply.read())


async def test_behaviour_is_changed_and_shown(server: ExchangeServer) -> None:
    """Only the fields named; the reply has them all."""
    status, body = await post(server, "behaviour", {"jitter_ms": 40, "rest_failure": "503", "split_exit_usdt": 99.5})
    assert (status, body["jitter_ms"], body["rest_failure"], body["split_exit_usdt"]) == (200, 40, "503", 99.5)
    assert (server.behaviour.jitter_ms, server.behaviour.rest_failure) == (40, "503")
    assert str(server.behaviour.split_exit_usdt) == "99.5"
    assert server.behaviour.connect_ack_s == 0
    assert (await post(server, "behaviour", {}))[1] == body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"jitter": 1}, "was 'jitter'"),
        ({"jitter_ms": "x"}, "Expected `int`, got `str`"),
        ({"rest_failure": "418"}, "Invalid enum value '418'"),
        ([], "was a list"),
        (b"{", "was no JSON"),
        (b"[" * 50_000, "was no JSON"),
    ],
)
async def test_wrong_change_is_one_line_and_changes_nothing(server: ExchangeServer, body: object, words: str) -> None:
    """Unknown names, wrong types, no object."""
    before = (await post(server, "behaviour", {}))[1]
    status, reply = await post(server, "behaviour", body)
    assert (status, words in reply["error"], "\n" in reply["error"]) == (400, True, False)
    assert (await post(server, "behaviour", {}))[1] == before


@pytest.mark.parametrize("name", ["kick", "kick-private", "close", "abort", "revoke"])
async def test_fault_that_ends_sockets(server: ExchangeServer, recorder: Recorder, name: str) -> None:
    """The reply counts them."""
    await recorder.join_private(server)
    assert await post(server, f"faults/{name}") == (200, {"name": name, "sockets": 1})
    await eventually(lambda: bool(recorder.reasons))
    assert server.behaviour.is_revoked is (name == "revoke")


async def test_switches(server: ExchangeServer, recorder: Recorder) -> None:
    """Muted and back, frozen and back: also a frozen simulator hears these routes."""
    await post(server, "faults/mute")
    assert server.muted
    await post(server, "faults/unmute")
    assert not server.muted
    await post(server, "faults/freeze")
    assert server.hub.gate.is_frozen
    await post(server, "faults/thaw")
    assert not server.hub.gate.is_frozen
    assert server.connections == 1


async def test_next_frames_and_emissions(server: ExchangeServer, recorder: Recorder) -> None:
    """Dropped, repeated, held and released; the list tells."""
    await recorder.join_private(server)
    await post(server, "behaviour", {"listed": True})
    for name in ("drop-next", "repeat-next"):
        await post(server, f"faults/{name}")
        await server.emit(wire.ORDER_EVENT, [{"id": name}])
    await post(server, "faults/hold")
    await server.emit(wire.ORDER_EVENT, [{"id": "held"}])
    assert (await post(server, "faults/release"))[1]["sockets"] == 1
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/simulator/emissions") as reply:
        rows = msgspec.json.decode(await reply.read())
    assert [(row["id"], row["fate"]) for row in rows] == [
        ("drop-next", "dropped"),
        ("repeat-next", "delivered"),
        ("repeat-next", "delivered"),
        ("held", "delivered"),
    ]
    await eventually(lambda: len(recorder.frames) == 3)


async def test_unknown_fault_names_the_known_ones(server: ExchangeServer) -> None:
    """One line."""
    status, body = await post(server, "faults/earthquake")
    assert status == 404
    assert "kick" in body["error"]
    assert "earthquake" in body["error"]


async def test_web_pages_cannot_script_it(server: ExchangeServer) -> None:
    """403 for anything with an origin."""
    status, _ = await post(server, "faults/kick", headers={"Origin": "http://127.0.0.1:8501"})
    assert status == 403
