"""Close codes as data: what each means and whether the client may come back. The README prints this table."""

from enum import IntEnum
from typing import Final, NamedTuple


class CloseCode(IntEnum):
    """Codes this server closes a WebSocket with."""

    SHUTDOWN = 1001
    PROTOCOL = 1002
    BINARY = 1003
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    SLOW = 4001
    TOO_FAST = 4002
    IDLE = 4003
    UNAUTHORIZED = 4500
    EXPIRED = 4502


class Meaning(NamedTuple):
    code: CloseCode
    reason: str
    """Sent in the close frame, at most 123 bytes; 1002, 1007 and 1009 mostly travel without one."""
    cause: str


MEANINGS: Final = (
    Meaning(CloseCode.SHUTDOWN, "shutdown", "the server stops"),
    Meaning(
        CloseCode.PROTOCOL, "protocol error", "the client broke the WebSocket protocol, or sent frames without a mask"
    ),
    Meaning(CloseCode.BINARY, "expected text, was binary", "the client sent a binary message"),
    Meaning(CloseCode.NOT_UTF8, "expected UTF-8", "the client sent text that is not UTF-8"),
    Meaning(
        CloseCode.TOO_BIG,
        "expected at most 64 KiB",
        "the client sent a message above 64 KiB or of more than 128 fragments",
    ),
    Meaning(
        CloseCode.SLOW,
        "slow: read faster, or ask for fewer types",
        "more than 1 MiB unsent at once, or more than 256 KiB for longer than 5 s",
    ),
    Meaning(
        CloseCode.TOO_FAST,
        "too fast: at most 20 messages a second",
        "more than 20 messages, pings and pongs in a second, or more than 1,000 frames",
    ),
    Meaning(CloseCode.IDLE, "idle: pings were not answered", "no pong for 60 s"),
    Meaning(
        CloseCode.UNAUTHORIZED,
        'unauthorised: send {"action":"auth","token":"..."} first',
        "a token is configured; the first message within 10 s was not the right one, or more was asked than it allows",
    ),
    Meaning(CloseCode.EXPIRED, "expired: get a new token", "the time of the signed token or of its ticket is over"),
)

REASONS: Final = {meaning.code: meaning.reason for meaning in MEANINGS}


def may_return(code: int) -> bool:
    """Tell whether a client that was closed with this code may connect again (4500 to 4999 may not)."""
    return not 4500 <= code <= 4999


def markdown_table() -> str:
    """Return the table of close codes for the README, with a final line break."""
    lines = ["| code | cause | may the client come back? |", "|---|---|---|"]
    lines += [f"| {meaning.code} | {meaning.cause} | {_duty(meaning.code)} |" for meaning in MEANINGS]
    return "\n".join(lines) + "\n"


def _duty(code: int) -> str:
    return "yes, with back-off and `since`" if may_return(code) else "no, not with the same request"
