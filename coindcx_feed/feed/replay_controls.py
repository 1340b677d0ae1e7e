"""What pages may do to a replay. Plain data only, as everything that pages exchange with the feed."""

from typing import TYPE_CHECKING, Any, Final

from coindcx_feed.analysis.moments import parse_speed
from coindcx_feed.errors import FeedError

if TYPE_CHECKING:
    from coindcx_feed.feed.replay import Player
    from coindcx_feed.feed.runtime import FeedRuntime

MOST_STEPS: Final = 10_000

Answer = dict[str, Any]


class ReplayControls:
    """The controls of the replay of a runtime. Each answers with ``ok`` and a message in one line. Threads: any."""

    def __init__(self, runtime: "FeedRuntime") -> None:
        self._runtime = runtime

    def pause(self) -> Answer:
        """Hold the replay's clock; steps go on."""
        player = self._player
        if player is None:
            return self._nothing()
        player.pause()
        return _done("paused")

    def resume(self) -> Answer:
        """Let the replay's clock go on."""
        player = self._player
        if player is None:
            return self._nothing()
        player.resume()
        return _done("playing")

    def step(self, count: int = 1) -> Answer:
        """Show the next events; only a replay that stands still takes steps."""
        player = self._player
        if player is None:
            return self._nothing()
        if not 1 <= count <= MOST_STEPS:
            return _refused(f"step: expected 1 to {MOST_STEPS} events, was {count}: take several steps")
        player.step(count)
        return _done(f"{count} more")

    def set_speed(self, text: str) -> Answer:
        """Change the pace: a factor, ``max`` or ``step``."""
        player = self._player
        if player is None:
            return self._nothing()
        try:
            player.set_speed(parse_speed(text, "speed"))
        except FeedError as error:
            return _refused(str(error))
        return _done(f"speed {text}")

    @property
    def _player(self) -> "Player | None":
        return self._runtime.player

    def _nothing(self) -> Answer:
        return _refused(
            f"expected a replay, was a feed of mode {self._runtime.mode}: start one with COINDCX_MODE=replay"
        )


def _done(message: str) -> Answer:
    return {"ok": True, "message": message}


def _refused(message: str) -> Answer:
    return {"ok": False, "message": message}
