"""The log: one line per event, nothing secret, owner only, bounded."""

import json
import logging
import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed import logs
from coindcx_feed.errors import ConfigError
from coindcx_feed.logs import OneLine, RecentLines, log_path, start_logging, stop_logging

SECRETS = ["canary-api-key", 'canary\'secret\\with "signs"']
log = logging.getLogger("coindcx_feed.test")


@pytest.fixture
def recent(tmp_path: Path) -> Iterator[RecentLines]:
    yield start_logging(tmp_path / "data", SECRETS)
    stop_logging()


def _file_lines(tmp_path: Path) -> list[str]:
    return log_path(tmp_path / "data").read_text(encoding="utf-8").split("\n")


def _formatted(message: str, *arguments: object, secrets: tuple[str, ...] = ()) -> str:
    record = logging.LogRecord("coindcx_feed.test", logging.INFO, "file", 1, message, arguments, None)
    return OneLine(list(secrets)).format(record)


def test_line_has_time_level_logger_and_message(recent: RecentLines, tmp_path: Path) -> None:
    """In the file and in memory alike."""
    log.info("upstream state=%s", "live")
    line, end = _file_lines(tmp_path)
    assert line.endswith("INFO coindcx_feed.test upstream state=live")
    assert end == ""
    assert recent.lines() == [line]


@settings(deadline=None)
@given(st.text())
def test_T15_one_event_is_one_line_of_visible_characters(text: str) -> None:
    """Newlines, ANSI codes, line separators and C1 controls of the feed are escaped."""
    line = _formatted("said %s", text)
    assert len(line.splitlines()) == 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)


def test_T15_traceback_is_one_line_too(recent: RecentLines, tmp_path: Path) -> None:
    """An exception cannot forge a second event."""
    try:
        raise ValueError("first\n2026-01-01 00:00:00 INFO forged")
    except ValueError:
        log.exception("failure")
    lines = _file_lines(tmp_path)
    assert len(lines) == 2
    assert "ValueError: first\\n2026" in lines[0]


def test_T15_text_that_is_no_unicode_is_escaped_and_kept(recent: RecentLines, tmp_path: Path) -> None:
    """A lone surrogate of a bad frame does not break the handler."""
    log.warning("reason %s", "\ud800")
    assert "reason \\ud800" in _file_lines(tmp_path)[0]


@pytest.mark.parametrize("secret", SECRETS)
def test_T16_secret_is_cut_out_in_every_form(secret: str, recent: RecentLines, tmp_path: Path) -> None:
    """Plain, as repr, in a dictionary, as JSON, in an address and in an exception."""
    log.info("plain %s", secret)
    log.info("repr %r in %s", secret, {"key": secret})
    log.info("json %s", json.dumps({"key": secret}))
    log.info("url http://host/?key=%s", urllib.parse.quote(secret, safe=""))
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("failure")
    written = "\n".join(_file_lines(tmp_path) + recent.lines())
    assert written.count("[redacted]") == 2 * 6
    assert "canary" not in written


def test_T16_secret_that_begins_with_another_is_cut_out_whole() -> None:
    """The longer one first, or its end would stay."""
    assert _formatted("a canary-longer b", secrets=("canary", "canary-longer")).endswith(" a [redacted] b")


@pytest.mark.parametrize("before", ["", "0x", "signature_", "sig=", "Z", '"'])
def test_T16_signature_like_hex_is_cut_out_wherever_it_stands(before: str) -> None:
    """The join's signature is constant and replayable: 64 hex digits never reach a log."""
    signature = "5f" * 32
    line = _formatted(f"sent {before}{signature}z and {signature.upper()}")
    assert signature not in line.lower()
    assert line.count("[redacted]") == 2


