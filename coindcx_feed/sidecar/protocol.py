"""Messages to and from one client: greeting, keep-alive, errors, resume answers. Pure; none has a ``seq``."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from coindcx_feed.errors import BadRequest
from coindcx_feed.events import iso_ms, new_id
from coindcx_feed.sidecar import contract
from coindcx_feed.sidecar.subscription import ANSWERS, Action, Change

_EXPECTED: Final = 'expected ping or {"action":"subscribe"|"unsubscribe"|"resume"|"auth",...}'
_ACTIONS: Final[Mapping[str, Action]] = {action: action for action in ANSWERS}


@dataclass(frozen=True)
class Auth:
    """A client's proof; never printed."""

    token: str = field(repr=False)


class _Message(msgspec.Struct):
    type: str | None = None
    action: str | None = None
    token: str | None = None


def greeting(*, is_connected: bool, mode: str, epoch: str, seq: int) -> bytes:
    """Build the first message of a connection. ``seq`` is the newest number, 0 when there is none."""
    data: contract.GreetingData = {
        "message": contract.GREETING,
        "coindcx_connected": is_connected,
        "mode": mode,
        "epoch": epoch,
        "seq": seq,
    }
    return _system(data)


def resume_gap(missed_from: int | None, missed_to: int | None, reason: str) -> bytes:
    """Say which events a client will not get. ``None`` where the number is not known."""
    data: contract.ResumeGapData = {
        "message": "resume_gap",
        "recovered": False,
        "missed_from": missed_from,
        "missed_to": missed_to,
        "reason": reason,
    }
    return _system(data)


def epoch_changed(epoch: str, first_seq: int) -> bytes:
    """Say that the events from a number on belong to another series."""
    return _system(contract.EpochChangedData(message="epoch_changed", epoch=epoch, first_seq=first_seq))


def error(message: str) -> bytes:
    """Answer a message that was not understood."""
    return msgspec.json.encode(contract.Error(type="error", data={"message": message}))


def changed(kind: str, subscription: Mapping[str, object], seq: int, epoch: str) -> bytes:
    """Answer a change: what follows are the events after ``seq`` that the whole subscription lets through."""
    return msgspec.json.encode({"type": kind, "data": {**subscription, "seq": seq, "epoch": epoch}})


def ping() -> bytes:
    return msgspec.json.encode(contract.KeepAlive(type="ping", timestamp=iso_ms(time.time_ns())))


def pong() -> bytes:
    return msgspec.json.encode(contract.KeepAlive(type="pong", timestamp=iso_ms(time.time_ns())))


def parse_message(text: str) -> Literal["ping", "pong"] | Auth | Change:
    """Read what a client said. ``ping`` and ``pong`` are accepted as plain words and as JSON with that type.

    Raises:
        BadRequest: What was expected; repeats no value of the text, which may be a token.
    """
    word = text.strip()
    if word in ("ping", "pong"):
        return "ping" if word == "ping" else "pong"
    try:
        message = msgspec.json.decode(text, type=_Message)
        action = _ACTIONS.get(message.action or "")
        whole = None if action is None else msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.ValidationError:
        raise BadRequest(f"{_EXPECTED}, was JSON of another shape") from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f"{_EXPECTED}, was not JSON") from None
    if message.action == "auth" and message.token is not None:
        return Auth(message.token)
    if action is not None and whole is not None:
        return Change.parse(action, whole)
    if message.type in ("ping", "pong"):
        return "ping" if message.type == "ping" else "pong"
    raise BadRequest(f"{_EXPECTED}, was JSON of another kind")


def _system(data: contract.GreetingData | contract.ResumeGapData | contract.EpochChangedData) -> bytes:
    return msgspec.json.encode({"id": new_id(), "timestamp": iso_ms(time.time_ns()), "type": "system", "data": data})
