"""Events for the benchmarks: recorded records with varied ids, pairs, prices and times."""

import itertools
import json
import random
from collections.abc import Iterator

from fakes.frames import BALANCE, ORDER, POSITION, frame, rows

from coindcx_feed.events import Event, EventType, Source, encode_envelope
from coindcx_feed.feed.normalize import AccountItem, derived_field, normalize

START_NS = 1_790_140_000_000_000_000
PAIRS = [
    f"B-{name}_USDT" for name in ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "BNB", "AVAX", "LINK", "DOT", "LTC", "TRX")
]
DISTINCT = 4_000


def _items() -> list[AccountItem]:
    """Return the recorded life of two orders with positions and balances, in many variants."""
    chance = random.Random(1)
    stories = rows("scenarios/limit-partial-then-filled*", "scenarios/limit-cancelled-inr*")
    found: list[AccountItem] = []
    for row in itertools.islice(itertools.cycle(stories), DISTINCT):
        (record,) = json.loads(row["data"])
        if row["event"] == ORDER:
            record |= {"id": f"{chance.getrandbits(32):08x}{record['id'][8:]}", "price": chance.uniform(1, 70_000)}
        if row["event"] in (ORDER, POSITION):
            record["pair"] = chance.choice(PAIRS)
        if row["event"] == BALANCE:
            record["balance"] = f"{chance.uniform(0, 1e6):.14f}"
        (item,) = normalize(frame(row["event"], [record]))
        assert isinstance(item, AccountItem)
        found.append(item)
    return found


def events(count: int) -> Iterator[Event]:
    """Yield events 1 to ``count``, each with texts of its own, as the pipeline makes them."""
    prepared = [(item, derived_field(item, None)) for item in _items()]
    for seq, (item, derived) in zip(range(1, count + 1), itertools.cycle(prepared), strict=False):
        received_ns = START_NS + seq * 1_234_567
        facts = item.facts._replace(
            key="".join(item.facts.key),
            message=None if item.facts.message is None else item.facts.message[:-1] + "!",
            exchange_ms=received_ns // 1_000_000 - 60,
        )
        body, at = encode_envelope(seq, item.type, Source.STREAM, received_ns, item.raw, derived)
        yield Event(
            seq, EventType(item.type), Source.STREAM, received_ns, facts, body, at, len(item.raw), max(0, seq - 7)
        )
