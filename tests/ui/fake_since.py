"""What the fake service tells of the time since a mark."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ui.fake_service import FakeService


class FakeSince:
    """Answers like ``Since``.

    Args:
        service: Whose events they are; its text is the name of a wallet.
    """

    def __init__(self, service: "FakeService") -> None:
        self.service = service
        self.asked: list[tuple[str, int, int]] = []

    def told(self, epoch: str, seq: int, upto: int) -> dict[str, Any]:
        self.asked.append((epoch, seq, upto))
        new = max(0, upto - seq)
        wallets = [
            {"currency": "USDT", "total": "812.40", "change": "-12.5"},
            {"currency": self.service.text, "total": "9.5", "change": None},
        ]
        return {
            "after": seq,
            "upto": upto,
            "epoch": epoch,
            "is_known": True,
            "is_whole": True,
            "since_ms": self.service.now_ms - 3_600_000,
            "until_ms": self.service.now_ms,
            "events": {"order": new, "system": 2} if new else {"system": 2},
            "ended": {"filled": 4, "cancelled": 2, "rejected": 0},
            "opened": 1,
            "closed": 2,
            "unknown": 0,
            "liquidations": 3,
            "wallets": wallets if new else [],
            "gaps": {"count": 2 if new else 0, "away_s": 250.0 if new else 0.0},
        }
