"""The made-up connection of the fake service: status, gaps, and what the Feed page shows."""

import time
from typing import Any

import numpy as np
from ui.fake_words import EPOCH, PAIRS


class FakeConnection:
    """What a page sees of the connection. The service sets the attributes; ``changes`` are entries of the status."""

    now_ms: float
    count: int
    state: str
    text: str
    changes: dict[str, Any]

    def status(self) -> dict[str, Any]:
        connected = self.state in ("live", "quiet")
        ended = self.state in ("rejected", "stopped")
        age_s = 0.4 if connected else 42.0
        return {
            "mode": "demo",
            "state": self.state,
            "label": "Live" if connected else "Disconnected" if ended else "Reconnecting",
            "connected": connected,
            "state_since_ms": int(self.now_ms - 728_000),
            "reason": None if connected else self.text,
            "next_try_ms": None if connected else int(self.now_ms + 4_000),
            "transport": {"proof": "frame", "age_s": age_s, "limit_s": 10.0},
            "account": {"fact": "proven" if connected else "unproven", "age_s": age_s},
            "epoch": EPOCH,
            "version": self.count,
            "kept": self.count,
            "capacity": 100_000,
            "last_event_ms": int(self.now_ms - age_s * 1000) if self.count else None,
            "last_event_seq": self.count or None,
            "delay": {"p50_ms": 62.0, "p95_ms": 118.0, "p99_ms": 204.0, "count": 300} if self.count else None,
            "has_credentials": True,
            "pairs": list(PAIRS),
            "sidecar": {"url": "ws://127.0.0.1:8000/api/v1/ws/coindcx", "clients": 2, "error": None, "has_login": True},
            "simulator": {"port": 8010},
            "owner": None,
            "replay": None,
            "store": {"engine": "sqlite", "url": "sqlite:///events.sqlite", "outage": None},
            "started_ms": int(self.now_ms - 3_600_000),
            "now_ms": int(time.time() * 1000),
            "joins": 1,
            "clock_skew": {"offset_ms": 120.0, "uncertainty_ms": 30.0, "samples": 12},
            "completeness": {"share": 0.9994, "gaps": 2, "away_s": 41.0},
            "counters": {
                "frames": 900,
                "records": 950,
                "events": self.count,
                "duplicates": 17,
                "late": 1,
                "quarantined": 1,
                "market": 12_000,
                "connects": 1,
                "failures": 0,
            },
            **self.changes,
        }

    def gaps(self) -> list[dict[str, Any]]:
        return [
            {
                "from_ms": self.now_ms - 900_000,
                "to_ms": self.now_ms - 840_000,
                "cause": self.text,
                "recovered": 3,
                "unknown": None,
            },
            {
                "from_ms": self.now_ms - 90_000_000,
                "to_ms": self.now_ms - 89_000_000,
                "cause": "server closed the socket (1005)",
                "recovered": None,
                "unknown": self.text,
            },
        ]

    def feed(self) -> dict[str, Any]:
        t_ms = np.arange(120, dtype=np.float64) * 30_000 + self.now_ms - 3_600_000
        kept = {
            "arrival": 9,
            "at_ms": self.now_ms - 60_000,
            "event": "df-order-update",
            "reason": self.text,
            "raw": self.text * 3,
            "raw_bytes": 412,
        }
        states = [
            {
                "state": "connecting",
                "from_ms": self.now_ms - 3_500_000,
                "to_ms": self.now_ms - 3_400_000,
                "reason": None,
            },
            {"state": "live", "from_ms": self.now_ms - 3_400_000, "to_ms": self.now_ms - 900_000, "reason": None},
            {"state": "stale", "from_ms": self.now_ms - 900_000, "to_ms": self.now_ms - 840_000, "reason": self.text},
            {"state": self.state, "from_ms": self.now_ms - 840_000, "to_ms": None, "reason": None},
        ]
        return {
            "states": states,
            "rates": {
                "bucket_s": 30,
                "t_ms": t_ms,
                "order": np.full(120, 6),
                "position": np.full(120, 3),
                "balance": np.full(120, 2),
            },
            "delays": {
                "t_ms": t_ms,
                "p50": np.full(120, 62.0),
                "p95": np.full(120, 118.0),
                "p99": np.full(120, np.nan),
            },
            "quarantine": [kept],
            "duplicates": [kept | {"arrival": 10}],
            "gaps": self.gaps(),
            "quirks": [
                {
                    "quirk": "status that is not documented",
                    "total": 3,
                    "first_ms": self.now_ms - 90_000,
                    "last_ms": self.now_ms - 9_000,
                    "sample": self.text,
                }
            ],
            "odd": [{"key": "order o-1", "since_ns": (self.now_ms - 30_000) * 1_000_000, "text": self.text}],
            "divergence": {
                "at_ms": float(self.now_ms - 60_000),
                "compared": 12,
                "unknown": self.text,
                "rows": [
                    {
                        "type": "order",
                        "id": "o-1",
                        "pair": self.text,
                        "field": "status",
                        "rest": self.text,
                        "stream": "open",
                        "read_ms": float(self.now_ms - 60_000),
                        "is_grave": True,
                        "stream_ms": float(self.now_ms - 90_000),
                        "touched": [37, 7],
                    }
                ],
            },
            "log": [
                f"2026-11-22T14:02:12.310Z INFO upstream state={self.state}",
                f"2026-11-22T14:02:13.310Z WARN x={self.text}",
            ],
        }
