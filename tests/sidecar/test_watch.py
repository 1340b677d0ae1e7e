"""Heads of frames: what ends a connection before aiohttp's reader sees it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sidecar.helpers import masked

from coindcx_feed.sidecar.codes import CloseCode
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.watch import FrameWatch

TEXT, MORE, PING, PONG = 0x1, 0x0, 0x9, 0xA


def watch(fragments: int = 4, frames_per_s: int = 1000, messages_per_s: int = 500) -> FrameWatch:
    return FrameWatch(Limits(fragments=fragments, frames_per_s=frames_per_s, messages_per_s=messages_per_s))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_masked_frames_of_every_length_form_pass(size: int) -> None:
    """In one piece and byte by byte, one after the other."""
    data = masked(TEXT, b"x" * size) * 3
    assert watch().feed(data, 0.0) is None
    if size < 1000:
        slow = watch()
        assert [slow.feed(data[at : at + 1], 0.0) for at in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize("frame", [b"\x81\x00", b"\x81\x05hello", b"\x81\x7e\x00\x80" + b"x" * 128, b"\x89\x00"])
def test_T08_a_frame_without_a_mask_is_against_the_protocol(frame: bytes) -> None:
    """Also after good ones, and when it comes in pieces."""
    assert watch().feed(frame, 0.0) is CloseCode.PROTOCOL
    assert watch().feed(masked(TEXT, b"x") + frame, 0.0) is CloseCode.PROTOCOL
    slow = watch()
    assert slow.feed(masked(TEXT, b"x") + frame[:1], 0.0) is None
    assert slow.feed(frame[1:2], 0.0) is CloseCode.PROTOCOL


@pytest.mark.parametrize("payload", [b"", b"x"])
def test_T08_fragments_of_a_message_are_counted(payload: bytes) -> None:
    """Empty ones too, which have no bytes to count; pings between them change nothing; the next message begins anew."""
    watched = watch(fragments=4)
    parts = [masked(TEXT, payload, is_final=False), *[masked(MORE, payload, is_final=False)] * 2, masked(MORE, payload)]
    for _ in range(3):
        assert watched.feed(masked(PING, b"").join(parts), 0.0) is None
    assert watched.feed(parts[0] + parts[1] * 3, 0.0) is None
    assert watched.feed(parts[1], 0.0) is CloseCode.TOO_BIG


def test_T09_frames_of_any_kind_are_counted_per_second() -> None:
    """Those of one piece stop at the limit instead of being read to the end."""
    watched = watch(frames_per_s=10)
    part = masked(MORE, b"", is_final=False)
    assert watched.feed(masked(TEXT, b"", is_final=False) + part * 2 + masked(PONG, b"") * 7, 0.0) is None
    assert watched.feed(masked(PONG, b"") * 10, 1.0) is None
    assert watched.feed(masked(PONG, b"") * 10_000, 1.5) is CloseCode.TOO_FAST


@pytest.mark.parametrize("message", [masked(TEXT, b"abc"), masked(PING, b"abc"), masked(PONG, b"")])
def test_T09_messages_are_counted_over_the_last_second(message: bytes) -> None:
    """What came before the one too many is told, so that it can be answered; a goodbye is never too many."""
    watched = watch(messages_per_s=4)
    assert watched.feed(message * 4, 0.0) is None
    assert watched.feed(masked(0x8, b""), 0.0) is None
    assert watched.feed(message[:3], 0.5) is None
    assert watched.feed(message[3:] + message * 3, 1.0) is None
    assert watched.feed(message[:1], 1.9) is None
    assert watched.feed(message[1:] + message, 1.9) is CloseCode.TOO_FAST
    assert watched.good_bytes == 0
    fresh = watch(messages_per_s=4)
    assert fresh.feed(message * 1000, 0.0) is CloseCode.TOO_FAST
    assert fresh.good_bytes == 4 * len(message)


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 50))
def test_the_way_bytes_are_cut_changes_nothing(payloads: list[bytes], step: int) -> None:
    """Heads and payloads arrive in any pieces."""
    data = b"".join(masked(TEXT, payload) for payload in payloads)
    watched = watch()
    assert all(watched.feed(data[at : at + step], 0.0) is None for at in range(0, len(data), step))
    assert watched.feed(b"\x81\x00", 0.0) is CloseCode.PROTOCOL


@given(st.binary(max_size=2000))
def test_T10_any_bytes_are_read_without_an_error(data: bytes) -> None:
    """And without keeping more than a head."""
    watched = watch()
    if watched.feed(data, 0.0) is None:
        assert len(watched._head) < 14
