"""Fan-out against the seed's design, two libraries and a bare protocol, interleaved in the same run.

The goals are those of the seed's design (Starlette on uvicorn, ``send_json`` to each client in turn) and of the floor
(a frame made once, ``transport.write``).
"""

import importlib.util
import statistics
from typing import Any, Final

import pytest
from benchmarks.fanout_load import measure
from benchmarks.fanout_servers import SERVERS

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

ROUNDS: Final = 5
EVENTS: Final = {"ours": 2_000, "floor": 2_000, "aiohttp send_str": 1_500, "websockets.broadcast": 1_500}
SLOW_EVENTS: Final = 500
"""Of a design that sends to one client after the other."""

needs_seed = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn", "websockets")),
    reason="the seed's design needs starlette, uvicorn and websockets",
)

Runs = dict[str, list[dict[str, Any]]]


def interleaved(names: list[str], mode: str, clients: int, rounds: int = ROUNDS) -> Runs:
    """Run the servers one after the other, and all of them again and again: noise meets them alike."""
    runs: Runs = {name: [] for name in names}
    for _ in range(rounds):
        for name, results in runs.items():
            events = EVENTS.get(name, SLOW_EVENTS) * 100 // clients // 10 * 10
            results.append(measure(name, mode, clients, events))
    return runs


def ratio(runs: Runs, name: str, base: str) -> float:
    return statistics.median(ours["us"] / other["us"] for ours, other in zip(runs[name], runs[base], strict=True))


def table(title: str, runs: Runs, base: str = "floor") -> None:
    print(f"\n{title}: CPU per delivery, median of {len(next(iter(runs.values())))} rounds")
    for name, results in runs.items():
        us, user = (statistics.median(result[key] for result in results) for key in ("us", "user"))
        print(f"  {name:22} {us:6.2f} us, {user:6.2f} of it in user space, {ratio(runs, name, base):5.2f} x {base}")


@needs_seed
@pytest.mark.parametrize("clients", [100, 500])
def test_a_delivery_costs_little_more_than_the_write(clients: int, capsys: pytest.CaptureFixture[str]) -> None:
    """As fast as possible, one event per write: at most 1.2 bare writes and 0.3 of the seed's design, within 20 %."""
    runs = interleaved(list(SERVERS), "max", clients, ROUNDS if clients == 100 else 3)
    with capsys.disabled():
        table(f"one event per write, {clients} clients", runs)
    slack = 1.0 if clients == 100 else 1.2
    assert ratio(runs, "ours", "floor") <= 1.2 * slack
    assert ratio(runs, "ours", "seed") <= 0.3 * slack


@needs_seed
@pytest.mark.parametrize("clients", [100, 500])
def test_ten_events_of_a_turn_are_one_write(clients: int, capsys: pytest.CaptureFixture[str]) -> None:
    """At most a quarter of a bare protocol that writes each one, and a fifteenth of the seed's design."""
    runs = interleaved(["ours", "floor", "seed"], "turn", clients, ROUNDS if clients == 100 else 3)
    with capsys.disabled():
        table(f"10 events per turn, {clients} clients", runs)
    slack = 1.0 if clients == 100 else 1.2
    assert ratio(runs, "ours", "floor") <= 0.25 * slack
    assert ratio(runs, "ours", "seed") <= slack / 15


@pytest.mark.parametrize(("clients", "goal"), [(50, 3.0), (100, 2.0)])
def test_age_on_arrival_is_near_the_floors(clients: int, goal: float, capsys: pytest.CaptureFixture[str]) -> None:
    """200 events/s: p50 and p99 of the age on arrival, against a bare protocol."""
    runs = interleaved(["floor", "ours"], "rate:200", clients)
    found = {}
    for name, share in (("p50", 50), ("p99", 99)):
        pairs = [(at(ours, share), at(floor, share)) for ours, floor in zip(runs["ours"], runs["floor"], strict=True)]
        found[name] = statistics.median(ours / floor for ours, floor in pairs)
        with capsys.disabled():
            print(f"\nage on arrival, {clients} clients, {name}: {found[name]:.2f} x the floor's (goal {goal})")
            print(*(f"  {ours:.0f} us (floor {floor:.0f})" for ours, floor in pairs), sep="\n")
    assert max(found.values()) <= goal


def at(result: dict[str, Any], share: int) -> float:
    return statistics.quantiles(result["ages_us"], n=100)[share - 1]


def test_a_stalled_client_changes_nothing_for_the_others(is_long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 events/s to 20 clients and one that never reads: all is received as early as without it."""
    events = 60_000 if is_long else 20_000
    alone, beside = (measure("ours", "rate:1000", 20, events, stalled) for stalled in (0, 1))
    found = at(beside, 99) / at(alone, 99)
    with capsys.disabled():
        print(f"\none stalled of 21, {events} events: p99 {at(beside, 99):.0f} us, alone {at(alone, 99):.0f} us")
        print(f"  most unsent {beside['most_unsent']} bytes, closed as slow: {beside['slow']}")
    assert beside["slow"] == 1
    assert beside["most_unsent"] <= 1_100_000
    assert found <= 1.2


def test_an_idle_client_costs_little(capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 clients: memory of each at most 1.5 of a bare aiohttp server's, handshakes at most 3 times as long."""
    runs = {name: [measure(name, "idle", 1_000, 0) for _ in range(3)] for name in ("ours", "aiohttp send_str")}
    found = {}
    for key, unit in (("client_kib", "KiB a client"), ("connect_s", "s for 1,000 handshakes")):
        ours, bare = (statistics.median(run[key] for run in results) for results in runs.values())
        found[key] = ours / bare
        with capsys.disabled():
            print(f"\nidle: {ours:.2f} {unit}, bare aiohttp {bare:.2f}: {found[key]:.2f} times")
    assert found["client_kib"] <= 1.5
    assert found["connect_s"] <= 3
