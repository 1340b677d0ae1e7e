"""The list of HTTP routes beside the socket. The guard before them knows which need no authentication."""

from aiohttp import web

from coindcx_feed.sidecar.guard import STATUS_PATH
from coindcx_feed.sidecar.http_events import EVENTS_PATH, EventPages
from coindcx_feed.sidecar.http_health import HEALTH_PATH, READY_PATH, Health
from coindcx_feed.sidecar.http_state import KINDS, STATE_PATH, StateLists
from coindcx_feed.sidecar.http_status import StatusRoute
from coindcx_feed.sidecar.metrics import METRICS_PATH, Metrics
from coindcx_feed.sidecar.schema import SCHEMA_PATH, serve_schema
from coindcx_feed.sidecar.site import Site


def routes(site: Site) -> list[web.RouteDef]:
    """Build the routes of a server."""
    health, lists = Health(site), StateLists(site)
    return [
        web.get(STATUS_PATH, StatusRoute(site).serve),
        web.get(EVENTS_PATH, EventPages(site).serve),
        *(web.get(STATE_PATH + kind.name, lists.handler(kind)) for kind in KINDS),
        web.get(HEALTH_PATH, health.serve_health),
        web.get(READY_PATH, health.serve_ready),
        web.get(METRICS_PATH, Metrics(site).serve),
        web.get(SCHEMA_PATH, serve_schema),
    ]
