"""Frames as a client's parser reads them."""

import pytest

from coindcx_feed.sidecar.frames import PING_FRAME, close_frame, pong_frame, text_frame, text_frames


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_length_uses_the_shortest_form(size: int, head: str) -> None:
    """RFC 6455 has three forms and demands the shortest."""
    frame = text_frame(b"x" * size)
    assert frame == bytes.fromhex(head) + b"x" * size


def test_many_texts_become_consecutive_frames() -> None:
    """One write may carry many events, each its own frame."""
    assert text_frames([b"a", b"bc"]) == b"\x81\x01a\x81\x02bc"
    assert text_frames([]) == b""


def test_control_frames() -> None:
    """A ping is empty, a pong repeats its ping, a close carries code and reason."""
    assert close_frame(1000) == b"\x88\x02\x03\xe8"
    assert close_frame(4001, b"slow") == b"\x88\x06\x0f\xa1slow"
    assert PING_FRAME == b"\x89\x00"
    assert pong_frame(b"hi") == b"\x8a\x02hi"