def test_ids_are_not_taken_for_secrets() -> None:
    """A UUID and an epoch stay readable."""
    text = "order 0fa0554d-a61d-4ec1-a0fe-014248535f29 epoch 20261001T000000-deadbeef"
    assert _formatted(text).endswith(text)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_T17_files_are_0600_in_folders_0700_also_after_rotation(
    recent: RecentLines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask says."""
    (handler,) = [
        found for found in logging.getLogger("coindcx_feed").handlers if isinstance(found, logging.FileHandler)
    ]
    monkeypatch.setattr(handler, "maxBytes", 500)
    for number in range(100):
        log.info("line %d %s", number, "x" * 50)
    files = list(log_path(tmp_path / "data").parent.iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    folders = [tmp_path / "data", tmp_path / "data" / "logs"]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_C8_log_is_bounded_to_five_files_of_five_megabytes(
    recent: RecentLines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest line is always there, the oldest files go."""
    assert (logs.FILE_BYTES, logs.FILE_COUNT) == (5_000_000, 5)
    (handler,) = [
        found for found in logging.getLogger("coindcx_feed").handlers if isinstance(found, logging.FileHandler)
    ]
    monkeypatch.setattr(handler, "maxBytes", 500)
    for number in range(200):
        log.info("line %d %s", number, "x" * 50)
    files = sorted(log_path(tmp_path / "data").parent.iterdir())
    assert [path.name for path in files] == ["coindcx-feed.log", *(f"coindcx-feed.log.{n}" for n in range(1, 5))]
    assert all(path.stat().st_size <= 500 for path in files)
    assert "line 199 " in files[0].read_text(encoding="utf-8")
    assert len(recent.lines()) == 200


def test_C8_lines_in_memory_are_bounded(recent: RecentLines) -> None:
    """The Feed page shows the newest."""
    for number in range(logs.RECENT_LINES + 50):
        log.info("line %d", number)
    assert len(recent.lines()) == logs.RECENT_LINES
    assert recent.lines()[-1].endswith(f"line {logs.RECENT_LINES + 49}")


def test_debug_lines_are_not_written(recent: RecentLines) -> None:
    """Levels go by who must act."""
    log.debug("noise")
    assert recent.lines() == []


def test_starting_again_replaces_the_handlers(recent: RecentLines, tmp_path: Path) -> None:
    """After a hot reload one event is still one line."""
    again = start_logging(tmp_path / "data", SECRETS)
    log.info("once")
    assert len(again.lines()) == 1
    assert recent.lines() == []
    assert len(_file_lines(tmp_path)) == 2


def test_log_goes_on_in_the_file_of_the_run_before(tmp_path: Path) -> None:
    """A restart does not erase what led to it."""
    for run in ("first", "second"):
        start_logging(tmp_path / "data", [])
        log.info("%s run", run)
        stop_logging()
    assert [line.rpartition("test ")[2] for line in _file_lines(tmp_path)] == ["first run", "second run", ""]


def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the folder and the setting."""
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"data cannot be written \(.*\): set COINDCX_DATA_DIR"):
        start_logging(tmp_path / "data", [])


@settings(deadline=None)
@given(st.text(min_size=8).filter(lambda text: text.isprintable()), st.text())
def test_T16_any_printable_secret_is_never_written(secret: str, around: str) -> None:
    """Property over secrets: plain and as repr."""
    marked = f"<{secret}>"
    line = _formatted("%s %s %r", around.replace(marked, ""), marked, [marked], secrets=(marked,))
    assert marked not in line
    assert repr(marked)[1:-1] not in line


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("GET /api/v1/ws/coindcx?ticket=Zq3-_x9&types=order", "GET /api/v1/ws/coindcx?ticket=[redacted]&types=order"),
        ("?Token=abc HTTP/1.1", "?Token=[redacted] HTTP/1.1"),
        ("{'Authorization': 'Bearer canary-9f3c1b7a'}", "{'Authorization': 'Bearer [redacted]'}"),
        ("was eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl, wrong", "was [redacted], wrong"),
        ("expected Authorization: Bearer TOKEN, was none", "expected Authorization: Bearer TOKEN, was none"),
        ("kind=token reason=x", "kind=token reason=x"),
    ],
)
def test_T16_credentials_nobody_configured_are_redacted(said: str, written: str) -> None:
    """Tickets and signed tokens are made as the process runs: they are known by where they stand and how they begin."""
    assert written in _formatted("%s", said)
