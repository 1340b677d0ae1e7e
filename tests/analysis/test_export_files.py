"""Files of an export appear complete or not at all, and never replace another."""

from pathlib import Path

import pytest

from coindcx_feed.analysis.export_files import beside_or_nothing, finishing, meta_path_of, reserve, reserve_path
from coindcx_feed.errors import ConfigError


def test_names_count_up_past_files_and_descriptions(tmp_path: Path) -> None:
    """A description left behind by a removed export keeps its name, too."""
    (tmp_path / "a.csv").touch()
    (tmp_path / "a-2.csv.meta.json").touch()
    path, descriptor = reserve(tmp_path, "a", "csv")
    with finishing(path, descriptor) as file:
        file.write(b"x")
    assert path.name == "a-3.csv"
    assert path.read_bytes() == b"x"


def test_a_name_taken_while_writing_stays_what_it_is(tmp_path: Path) -> None:
    """Whoever came first keeps the name; our description goes as well."""
    path, descriptor = reserve_path(tmp_path / "a.csv")
    meta_path_of(path).write_text("ours")

    def write() -> None:
        with beside_or_nothing(path), finishing(path, descriptor) as file:
            file.write(b"ours")
            path.write_text("theirs")

    with pytest.raises(ConfigError, match="expected a name that is free"):
        write()
    assert path.read_text() == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: no file, no unfinished one."""
    path, descriptor = reserve_path(tmp_path / "a.csv")

    def write() -> None:
        with finishing(path, descriptor) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_points_nowhere_is_taken(tmp_path: Path) -> None:
    """Writing through it would create a file somewhere else."""
    (tmp_path / "a.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="expected a name that is free"):
        reserve_path(tmp_path / "a.csv")
