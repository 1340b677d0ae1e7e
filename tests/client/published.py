"""Events with the exchange's records, published to a sidecar."""

import json
import time
from typing import Any

from fakes.frames import order
from sidecar.helpers import World

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope


def publish(world: World, kind: str, record: dict[str, Any], raw: bytes | None = None, **flags: Any) -> bytes:
    """Publish one record and return its envelope."""
    text = json.dumps(record, separators=(",", ":")).encode() if raw is None else raw
    seq, now_ns = world.ring.version + 1, time.time_ns()
    source = Source(flags.pop("source", "stream"))
    body, at = encode_envelope(seq, EventType(kind), source, now_ns, text, **flags)
    facts = Facts(str(record.get("id", kind)), record.get("pair"))
    late = bool(flags.get("is_late"))
    world.ring.append(Event(seq, EventType(kind), source, now_ns, facts, body, at, len(text), 0, late))
    world.sidecar.notify()
    return body


def publish_orders(world: World, count: int) -> None:
    for number in range(count):
        publish(world, "order", order(f"o-{number}"))
