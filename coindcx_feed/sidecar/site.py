"""What the HTTP routes answer from. The routes themselves stand in files of their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.resume import Past

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coindcx_feed.events import Event
    from coindcx_feed.feed.durable import Durable
    from coindcx_feed.feed.lag import LoopLag
    from coindcx_feed.feed.marks import Marks
    from coindcx_feed.feed.pipeline import Pipeline
    from coindcx_feed.feed.state import AccountState
    from coindcx_feed.feed.watch import Watch


class Events(Protocol):
    """The durable log, as far as the routes ask it; blocks."""

    def fetch(self, seqs: "Sequence[int]") -> "list[Event]": ...


class Account(Protocol):
    """The running feed behind a sidecar. Read on the loop."""

    @property
    def state(self) -> "AccountState": ...
    @property
    def marks(self) -> "Marks": ...
    @property
    def pipeline(self) -> "Pipeline": ...
    @property
    def watch(self) -> "Watch": ...
    @property
    def lag(self) -> "LoopLag": ...
    @property
    def log(self) -> Events | None: ...
    @property
    def durable(self) -> "Durable | None": ...

    def now_ns(self) -> int:
        """The present, Unix ns; a replay's is its own."""


@dataclass(frozen=True)
class Site:
    """Everything a route may read.

    Attributes:
        status: ``mode``, ``state`` and ``connected``.
        figures: Counters of the sidecar: clients, what was sent, and what was refused.
        account: ``None`` where there is a ring and no feed.
    """

    ring: Ring
    limits: Limits
    status: Callable[[], Mapping[str, object]]
    figures: "Callable[[], Figures]"
    past: Past | None = None
    account: Account | None = None


@dataclass(frozen=True)
class Figures:
    """Counters of the sidecar since its start; ``clients`` and ``connections`` are now."""

    clients: int
    connections: int
    sent: int
    slow: int
    refused: Mapping[str, int]


def json_response(body: bytes, status: int = 200) -> web.Response:
    """Answer with JSON that is encoded already."""
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")
