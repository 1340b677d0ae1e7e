"""``GET /healthz`` and ``/readyz``: for whoever starts and watches processes. No account data."""

from typing import Final

import msgspec
from aiohttp import web

from coindcx_feed.sidecar.site import Site, json_response

HEALTH_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"


class Health:
    """The two routes. Threads: the loop's, which is what they prove alive."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def serve_health(self, _: web.Request) -> web.Response:
        """Say that the process runs and its loop turns, whatever the exchange does."""
        return json_response(b'{"status":"ok"}')

    async def serve_ready(self, _: web.Request) -> web.Response:
        """Say whether the account is being watched: 200 while *live* or *quiet*, else 503 with the state."""
        status = self._site.status()
        is_ready = bool(status["connected"])
        body = {"status": "ready" if is_ready else "not ready", "state": status["state"]}
        return json_response(msgspec.json.encode(body), 200 if is_ready else 503)
