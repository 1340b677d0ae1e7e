"""The book of rules: one private file, whole or not at all, and what is not understood is kept aside."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from alerts.helpers import rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coindcx_feed.alerts.book import FILE_NAME, MAX_RULES, Book, is_built_in
from coindcx_feed.alerts.rules import BUILT_IN
from coindcx_feed.errors import BadRequest, ConfigError


def aside(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in folder.glob("alerts-refused-*.json")]


def test_without_a_file_the_built_in_rules_stand(tmp_path: Path) -> None:
    """And nothing is written before something is changed."""
    book = Book(tmp_path / "new")
    assert (book.content.rules, book.note) == (BUILT_IN, None)
    assert not (tmp_path / "new").exists()


def test_what_was_saved_is_there_in_the_next_process(tmp_path: Path) -> None:
    """In its place, for its owner only, with nothing left beside it."""
    book = Book(tmp_path)
    changed = BUILT_IN[1].model_copy(update={"enabled": False})
    book.save(changed)
    book.save(rule(id="own-1", name="Größe · 数量"))
    book.set_quiet(0, {"start": "22:00", "end": "07:00", "zone": "Asia/Kolkata"})
    again = Book(tmp_path)
    assert again.content == book.content
    assert [known.id for known in again.content.rules] == [*(known.id for known in BUILT_IN), "own-1"]
    assert again.content.rules[1] == changed
    assert stat.S_IMODE(os.stat(tmp_path / FILE_NAME).st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_removing_deletes_an_own_rule_and_resets_a_built_in_one(tmp_path: Path) -> None:
    """What is built in cannot be lost."""
    book = Book(tmp_path)
    book.save(BUILT_IN[0].model_copy(update={"name": "Changed"}))
    book.save(rule(id=book.free_id()))
    assert book.free_id() == "own-2"
    book.remove("own-1")
    book.remove(BUILT_IN[0].id)
    assert book.content.rules == BUILT_IN
    assert all(map(is_built_in, book.content.rules))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "rules": []}', '{"version": 1, "rules": {}}', "\ud800", "[" * 100_000]
)
def test_broken_file_is_kept_aside_and_said(tmp_path: Path, text: str) -> None:
    """The built-in rules stand; nothing that somebody wrote is lost."""
    raw = text.encode("utf-8", "surrogatepass")
    (tmp_path / FILE_NAME).write_bytes(raw)
    book = Book(tmp_path)
    assert book.content.rules == BUILT_IN
    assert "was not understood" in str(book.note)
    (kept,) = tmp_path.glob("alerts-refused-*.json")
    assert kept.read_bytes() == raw
    assert kept.name in str(book.note)


def test_one_bad_rule_costs_only_itself(tmp_path: Path) -> None:
    """The good ones stay, also after the next start; the file as it was is kept."""
    good, bad = rule(id="own-1").to_mapping(), rule(id="own-2").to_mapping() | {"subject": "nonsense"}
    text = json.dumps({"version": 1, "group_s": 5, "quiet": None, "rules": [good, bad]})
    (tmp_path / FILE_NAME).write_text(text)
    book = Book(tmp_path)
    assert [known.id for known in book.content.rules if not is_built_in(known)] == ["own-1"]
    assert book.content.group_s == 5
    assert "own-2" in str(book.note)
    assert aside(tmp_path) == [text]
    assert Book(tmp_path).content == book.content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["version", "rules", "quiet", "group_s"]), inner)
        ),
    )
)
def test_any_json_file_gives_a_book(tmp_path: Path, data: Any) -> None:
    """Never an exception: rules, and a note where something was refused."""
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    book = Book(tmp_path)
    assert {known.id for known in BUILT_IN} <= {known.id for known in book.content.rules}
    for path in tmp_path.iterdir():
        path.unlink()


def test_locked_book_is_read_and_never_written(tmp_path: Path) -> None:
    """Another process owns the feed, or this is a replay."""
    Book(tmp_path).save(rule(id="own-1"))
    book = Book(tmp_path, "a replay raises no alerts")
    assert book.rule("own-1") is not None
    with pytest.raises(BadRequest, match="cannot be changed here: a replay"):
        book.save(rule(id="own-2"))
    (tmp_path / FILE_NAME).write_text("{")
    broken = Book(tmp_path, "a replay raises no alerts")
    assert broken.content.rules == BUILT_IN
    assert aside(tmp_path) == []


def test_book_is_bounded(tmp_path: Path) -> None:
    """Each rule costs a look every second."""
    rules = [rule(id=f"own-{number}").to_mapping() for number in range(MAX_RULES - len(BUILT_IN))]
    data = {"version": 1, "group_s": 60, "quiet": None, "rules": [*rules, *(known.to_mapping() for known in BUILT_IN)]}
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    book = Book(tmp_path)
    assert len(book.content.rules) == MAX_RULES
    with pytest.raises(BadRequest, match="at most 200"):
        book.save(rule(id="one-more"))


@pytest.mark.parametrize(
    ("group_s", "quiet", "line"),
    [
        (-1, None, "group_s"),
        (60, {"start": "x", "end": "07:00"}, "quiet.start"),
        (60, {"start": "22:00"}, "quiet.end"),
    ],
)
def test_hours_that_are_not_understood_are_refused(tmp_path: Path, group_s: int, quiet: Any, line: str) -> None:
    """One line; the book stays as it was."""
    book = Book(tmp_path)
    with pytest.raises(BadRequest, match=line):
        book.set_quiet(group_s, quiet)
    assert book.content.quiet is None


def test_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """And the change did not happen."""
    (tmp_path / "file").write_text("")
    book = Book(tmp_path / "file" / "folder")
    with pytest.raises(ConfigError, match="expected a folder that can be written"):
        book.save(rule(id="own-1"))
    assert book.rule("own-1") is None
