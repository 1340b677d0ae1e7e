"""The README says what the code does: commands, close codes, settings and promises."""

import re
from pathlib import Path

import pytest

from coindcx_feed.settings import PREFIX, Settings
from coindcx_feed.sidecar.codes import markdown_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("command", ["pip install -e . && streamlit run app.py", "pip install -e '.[test]' && pytest"])
def test_the_two_commands_stand_alone_on_their_line(command: str) -> None:
    """CI runs the second one as it is written here."""
    assert README.splitlines().count(command) == 1


def test_close_codes_are_those_of_the_code() -> None:
    """The table is generated."""
    assert markdown_table() in README


def test_every_setting_is_described_and_no_other() -> None:
    """The names in the settings table are the fields of the model."""
    table = README.partition("## Settings")[2].partition("##")[0]
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", table))
    assert named == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_promises_name_tests_that_exist() -> None:
    """A promise without its test is not printed."""
    promises = README.partition("## Promises")[2].partition("##")[0]
    named = re.findall(r"`(test_\w+)`", promises)
    assert len(named) >= 8
    assert [name for name in named if f"def {name}(" not in TESTS] == []


ROWS = [
    *(f"F{number:02}" for number in range(1, 23)),
    *(f"F{number}" for number in range(26, 32)),
    *(f"T{number:02}" for number in (*range(1, 13), 15, 16, 23, 24)),
]


def _reliability() -> list[list[str]]:
    table = README.partition("## Reliability")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line[:3] in ("| F", "| T")
    ]


def test_reliability_has_one_line_per_row_with_figure_and_date() -> None:
    """Every row of the fault matrix that this project reached, once, in order."""
    table = _reliability()
    assert [cells[0] for cells in table] == ROWS
    for cells in table:
        assert all(cells), cells
        assert re.fullmatch(r"2026-\d\d-\d\d", cells[4]), cells


def test_reliability_names_tests_that_exist_and_carry_their_row() -> None:
    """A figure without its test is not printed."""
    for row, _, tests, *_ in _reliability():
        names = re.findall(r"`(test_\w+)`", tests)
        assert names, row
        assert [name for name in names if f"def {name}(" not in TESTS or row not in name] == []


def test_screenshot_is_there_and_small() -> None:
    """At most 300 KB."""
    path = ROOT / re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)[0]
    assert 10_000 < path.stat().st_size <= 300_000
