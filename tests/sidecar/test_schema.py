"""The published contract against what a real sidecar says: recorded frames go in, every message out is valid."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import FIXTURES, ORDER, order, rows
from fakes.stored import KeepingStore
from jsonschema import Draft202012Validator
from sidecar.helpers import EPOCH, TOKEN, Client, World, event
from sidecar.test_http_state import Feed, new_world
from sidecar.test_library import OLD, Shelf, served

from coindcx_feed.errors import BadRequest
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.sidecar.codes import CloseCode, may_return
from coindcx_feed.sidecar.contract import GREETING, VERSION
from coindcx_feed.sidecar.protocol import parse_message
from coindcx_feed.sidecar.query import MARKET_TYPES, Wants
from coindcx_feed.sidecar.schema import (
    CLIENT_MESSAGES,
    SCHEMA_PATH,
    SERVER_MESSAGES,
    asyncapi,
    json_schema,
)
from coindcx_feed.sidecar.subscription import Change

RECORDED = ("ws/*.jsonl", "scenarios/limit-*", "scenarios/market-*", "scenarios/tpsl-*", "scenarios/out-of-order-*")
MODELS = {sent.name: sent.model.__name__ for sent in (*SERVER_MESSAGES, *CLIENT_MESSAGES)}
NOTES = {"resume_gap": "ResumeGap", "epoch_changed": "EpochChanged", GREETING: "Greeting"}
ANSWERS = {"ping": "KeepAlive", "pong": "KeepAlive", "error": "Error"} | dict.fromkeys(
    ("subscribed", "unsubscribed", "resumed"), "Changed"
)


@cache
def whole() -> dict[str, Any]:
    return json_schema()


@cache
def validator(model: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{model}", "$defs": whole()["$defs"]})


def model_of(message: dict[str, Any]) -> str:
    """Return the model that a message must be of, by what the contract tells readers apart."""
    kind = message["type"]
    if kind == "system" and "seq" not in message:
        return NOTES[message["data"]["message"]]
    return ANSWERS.get(kind) or MODELS[kind]


def unknown(message: dict[str, Any], model: str) -> set[str]:
    """Return the names of a message, but its data, that the schema does not list."""
    return set(message) - set(whole()["$defs"][model]["properties"])


def check(message: dict[str, Any]) -> str:
    """Validate a message as what it must be; nothing of its frame may be unlisted."""
    model = model_of(message)
    validator(model).validate(message)
    assert unknown(message, model) == set(), message
    return model


async def replay(feed: Feed) -> None:
    for row in rows(*RECORDED):
        if "event" in row:
            feed.pipeline.receive(row["event"], row)
    await feed.pipeline.drain()


async def test_recorded_frames_come_out_as_the_schema_says() -> None:
    """Every kind of the two streams, late repeats and unknown fields among them."""
    world, feed = new_world(capacity=10_000)
    async with world, world.connect("types=all") as client:
        await replay(feed)
        world.sidecar.notify()
        count = feed.pipeline.ring.version + feed.pipeline.market.version
        received = [await client.next() for _ in range(count)]
    found = {check(message) for message in [*received, client.greeting]}
    assert any("late" in message for message in received)
    assert found >= {"OrderEvent", "PositionEvent", "BalanceEvent", "Greeting", "PriceMessage", "TradeMessage"}
    assert {MODELS[kind] for kind in MARKET_TYPES} <= found


async def test_events_that_are_not_stored_and_notes_are_valid() -> None:
    """``durable: false``, and system events with what they carry."""
    store = KeepingStore()
    store.is_durable = False
    world, feed = new_world(store=store)
    async with world, world.connect() as client:
        await feed.take(ORDER, order())
        feed.pipeline.note("upstream live", coindcx_connected=True, state="live")
        feed.pipeline.note("upstream_gap", start="x", end=None, cause="why", recovered=None, unknown=None)
        await feed.pipeline.drain()
        world.sidecar.notify()
        messages = [await client.next() for _ in range(3)]
    assert messages[0]["durable"] is False
    assert [check(message) for message in messages] == ["OrderEvent", "SystemEvent", "SystemEvent"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (EventType.FILL, "rest/trades.captured.json"),
        (EventType.LEDGER, "rest/positions_transactions.captured.json"),
        (EventType.LEDGER, "rest/wallets_transactions.docs.json"),
        (EventType.ORDER, "rest/orders_list.captured.json"),
        (EventType.POSITION, "rest/positions_list.captured.json"),
        (EventType.BALANCE, "rest/wallets.captured.json"),
    ],
)
def test_rows_of_the_reads_are_valid(kind: EventType, path: str) -> None:
    """What comes over REST becomes events of the same types."""
    for record in _records(path):
        raw = json.dumps(record).encode()
        body, at = encode_envelope(1, kind, Source.REST, 1, raw)
        made = Event(1, kind, Source.REST, 1, Facts("x"), body, at, len(raw))
        check(json.loads(made.body))


def _records(path: str) -> list[dict[str, Any]]:
    found = json.loads((FIXTURES / path).read_text(encoding="utf-8"))
    while isinstance(found, dict):
        found = next(value for value in found.values() if isinstance(value, list | dict))
    assert found
    return [row for row in found if isinstance(row, dict)]


async def test_answers_gaps_and_errors_are_valid(world: World) -> None:
    """Everything that the server says to one client."""
    world.publish(count=1500)
    async with world.connect(f"since=5&epoch={EPOCH}&types=order") as client:
        messages = [client.greeting, await client.next()]
        await client.seqs(1000)
        messages.append(await client.ask(action="subscribe", types=["all"], pairs=["B-ETH_USDT"], price_min="1.50"))
        messages.append(await client.ask(action="unsubscribe", types=["trade"]))
        messages.append(await client.ask(action="resume", since=1500, epoch=EPOCH))
        messages.append(await client.ask(action="nothing"))
        await client.ws.send_str("ping")
        messages.append(await client.next())
    assert [check(message) for message in messages] == [
        "Greeting",
        "ResumeGap",
        "Changed",
        "Changed",
        "Changed",
        "Error",
        "KeepAlive",
    ]


async def test_the_announcement_of_an_epoch_is_valid() -> None:
    """On the way from the log into memory."""
    shelf = Shelf(epochs=((1, OLD), (60, EPOCH)))
    async with served(shelf) as world, world.connect(f"since=58&epoch={OLD}") as client:
        first = await _until_note(client)
    assert check(first) == "EpochChanged"


async def _until_note(client: Client) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = await client.next()
        if message["type"] == "system":
            return message


async def test_bodies_over_http_are_valid() -> None:
    """Pages with and without a gap, lists, status, health, problems."""
    world, feed = new_world(capacity=300)
    async with world:
        await replay(feed)
        answers = {
            "EventsPage": ("/api/v1/events", "since=1&epoch=epoch-1"),
            "OrdersState": ("/api/v1/state/orders", "ended=1"),
            "PositionsState": ("/api/v1/state/positions", ""),
            "BalancesState": ("/api/v1/state/balances", ""),
            "Status": ("/api/v1/ws/status", ""),
            "Health": ("/readyz", ""),
            "Problem": ("/api/v1/events", "limit=x"),
        }
        for model, (path, query) in answers.items():
            _, body = await world.get(path, query)
            validator(model).validate(body)
            if model != "Status":
                assert unknown(body, model) == set()
            if model.endswith("State"):
                assert body["total"]


def test_schema_has_teeth() -> None:
    """A message without one of its names, or with a value of another kind, is not valid."""
    made = json.loads(event(7).body)
    made["data"] |= {"status": "open"}
    validator("OrderEvent").validate(made)
    wrong = [{name: part for name, part in made.items() if name != gone} for gone in made]
    wrong += [made | {"seq": 0}, made | {"seq": "7"}, made | {"type": "fill"}, made | {"durable": True}]
    wrong += [made | {"data": {"status": "open"}}, made | {"data": made["data"] | {"price": []}}]
    assert [message for message in wrong if validator("OrderEvent").is_valid(message)] == []


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ('{"action":"subscribe"}', True),
        ('{"action":"subscribe","types":["all"],"pairs":null,"sides":["buy"],"text":"x","price_min":1.5}', True),
        ('{"action":"subscribe","type":"order"}', False),
        ('{"action":"subscribe","types":["orders"]}', False),
        ('{"action":"subscribe","types":[]}', False),
        ('{"action":"subscribe","sides":["long"]}', False),
        ('{"action":"unsubscribe","types":["fill"]}', True),
        ('{"action":"unsubscribe","sides":["buy"]}', False),
        ('{"action":"resume","since":5,"epoch":"E"}', True),
        ('{"action":"resume","since":"earliest"}', True),
        ('{"action":"resume"}', False),
        ('{"action":"resume","since":-5,"epoch":"E"}', False),
        ('{"action":"auth","token":"x"}', True),
        ('{"action":"auth"}', False),
        ('{"type":"ping"}', True),
        ('{"type":"pung"}', False),
    ],
)
def test_client_messages_are_valid_when_they_are_understood(text: str, is_valid: bool) -> None:
    """Schema and parser agree; ``Change`` checks values when it is applied."""
    message = json.loads(text)
    assert any(validator(sent.model.__name__).is_valid(message) for sent in CLIENT_MESSAGES) is is_valid
    is_understood = True
    try:
        said = parse_message(text)
        if isinstance(said, Change) and said.action == "resume":
            said.position(Wants())
        elif isinstance(said, Change):
            said.applied(Wants())
    except BadRequest:
        is_understood = False
    assert is_understood is is_valid


def test_messages_of_the_readme_are_valid_and_understood() -> None:
    """They stand there to be copied."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    texts = re.findall(r'^{"action":.*}$', readme, re.MULTILINE)
    assert len(texts) >= 3
    for text in texts:
        assert any(validator(sent.model.__name__).is_valid(json.loads(text)) for sent in CLIENT_MESSAGES), text
        assert isinstance(parse_message(text), Change)


