"""The one feed of a process: started once, found again after a reload, stopped with the server.

Streamlit reloads modules after an edit. The service therefore lives in a module of its own that no file belongs to, and
pages exchange dictionaries with it, never classes.
"""

import gc
import sys
import threading
import types
from typing import Any, Final

from coindcx_feed.alerts.senders import secrets_of_destinations
from coindcx_feed.analysis.moments import parse_speed, parse_window
from coindcx_feed.feed.runtime import FeedRuntime, Role
from coindcx_feed.feed.service import FeedService
from coindcx_feed.logs import start_logging, stop_logging
from coindcx_feed.settings import Settings, load_settings

_ANCHOR: Final = "_coindcx_feed_process"


def spare_collections() -> None:
    """Take what is loaded by now out of garbage collection: modules alone cost 7 to 13 ms at each full one.

    Young objects are looked at every 10,000 instead of 700, which saves a quarter of what an event costs (62 of 82
    microseconds of CPU); with 50,000 they leave the processor's cache and the gain is gone.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def new_runtime(settings: Settings, role: Role, dashboard_port: int | None = None) -> FeedRuntime:
    """Build the runtime for the settings' mode, with the embedded exchange in demo mode.

    Raises:
        ConfigError: If there is nothing to replay; one line.
    """
    if settings.follow is not None:
        # Imported here: a feed of its own never loads the follower.
        from coindcx_feed.feed.follow_runtime import FollowRuntime

        token = settings.follow_token.get_secret_value() if settings.follow_token else None
        return FollowRuntime(settings, role, settings.follow, token, dashboard_port)
    if settings.effective_mode == "replay":
        # Imported here: a live process never loads the player.
        from coindcx_feed.feed.replay_runtime import open_replay

        window = parse_window(settings.replay_from, settings.replay_to)
        return open_replay(settings, role, window, parse_speed(settings.replay_speed), dashboard_port)
    demo = None
    if settings.effective_mode == "demo":
        # Imported here: a live process never loads the simulator.
        from coindcx_feed.feed.demo import DemoExchange

        demo = DemoExchange(settings.simulator_port)
    return FeedRuntime(settings, role, dashboard_port, demo)


def start_runtime(settings: Settings, role: Role, dashboard_port: int | None = None) -> FeedRuntime:
    """Start the runtime for the settings; a dashboard whose account has an owner follows that one's sidecar.

    Raises:
        ConfigError: One line: owner, data folder, port, or nothing to replay.
    """
    runtime = new_runtime(settings, role, dashboard_port)
    runtime.start()
    if runtime.owner is None:
        return runtime
    from coindcx_feed.feed.follow_runtime import follow_owner

    follower = follow_owner(settings, role, dashboard_port)
    if follower is None:
        return runtime
    follower.start()
    return follower


def secrets_of(settings: Settings) -> list[str]:
    """List the texts that no log line may hold."""
    given = (
        settings.api_key,
        settings.api_secret,
        settings.sidecar_token,
        settings.sidecar_jwt_secret,
        settings.dashboard_password,
        settings.follow_token,
    )
    return [*(secret.get_secret_value() for secret in given if secret is not None), *secrets_of_destinations(settings)]


def start_process_service(dashboard_port: int | None = None) -> FeedService:
    """Start the feed of this process, once; later calls return the same service.

    Raises:
        ConfigError: One line: settings, data folder.
    """
    anchor = _anchor()
    with anchor.lock:
        if anchor.service is None:
            settings = load_settings()
            recent = start_logging(settings.data_dir, secrets_of(settings))
            runtime = start_runtime(settings, "dashboard", dashboard_port)
            spare_collections()
            anchor.service = FeedService(runtime, recent)
        service: FeedService = anchor.service
        return service


def process_service() -> FeedService:
    """Return the running service; starts it when a page is run without the launcher, as tests do."""
    return start_process_service()


def stop_process_service() -> None:
    """Stop the feed of this process; harmless when it does not run."""
    anchor = _anchor()
    with anchor.lock:
        if anchor.service is not None:
            anchor.service.runtime.stop()
            anchor.service = None
            stop_logging()


_creating = threading.Lock()


def _anchor() -> Any:
    with _creating:
        module = sys.modules.get(_ANCHOR)
        if module is None:
            module = types.ModuleType(_ANCHOR)
            module.lock = threading.RLock()  # type: ignore[attr-defined]
            module.service = None  # type: ignore[attr-defined]
            sys.modules[_ANCHOR] = module
        return module
