"""The one door of all HTTP routes: lists, pace, credential, CORS. What passes carries its identity and caller."""

import time
from collections.abc import Mapping
from enum import Enum
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from coindcx_feed.errors import BadRequest, ClientError, NotAuthorized
from coindcx_feed.sidecar.access import Access, printable
from coindcx_feed.sidecar.audit import Audit
from coindcx_feed.sidecar.callers import Caller, Callers
from coindcx_feed.sidecar.identity import ANYONE, IDENTITY, NOBODY, Identity
from coindcx_feed.sidecar.query import SECRET_NAMES
from coindcx_feed.sidecar.rates import Guesses
from coindcx_feed.sidecar.tokens import Keys, WrongToken, bearer
from coindcx_feed.tickets import Tickets

SOCKET_PATH: Final = "/api/v1/ws/coindcx"
STATUS_PATH: Final = "/api/v1/ws/status"
TICKET_PATH: Final = "/api/v1/ws/ticket"
TICKET: Final = "ticket"

CALLER: Final = web.RequestKey("caller", Caller)
"""What the guard puts on every request, also on those it refuses."""


class Need(Enum):
    """What a route asks of a request when a credential is configured."""

    NOTHING = "answers alike with and without"
    LATER = "says less without, or lets the client prove itself afterwards"
    PROOF = "refuses without"


NEEDS: Final[Mapping[str, Need]] = {
    "/healthz": Need.NOTHING,
    "/readyz": Need.NOTHING,
    STATUS_PATH: Need.LATER,
    SOCKET_PATH: Need.LATER,
}
"""Every path that is not listed needs proof."""

