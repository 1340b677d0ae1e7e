"""The remembered pairs: whole, private, and never a reason not to start."""

import json
import stat
from pathlib import Path

import pytest

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.watchlist import MAX_FILE_BYTES, MOST_PAIRS, Watchlist

FIRST = ("B-BTC_USDT",)
CHOSEN = ("B-ETH_USDT", "B-SOL_USDT")


def test_choice_is_remembered_and_goes_before_the_setting(tmp_path: Path) -> None:
    """Also an empty one; each mode has its own."""
    assert Watchlist(tmp_path, "live").load(FIRST) == FIRST
    Watchlist(tmp_path, "live").save(CHOSEN)
    assert Watchlist(tmp_path, "live").load(FIRST) == CHOSEN
    assert Watchlist(tmp_path, "demo").load(FIRST) == FIRST
    Watchlist(tmp_path, "live").save(())
    assert Watchlist(tmp_path, "live").load(FIRST) == ()


def test_T17_file_is_the_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """0600 from the first moment, replaced as a whole; a folder that is made is 0700."""
    folder = tmp_path / "data"
    chosen = Watchlist(folder, "live")
    for _ in range(2):
        chosen.save(CHOSEN)
    assert [path.name for path in folder.iterdir()] == ["market-live.json"]
    assert stat.S_IMODE(chosen.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pairs": 3}', "[" * 100_000, '{"pairs": ["' + "x" * MAX_FILE_BYTES + '"]}']
)
def test_file_that_cannot_be_read_is_as_none(tmp_path: Path, text: str) -> None:
    """The feed starts with the setting."""
    chosen = Watchlist(tmp_path, "live")
    chosen.path.write_text(text, encoding="utf-8")
    assert chosen.load(FIRST) == FIRST


def test_names_that_are_no_pairs_are_left_out(tmp_path: Path) -> None:
    """Each once, a bounded number of them."""
    chosen = Watchlist(tmp_path, "live")
    many = [f"B-X{number}_USDT" for number in range(MOST_PAIRS + 5)]
    chosen.path.write_text(json.dumps({"pairs": ["../x", 5, None, "B-ETH_USDT", "B-ETH_USDT"]}), encoding="utf-8")
    assert chosen.load(FIRST) == ("B-ETH_USDT",)
    chosen.path.write_text(json.dumps({"pairs": many}), encoding="utf-8")
    assert len(chosen.load(FIRST)) == MOST_PAIRS


def test_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The choice in force stays what it was."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be kept") as caught:
        Watchlist(tmp_path / "file", "live").save(CHOSEN)
    assert "\n" not in str(caught.value)
