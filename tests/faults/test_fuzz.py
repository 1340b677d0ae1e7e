"""Row F11: frames from a grammar, mutated: nothing escapes, and a bad frame costs no more than a good one allows."""

import logging
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
from fakes.frames import balance, order, position
from fakes.pipelines import new_pipeline
from faults.trials import figure

from coindcx_feed.exchange import codec, wire

SHORT_COUNT, LONG_COUNT = 50_000, 1_000_000
SLICE: Final = 500
MOST_RATIO: Final = 3.0

GOOD: Final = {wire.ORDER_EVENT: order(), wire.POSITION_EVENT: position(), wire.BALANCE_EVENT: balance()}
ATOMS: Final = (
    "NaN", "Infinity", "1e999", "-1e999", "1e-999999999", "9" * 400, "null", "true", '""', '"\\ud800"', "[]", "{}",
    '"\\u202e\\u0000"', "-0", "0.1e-41", '{"a":' * 60 + "1" + "}" * 60, "[" * 900 + "]" * 900, '"12,5"', "1_0",
    "+1", "'x'",
)  # fmt: skip


class Grammar:
    """Writes frames as the exchange does and spoils them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0

    def good(self) -> tuple[str, str]:
        """Return an event packet that is as documented, with contents of its own."""
        event, text = self._text()
        return event, _packet(event, text)

    def bad(self) -> tuple[str, str]:
        """Return one that was spoiled in one of many ways."""
        event, text = self._text()
        spoil = self._random.choice((self._cut, self._swap, self._value, self._bytes, self._shape, self._envelope))
        return event, spoil(event, text)

    def _text(self) -> tuple[str, str]:
        self._number += 1
        event = self._random.choice(tuple(GOOD))
        record = {**GOOD[event], "id": f"id-{self._number % 5_000}", "x_number": self._number}
        return event, msgspec.json.encode([record]).decode()

    def _cut(self, event: str, text: str) -> str:
        at = self._random.randrange(len(text))
        return _packet(event, text[:at] if self._random.random() < 0.5 else text[at:])

    def _swap(self, event: str, text: str) -> str:
        at, size = self._random.randrange(len(text)), self._random.randrange(1, 9)
        other = self._random.randrange(len(text))
        return _packet(event, text[:at] + text[other : other + size] + text[at + size :])

    def _value(self, event: str, text: str) -> str:
        start = self._random.choice([at for at, char in enumerate(text) if char == ":"]) + 1
        ends = [at for at in (text.find(",", start), text.find("}", start)) if at > 0]
        return _packet(event, text[:start] + self._random.choice(ATOMS) + text[min(ends) :])

    def _bytes(self, event: str, text: str) -> str:
        letters = list(text)
        for _ in range(self._random.randint(1, 6)):
            letters[self._random.randrange(len(letters))] = chr(
                self._random.choice((0, 9, 34, 44, 92, 123, 125, 0x202E))
            )
        return _packet(event, "".join(letters))

    def _shape(self, event: str, text: str) -> str:
        shapes = (text[1:-1], f"[{text}]", f"[{text[1:-1]},{self._random.choice(ATOMS)}]", self._random.choice(ATOMS))
        return _packet(event, self._random.choice(shapes))

    def _envelope(self, event: str, text: str) -> str:
        whole = _packet(event, text)
        choice = self._random.randrange(4)
        if choice == 0:
            return whole[: self._random.randrange(len(whole))]
        if choice == 1:
            return f'["{event}",{self._random.choice(ATOMS)}]'
        if choice == 2:
            return whole.replace(event, self._random.choice(("no-such-event", "", "df-order-updat")))
        return f'["{event}",{{"event":"{event}","data":{self._random.choice(ATOMS)}}}]'


def _packet(event: str, text: str) -> str:
    return msgspec.json.encode([event, {"event": event, "data": text}]).decode("utf-8", "surrogatepass")


def _slices(grammar: Grammar, count: int) -> Iterator[list[str]]:
    for _ in range(count // SLICE):
        yield [grammar.bad()[1] for _ in range(SLICE)]


async def _take(pipeline: Any, packets: list[str]) -> float:
    started = time.process_time()
    for packet in packets:
        pipeline.receive(*codec.parse_event(packet))
    await pipeline.drain()
    return time.process_time() - started


@pytest.mark.timeout(1_200)
async def test_F11_mutated_frames_never_escape_and_cost_little(is_long: bool, caplog: pytest.LogCaptureFixture) -> None:
    """No exception escapes; the time per bad frame, log line aside, is at most three times a good one of its size."""
    caplog.set_level(logging.ERROR, "coindcx_feed.feed.pipeline")
    count, seed = (LONG_COUNT if is_long else SHORT_COUNT), 11
    pipeline, grammar = new_pipeline(10_000), Grammar(seed)
    bad_s = good_s = 0.0
    sizes: Counter[str] = Counter()
    for packets in _slices(grammar, count):
        bad_s += await _take(pipeline, packets)
        sizes["bad"] += sum(map(len, packets))
    taken = count // SLICE * SLICE
    quarantined = pipeline.quarantine.count
    good = [grammar.good()[1] for _ in range(min(taken, SHORT_COUNT))]
    for at in range(0, len(good), SLICE):
        good_s += await _take(pipeline, good[at : at + SLICE])
    sizes["good"] = sum(map(len, good))
    ratio = (bad_s / sizes["bad"]) / (good_s / sizes["good"])
    escaped = pipeline.counters["failures"]
    bad_us, good_us = bad_s / taken * 1e6, good_s / len(good) * 1e6
    counts = {"frames": taken, "seed": seed, "escaped": escaped, "quarantined": quarantined}
    figure("F11", **counts, bad_us=bad_us, good_us=good_us, ratio_of_same_size=ratio)
    assert escaped == 0
    assert quarantined > taken // 3
    assert ratio <= MOST_RATIO