_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization",
    "Access-Control-Max-Age": "600",
}
_ALWAYS: Final = {"Vary": "Origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Refusal(ClientError):
    """A request that is answered with a status and one line.

    Args:
        kind: Word under which it is counted.
        wait_s: Seconds after which it may be repeated, 0 says nothing.
    """

    def __init__(self, status: int, kind: str, message: str, wait_s: int = 0) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind
        self.headers = {"Retry-After": str(wait_s)} if wait_s else {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


class Guard:
    """Judge every request before its handler. Handlers may raise ``Refusal``, ``BadRequest`` or ``NotAuthorized``.

    Threads: the loop's.
    """

    def __init__(self, access: Access, keys: Keys, callers: Callers, audit: Audit) -> None:
        self._access, self._keys, self._callers, self._audit = access, keys, callers, audit
        self._guesses = Guesses(time.monotonic)
        self._tickets = Tickets()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer what is refused with one JSON line, let the rest through."""
        headers, peer = request.headers, request.transport and request.transport.get_extra_info("peername")
        proto = headers.getall("X-Forwarded-Proto", [])
        caller = self._callers.caller(peer, headers.getall(hdrs.X_FORWARDED_FOR, []), proto)
        request[CALLER] = caller
        try:
            response = await self._judge(request, caller, handler)
        except Refusal as refusal:
            response = self._refuse(request, refusal)
        except BadRequest as problem:
            response = self._refuse(request, Refusal(400, "query", str(problem)))
        except NotAuthorized as problem:
            response = self._refuse(request, Refusal(401, "scope", str(problem)))
        except web.HTTPException as problem:
            response = self._refuse(request, _no_route(request, problem))
        if not response.prepared:
            response.headers.update(_ALWAYS | self._cors(request))
        return response

    def admit(self, credential: str, caller: Caller) -> Identity:
        """Judge a credential that was sent as a message.

        Raises:
            NotAuthorized: One line for the client; counted and logged.
        """
        try:
            return self._identify(credential, caller)
        except Refusal as refusal:
            self._audit.note(refusal.kind, caller.shown, str(refusal))
            raise NotAuthorized(str(refusal)) from None

    def mint(self, identity: Identity) -> str:
        """Return a ticket that opens one socket with the rights of an identity."""
        return self._tickets.mint(identity.grant())

    async def _judge(self, request: web.Request, caller: Caller, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        self._check_lists(headers.getall(hdrs.HOST, []), headers.getall(hdrs.ORIGIN, []))
        if request.method == hdrs.METH_OPTIONS:
            return web.Response(status=204, headers=_PREFLIGHT)
        identity = self._identity(request, caller)
        if identity is NOBODY and NEEDS.get(request.path, Need.PROOF) is Need.PROOF:
            raise Refusal(401, "no_token", "expected Authorization: Bearer TOKEN, was none: send it")
        request[IDENTITY] = identity
        return await handler(request)

    def _check_lists(self, hosts: list[str], origins: list[str]) -> None:
        if (refusal := self._access.host_refusal(hosts)) is not None:
            raise Refusal(403, "host", refusal)
        if (refusal := self._access.origin_refusal(origins)) is not None:
            raise Refusal(403, "origin", refusal)

    def _identity(self, request: web.Request, caller: Caller) -> Identity:
        if any(name.lower() in SECRET_NAMES for name in request.query):
            message = "a token in the address is refused: send Authorization: Bearer, a first message, or a ticket"
            raise Refusal(400, "address", message)
        tickets = request.query.getall(TICKET, [])
        if tickets:
            return self._redeem(tickets, request.path, caller)
        if not self._keys.are_needed or NEEDS.get(request.path) is Need.NOTHING:
            return ANYONE
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if not given:
            return NOBODY
        if len(given) > 1:
            raise Refusal(401, "token", "expected one Authorization header, was more: send one")
        if caller.is_clear:
            self._audit.note("clear", caller.shown, "a credential came without encryption: redirect http at the proxy")
        return self._identify(given[0], caller, is_header=True)

    def _identify(self, credential: str, caller: Caller, *, is_header: bool = False) -> Identity:
        self._check_pace(caller)
        try:
            if not self._keys.are_needed:
                return ANYONE
            return self._keys.identify(bearer(credential) if is_header else credential)
        except WrongToken as problem:
            self._guesses.wrong(caller.ip, credential)
            raise Refusal(401, "token", str(problem)) from None
        except NotAuthorized as problem:
            raise Refusal(401, "claims", str(problem)) from None

    def _redeem(self, tickets: list[str], path: str, caller: Caller) -> Identity:
        if len(tickets) > 1 or path != SOCKET_PATH:
            raise Refusal(400, "address", f"ticket: expected once and for {SOCKET_PATH} only, was other: leave it out")
        self._check_pace(caller)
        grant = self._tickets.redeem(tickets[0])
        if grant is None:
            self._guesses.wrong(caller.ip, tickets[0])
            raise Refusal(401, TICKET, f"expected a fresh ticket, was used, too old or unknown: POST {TICKET_PATH}")
        identity = Identity.from_grant(grant)
        if identity.is_over(time.time()):
            raise Refusal(401, "claims", "expected a valid token, was expired: get a new one")
        return identity

    def _check_pace(self, caller: Caller) -> None:
        wait_s = self._guesses.wait_s(caller.ip)
        if wait_s:
            raise Refusal(429, "guess", f"too many wrong credentials: not looked at for {wait_s} s", wait_s)

    def _refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        more = {"status": refusal.status, "path": request.path}
        self._audit.note(refusal.kind, request[CALLER].shown, str(refusal), **more)
        answer = web.json_response({"error": str(refusal)}, status=refusal.status, headers=refusal.headers)
        if refusal.status in (429, 503):
            answer.force_close()  # its place is needed
        return answer

    def _cors(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get(hdrs.ORIGIN)
        return {"Access-Control-Allow-Origin": origin} if origin and origin in self._access.origins else {}


def _no_route(request: web.Request, problem: web.HTTPException) -> Refusal:
    came = f"{request.method} {printable(request.path)}"
    if not isinstance(problem, web.HTTPMethodNotAllowed):
        return Refusal(problem.status, "route", f"expected {SOCKET_PATH} or another path of this server, was {came}")
    allowed = ", ".join(sorted(problem.allowed_methods))
    refusal = Refusal(problem.status, "route", f"expected {allowed}, was {came}: change the method")
    refusal.headers[hdrs.ALLOW] = allowed
    return refusal
