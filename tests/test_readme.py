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


def test_screenshot_is_there_and_small() -> None:
    """At most 300 KB."""
    path = ROOT / re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)[0]
    assert 10_000 < path.stat().st_size <= 300_000
