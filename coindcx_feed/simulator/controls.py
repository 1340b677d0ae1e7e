"""Routes by which a test in another process scripts a running simulator: its behaviour, and faults one by one.

They stand on loopback beside the order routes; the server's guard refuses web pages before these handlers run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from coindcx_feed.simulator.behaviour import Behaviour

if TYPE_CHECKING:
    from coindcx_feed.simulator.server import ExchangeServer

_FIELDS: Final = frozenset(field.name for field in fields(Behaviour))
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Controls:
    """``POST /simulator/behaviour``, ``POST /simulator/faults/{name}``, ``GET /simulator/emissions``."""

    def __init__(self, server: "ExchangeServer") -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/simulator/behaviour", self._behave),
            web.post("/simulator/faults/{name}", self._fault),
            web.get("/simulator/emissions", self._emissions),
        ]

    async def _behave(self, request: web.Request) -> web.Response:
        behaviour = self._server.behaviour
        try:
            changes = _parse_changes(await request.read(), behaviour)
        except ValueError as error:
            return _reply({"error": str(error)}, 400)
        for name, value in changes.items():
            setattr(behaviour, name, value)
        return _reply(asdict(behaviour))

    async def _fault(self, request: web.Request) -> web.Response:
        faults = self._faults()
        name = request.match_info["name"]
        if name not in faults:
            return _reply({"error": f"expected one of {', '.join(faults)}, was {name[:40]!r}"}, 404)
        return _reply({"name": name, "sockets": await faults[name]()})

    async def _emissions(self, _request: web.Request) -> web.Response:
        return _reply([row._asdict() for row in self._server.emissions])

    def _faults(self) -> dict[str, Callable[[], Awaitable[int]]]:
        server = self._server
        return {
            "kick": server.kick,
            "kick-private": lambda: server.kick(private_only=True),
            "close": lambda: server.kick(engine=True),
            "abort": server.abort,
            "mute": lambda: self._switch("muted", True),
            "unmute": lambda: self._switch("muted", False),
            "freeze": lambda: self._call(server.freeze),
            "thaw": lambda: self._call(server.thaw),
            "revoke": server.revoke,
            "drop-next": lambda: self._call(server.drop_next),
            "repeat-next": lambda: self._call(server.repeat_next),
            "hold": lambda: self._call(server.hold),
            "release": server.release,
        }

    async def _switch(self, name: str, value: bool) -> int:
        setattr(self._server, name, value)
        return self._server.connections

    async def _call(self, action: Callable[[], None]) -> int:
        action()
        return self._server.connections


def _parse_changes(raw: bytes, behaviour: Behaviour) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object of behaviour fields, was no JSON ({error})") from error
    if not isinstance(body, dict):
        raise ValueError(f"expected a JSON object of behaviour fields, was a {type(body).__name__}")
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise ValueError(f"expected fields of Behaviour, was {unknown[0]!r:.40}; an empty object shows them all")
    # The present values beside the new ones make the whole object's types checked at once.
    wanted = msgspec.convert(asdict(behaviour) | body, Behaviour)
    return {name: getattr(wanted, name) for name in body}


def _reply(payload: object, status: int = 200) -> web.Response:
    return web.Response(body=_encode(payload), status=status, content_type="application/json")
