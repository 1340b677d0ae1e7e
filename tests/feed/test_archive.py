"""The durable log as readers of the ring see it."""

from pathlib import Path

from store.made import EPOCH, fill, made, opened, url_of

from coindcx_feed.feed.archive import Archive
from coindcx_feed.feed.columns import Looked


def test_F16_a_log_that_was_empty_at_the_start_is_read_on_from_its_first_event(tmp_path: Path) -> None:
    """The first run of a feed, too, outgrows its memory: no client may be told that it missed what is stored."""
    log = opened(url_of(tmp_path))
    archive = Archive(log)
    assert archive.oldest == 0
    fill(log, made(30))
    assert archive.oldest == 1
    assert [row[0] for row in archive.bodies(0, 10, 30)] == list(range(1, 11))
    archive.refresh()
    assert (archive.oldest, archive.epochs) == (1, [(1, EPOCH)])
    log.close()


def test_bodies_tell_what_filters_look_at_when_asked(tmp_path: Path) -> None:
    """The same envelopes either way."""
    log = opened(url_of(tmp_path))
    events = made(20)
    fill(log, events)
    plain, looked = (Archive(log).bodies(0, 20, 20, is_looked_at=flag) for flag in (False, True))
    assert [row[:4] for row in plain] == [row[:4] for row in looked]
    assert [row[4] for row in plain] == [None] * 20
    assert [str(row[4]) for row in looked] == [str(Looked.of(event.facts)) for event in events]
    log.close()
