"""The controls of the fake service: what was asked is kept."""

from typing import Any

REPLAY: dict[str, Any] = {
    "phase": "playing", "speed": "step", "shown": 12, "position_ms": 1_790_000_000_000, "reason": None,
}  # fmt: skip


class FakeReplaying:
    """Answers like ``ReplayControls``."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: str | None = None

    def pause(self) -> dict[str, Any]:
        return self._answer("pause")

    def resume(self) -> dict[str, Any]:
        return self._answer("resume")

    def step(self, count: int = 1) -> dict[str, Any]:
        return self._answer("step", count)

    def set_speed(self, text: str) -> dict[str, Any]:
        return self._answer("speed", text)

    def _answer(self, *asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"ok": self.refusal is None, "message": self.refusal or "done"}
