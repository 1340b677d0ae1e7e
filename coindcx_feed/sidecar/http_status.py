"""``GET /api/v1/ws/status``: the seed's two names, and more for whoever has the configured credential."""

from typing import Final

from aiohttp import web

from coindcx_feed.sidecar.identity import IDENTITY, NOBODY
from coindcx_feed.sidecar.site import Site

SHOWN: Final = ("mode", "state", "account", "records", "duplicates", "quarantined", "loop_lag")
"""Of the process's status, what a client may see."""


class StatusRoute:
    """The route. Threads: the loop's."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def serve(self, request: web.Request) -> web.Response:
        """Tell how many clients there are, whether the account is being watched, and the counters."""
        status, ring, figures = self._site.status(), self._site.ring, self._site.figures()
        is_connected = bool(status["connected"])
        body: dict[str, object] = {"active_connections": figures.clients, "coindcx_connected": is_connected}
        if request[IDENTITY] is not NOBODY:
            body |= {name: status[name] for name in SHOWN if name in status}
            body |= {"epoch": ring.epoch, "seq": ring.version, "oldest_seq": ring.oldest}
            body |= {"sent": figures.sent, "slow": figures.slow}
            body |= {"refused": sum(figures.refused.values()), "refusals": dict(figures.refused)}
        return web.json_response(body)
