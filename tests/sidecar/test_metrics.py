"""Figures for Prometheus, parsed with its own parser."""

from typing import Any

import aiohttp
from fakes.frames import BALANCE, ORDER, balance, order
from prometheus_client.parser import text_string_to_metric_families
from sidecar.helpers import TOKEN, World
from sidecar.test_http_state import new_world

from coindcx_feed.sidecar.metrics import METRICS_PATH, PREFIX


async def scrape(world: World, **headers: str) -> tuple[str, str]:
    async with world.http.get(world.url("", METRICS_PATH, "http"), headers=headers) as answer:
        assert answer.status == 200
        return answer.headers["Content-Type"], await answer.text()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))] = sample.value
    return found


async def test_figures_are_those_of_the_feed() -> None:
    """Events by type, what was kept apart, clients, what was sent and refused."""
    world, feed = new_world()
    async with world, world.connect():
        await feed.take(ORDER, order("o-1"), order("o-2"))
        await feed.take(ORDER, order("o-1"))
        await feed.take(BALANCE, balance())
        await feed.take(BALANCE, '{"id":1}')
        world.sidecar.notify()
        await world.refusal(Origin="http://evil.example")
        content_type, text = await scrape(world)
    found = samples(text)
    assert content_type.startswith("text/plain; version=")
    assert "charset=utf-8" in content_type
    expected = {
        ("events_total", (("type", "order"),)): 2,
        ("events_total", (("type", "balance"),)): 1,
        ("events_total", (("type", "fill"),)): 0,
        ("duplicates_total", ()): 1,
        ("quarantined_total", ()): 1,
        ("frames_total", ()): 4,
        ("gaps_total", ()): 0,
        ("clients", ()): 1,
        ("connected", ()): 1,
        ("ring_events", ()): 3,
        ("ring_capacity", ()): 100,
        ("seq", ()): 3,
        ("slow_clients_total", ()): 0,
        ("log_is_durable", ()): 0,
        ("refused_total", (("kind", "origin"),)): 1,
        ("connection_info", (("mode", "demo"), ("state", "live"))): 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("sent_total", ()) in found


async def test_labels_hold_no_text_of_the_feed() -> None:
    """Neither pairs nor ids nor statuses: a feed that invents texts cannot fill a database."""
    world, feed = new_world()
    async with world:
        await feed.take(ORDER, order("canary-id", pair="B-CANARY_USDT", status="canary-status"))
        _, text = await scrape(world)
    assert "canary" not in text.lower()
    labels = {name for _, pairs in samples(text) for name, _ in pairs}
    assert labels <= {"type", "kind", "mode", "state"}


async def test_the_format_is_the_one_that_was_asked_for(world: World) -> None:
    """Prometheus asks for OpenMetrics; an odd header gets plain text."""
    assert (await scrape(world, Accept="application/openmetrics-text; version=1.0.0"))[0].startswith(
        "application/openmetrics-text"
    )
    for accept in ("*/*", "a" * 1000, ";;,=;q=x", "application/openmetrics-text;version=x"):
        assert (await scrape(world, Accept=accept))[0].startswith("text/plain")


async def test_two_sidecars_in_a_process_keep_apart() -> None:
    """Each has a registry of its own."""
    async with World() as one, World() as two:
        one.publish(count=3)
        assert [samples((await scrape(each))[1])["seq", ()] for each in (one, two)] == [3, 0]


async def test_metrics_need_the_configured_token() -> None:
    """They tell how busy an account is."""
    async with World(token=TOKEN) as world:
        answers: list[Any] = []
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}):
            async with world.http.get(world.url("", METRICS_PATH, "http"), headers=headers) as answer:
                answers.append((answer.status, isinstance(answer, aiohttp.ClientResponse)))
    assert [status for status, _ in answers] == [401, 200]