def test_documents_are_complete() -> None:
    """Valid against the dialect's own schema, every reference leads somewhere, no name of pydantic's is left."""
    Draft202012Validator.check_schema(whole())
    document = asyncapi()
    assert (document["asyncapi"], document["info"]["version"], whole()["version"]) == ("3.0.0", VERSION, VERSION)
    for reference in _references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    assert set(document["channels"]["coindcx"]["messages"]) == set(document["components"]["messages"]) == set(MODELS)
    assert "#/components/" not in json.dumps(whole())
    assert not {'"ge":', '"lt":'} & set(json.dumps(whole()).split())


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for each in part.values() for found in _references(each)]


def test_close_codes_are_those_of_the_code() -> None:
    """With the duty that the number stands for."""
    listed = {row["code"]: row["may_return"] for row in asyncapi()["x-close-codes"]}
    assert listed == {int(code): may_return(code) for code in CloseCode}


async def test_it_is_served_in_both_forms() -> None:
    """With the configured token, like everything that tells about the account's feed."""
    async with World(token=TOKEN) as world:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert await world.get(SCHEMA_PATH, **bearer) == (200, asyncapi())
        assert await world.get(SCHEMA_PATH, "format=json-schema", **bearer) == (200, json_schema())
        for query in ("format=xml", "form=asyncapi", "format=%0a"):
            status, body = await world.get(SCHEMA_PATH, query, **bearer)
            assert (status, body["error"].startswith("schema: expected nothing or format=asyncapi")) == (400, True)
        assert (await world.get(SCHEMA_PATH))[0] == 401
