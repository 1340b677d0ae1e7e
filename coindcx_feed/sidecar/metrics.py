"""``GET /metrics`` for Prometheus: read from the parts when asked, nothing is counted on the path of events for it.

No label holds a text of the feed: types, kinds and states are this program's own words.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from coindcx_feed.events import EventType
from coindcx_feed.sidecar.site import Account, Site

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

METRICS_PATH: Final = "/metrics"
PREFIX: Final = "coindcx_feed_"

COUNTERS: Final[Mapping[str, str]] = {
    "frames": "Frames received from the exchange.",
    "records": "Account records in them.",
    "late": "Account records older than what was known.",
    "market": "Market messages.",
    "failures": "Frames whose handling failed.",
}


class Metrics:
    """The route. Threads: the loop's; the library is loaded in a thread, once, when somebody first asks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._registry: CollectorRegistry | None = None

    async def serve(self, request: web.Request) -> web.Response:
        """Write all figures in the format that the request accepts."""
        if self._registry is None:
            self._registry = await asyncio.to_thread(self._new_registry)
        from prometheus_client.exposition import choose_encoder

        try:
            encode, content_type = choose_encoder(", ".join(request.headers.getall(hdrs.ACCEPT, [])))
        except (TypeError, ValueError):  # a version that is no number
            encode, content_type = choose_encoder("")
        return web.Response(body=encode(self._registry), headers={hdrs.CONTENT_TYPE: content_type})

    def collect(self) -> "Iterable[Metric]":
        """Yield every figure as it is now; called by the library."""
        yield from self._of_sidecar()
        if self._site.account is not None:
            yield from self._of_feed(self._site.account)

    def describe(self) -> "Iterable[Metric]":
        """Yield nothing: without it the library would collect once more to learn the names."""
        return ()

    def _new_registry(self) -> "CollectorRegistry":
        from prometheus_client import ProcessCollector
        from prometheus_client.registry import CollectorRegistry

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry

    def _of_sidecar(self) -> "Iterable[Metric]":
        ring, figures, status = self._site.ring, self._site.figures(), self._site.status()
        yield _info("connection", "Mode and state.", {"mode": str(status["mode"]), "state": str(status["state"])})
        yield _gauge("connected", "1 while the account is being watched.", float(bool(status["connected"])))
        published = {str(kind): ring.published[kind] for kind in EventType}
        yield _counters("events", "Events published since the start.", "type", published)
        yield _gauge("seq", "Newest number.", ring.version)
        yield _gauge("ring_events", "Events in memory.", len(ring))
        yield _gauge("ring_capacity", "Events that fit into memory.", ring.capacity)
        yield _gauge("clients", "Connected clients of the socket.", figures.clients)
        yield _gauge("connections", "Open connections, also those that said nothing yet.", figures.connections)
        yield _counter("sent", "Events written, once per client.", figures.sent)
        yield _counter("slow_clients", "Clients closed because they did not read.", figures.slow)
        yield _counters("refused", "Requests and connections refused.", "kind", figures.refused)

    def _of_feed(self, account: Account) -> "Iterable[Metric]":
        pipeline, now_ns = account.pipeline, account.now_ns()
        for name, text in COUNTERS.items():
            yield _counter(name, text, pipeline.counters[name])
        yield _counter("duplicates", "Records that were taken already.", pipeline.duplicates.count)
        yield _counter("quarantined", "Frames and records that were not understood.", pipeline.quarantine.count)
        found = account.watch.completeness(now_ns)
        yield _counter("gaps", "Times away from the exchange.", 0 if found is None else found.gaps)
        yield _counter("gap_seconds", "Seconds away from the exchange.", 0 if found is None else found.away_s)
        durable = account.durable
        is_stored = durable is not None and durable.is_durable
        yield _gauge("log_is_durable", "1 while events are stored before they are seen.", float(is_stored))
        for name, value in (account.lag.figures() or {}).items():
            if name != "count":
                what = name.removesuffix("_ms")
                yield _gauge(f"loop_lag_{what}_seconds", f"Lag of the loop in the last minute, {what}.", value / 1000)


def _gauge(name: str, text: str, value: float) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _counter(name: str, text: str, value: float) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(PREFIX + name, text, value=value)


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(PREFIX + name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _info(name: str, text: str, values: Mapping[str, str]) -> "Metric":
    from prometheus_client.core import InfoMetricFamily

    return InfoMetricFamily(PREFIX + name, text, value=dict(values))
