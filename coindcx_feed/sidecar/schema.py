"""The contract as files: an AsyncAPI 3 document and JSON Schemas (2020-12), made of the types in the code."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from coindcx_feed.errors import BadRequest
from coindcx_feed.sidecar import contract, contract_http
from coindcx_feed.sidecar.access import printable
from coindcx_feed.sidecar.codes import MEANINGS, may_return
from coindcx_feed.sidecar.contract import VERSION
from coindcx_feed.sidecar.query import NAMES
from coindcx_feed.sidecar.site import json_response

SCHEMA_PATH: Final = "/api/v1/ws/schema"
FORMATS: Final = ("asyncapi", "json-schema")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FORMAT: Final = "application/schema+json;version=2020-12"
_BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


class Sent(NamedTuple):
    """A message with the name it has in the document."""

    name: str
    model: Any
    summary: str


SERVER_MESSAGES: Final = (
    Sent("greeting", contract.Greeting, "The first message of a connection"),
    Sent("order", contract.OrderEvent, "An order"),
    Sent("position", contract.PositionEvent, "A position"),
    Sent("balance", contract.BalanceEvent, "A wallet"),
    Sent("fill", contract.FillEvent, "A fill, read over REST"),
    Sent("ledger", contract.LedgerEvent, "A row of the ledger, read over REST"),
    Sent("system", contract.SystemEvent, "About the feed itself"),
    Sent("price", contract.PriceMessage, "Prices"),
    Sent("trade", contract.TradeMessage, "A public trade"),
    Sent("candle", contract.CandleMessage, "Bars"),
    Sent("book", contract.BookMessage, "An order book, or its change"),
    Sent("resumeGap", contract.ResumeGap, "Events that a client will not get"),
    Sent("epochChanged", contract.EpochChanged, "Another series of numbers begins"),
    Sent("changed", contract.Changed, "The answer to a change of the subscription"),
    Sent("error", contract.Error, "The answer to what was not understood"),
    Sent("keepAlive", contract.KeepAlive, "ping and pong"),
)
CLIENT_MESSAGES: Final = (
    Sent("subscribe", contract.Subscribe, "Ask for more, or for a filter"),
    Sent("unsubscribe", contract.Unsubscribe, "Ask for less"),
    Sent("resume", contract.Resume, "Go on from another place"),
    Sent("auth", contract.Auth, "Show the credential"),
    Sent("clientPing", contract.ClientPing, "ping, answered pong"),
)
HTTP_BODIES: Final = (
    contract_http.EventsPage,
    contract_http.OrdersState,
    contract_http.PositionsState,
    contract_http.BalancesState,
    contract_http.Status,
    contract_http.Health,
    contract_http.Problem,
)


class _Wire(GenerateJsonSchema):
    """Numbers as the exchange writes them: it sends text where it documents a number, and the other way round."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": ["number", "string"]}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {"type": ["number", "string"]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return super().int_schema(schema) | {"type": ["integer", "string"]}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"type": ["boolean", "integer", "string"]}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schemas(ref_template: str) -> dict[str, Any]:
    """Build the JSON Schema of every model by its name.

    Args:
        ref_template: How one names another, ``{model}`` for the name.
    """
    models = [sent.model for sent in (*SERVER_MESSAGES, *CLIENT_MESSAGES)] + list(HTTP_BODIES)
    inputs = [(model, "validation", TypeAdapter(model)) for model in models]
    _, found = TypeAdapter.json_schemas(inputs, ref_template=ref_template, schema_generator=_Wire)  # type: ignore[arg-type]
    return {name: _named(model) for name, model in found["$defs"].items()}


def _named(schema: Any) -> Any:
    """Return a schema whose bounds have their JSON Schema names: those behind a validator keep pydantic's own."""
    if isinstance(schema, list):
        return [_named(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {_BOUNDS.get(key, key) if _is_number(part) else key: _named(part) for key, part in schema.items()}


def _is_number(part: Any) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool)


def asyncapi() -> dict[str, Any]:
    """Build the AsyncAPI document: one channel, what the server sends and what it understands."""
    every = (*SERVER_MESSAGES, *CLIENT_MESSAGES)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CoinDCX Feed sidecar",
            "version": VERSION,
            "description": "Account events of a CoinDCX futures account, numbered and resumable, and market messages.",
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:8000", "protocol": "ws"}},
        "channels": {"coindcx": _channel(every)},
        "operations": {
            "send": _operation("send", SERVER_MESSAGES),
            "receive": _operation("receive", CLIENT_MESSAGES),
        },
        "components": {
            "messages": {sent.name: _message(sent) for sent in every},
            "schemas": schemas("#/components/schemas/{model}"),
        },
        "x-close-codes": close_codes(),
    }


def json_schema() -> dict[str, Any]:
    """Build one JSON Schema: a valid document is a message that the server sends; all models are in ``$defs``."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:coindcx-feed:sidecar:{VERSION}",
        "title": "CoinDCX Feed sidecar",
        "version": VERSION,
        "anyOf": [{"$ref": f"#/$defs/{sent.model.__name__}"} for sent in SERVER_MESSAGES],
        "$defs": schemas("#/$defs/{model}"),
    }


def close_codes() -> list[dict[str, object]]:
    """List the close codes as data."""
    return [
        {"code": int(code), "reason": reason, "cause": cause, "may_return": may_return(code)}
        for code, reason, cause in MEANINGS
    ]


def _channel(messages: Sequence[Sent]) -> dict[str, Any]:
    query = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in NAMES},
        "additionalProperties": False,
    }
    return {
        "address": "/api/v1/ws/coindcx",
        "messages": {sent.name: {"$ref": f"#/components/messages/{sent.name}"} for sent in messages},
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
    }


def _operation(action: str, messages: Sequence[Sent]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/coindcx"},
        "messages": [{"$ref": f"#/channels/coindcx/messages/{sent.name}"} for sent in messages],
    }


def _message(sent: Sent) -> Mapping[str, Any]:
    reference = {"$ref": f"#/components/schemas/{sent.model.__name__}"}
    payload = {"schemaFormat": SCHEMA_FORMAT, "schema": reference}
    return {"name": sent.name, "summary": sent.summary, "contentType": "application/json", "payload": payload}


@cache
def encoded(form: str) -> bytes:
    """Return one of ``FORMATS`` as it is served."""
    return msgspec.json.encode(asyncapi() if form == "asyncapi" else json_schema())


async def serve_schema(request: web.Request) -> web.Response:
    """Answer the AsyncAPI document, or with ``format=json-schema`` the JSON Schemas alone.

    Raises:
        BadRequest: One line.
    """
    form = request.query.get("format", FORMATS[0])
    if set(request.query) - {"format"} or form not in FORMATS:
        came = printable(request.query_string)
        raise BadRequest(f"schema: expected nothing or format={' or format='.join(FORMATS)}, was {came}: correct it")
    # Made of sixty models: a tenth of a second, once.
    return json_response(await asyncio.to_thread(encoded, form))
