"""What the alert rules see of a running feed: the rows that pages show, and how the connection stands."""

import time
from typing import TYPE_CHECKING, Any

from coindcx_feed.feed.watch import ON_DEMAND
from coindcx_feed.views import account, health, risks

if TYPE_CHECKING:
    from coindcx_feed.feed.runtime import FeedRuntime


class RuntimeSight:
    """Reads of one runtime. Used on the feed's loop."""

    def __init__(self, runtime: "FeedRuntime") -> None:
        self._runtime = runtime
        self._live_at_s = time.monotonic()

    def positions(self) -> list[dict[str, Any]]:
        runtime = self._runtime
        rows = account.positions(runtime.state, runtime.marks, runtime.now_ns())
        return risks.with_shared_margin(rows, risks.usdt_available(self.balances()))

    def balances(self) -> list[dict[str, Any]]:
        return account.balances(self._runtime.state, None, None)

    def quirks(self) -> list[dict[str, Any]]:
        return health.quirks(self._runtime.pipeline.quirks)

    def feed(self) -> dict[str, float | None]:
        """Return the seconds without a live connection, since the last frame, and without a durable log."""
        runtime, now_s = self._runtime, time.monotonic()
        change, durable, supervisor = runtime.change, runtime.durable, runtime.supervisor
        if change.state.is_connected or change.reason == ON_DEMAND:
            self._live_at_s = now_s
        outage = None if durable is None else durable.outage
        is_wanted = change.reason != ON_DEMAND
        return {
            "not_live_s": now_s - self._live_at_s,
            "proof_age_s": supervisor.transport_age_s if supervisor is not None and is_wanted else None,
            "not_stored_s": (time.time_ns() - outage.since_ns) / 1e9 if outage is not None else 0.0,
        }
