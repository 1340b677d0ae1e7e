"""``coindcx-feed export`` and ``rebuild`` as a user runs them: files complete or not there, one line otherwise."""

import csv
import json
import sys
from pathlib import Path

import pytest
from fakes.past import EVENTS, fill_log
from pyarrow import parquet

from coindcx_feed import cli
from coindcx_feed.feed.keeping import store_url
from coindcx_feed.feed.runtime import account_name
from coindcx_feed.settings import load_settings
from coindcx_feed.store.log import EventStore


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, with the demo's log of two days in the data folder."""
    monkeypatch.setenv("COINDCX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COINDCX_MODE", "demo")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    settings = load_settings()
    url = store_url(settings, account_name(settings))
    assert url is not None
    log = EventStore.open(url, mode="demo", account=account_name(settings))
    fill_log(log)
    log.close()
    return tmp_path / "work"


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["coindcx-feed", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_written_under_a_name_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated account shows in the name; the description stands beside."""
    assert _run(monkeypatch, "export") == 0
    data, meta = _names(folder)
    assert data.startswith("DEMO-coindcx-events-")
    assert meta == f"{data}.meta.json"
    assert [row["seq"] for row in _rows(folder / data)] == [str(event.seq) for event in EVENTS]
    told = json.loads((folder / meta).read_text(encoding="utf-8"))
    assert (told["mode"], told["counts"]["rows"], [gap["cause"] for gap in told["gaps"]]) == (
        "demo", len(EVENTS), ["socket closed"],
    )  # fmt: skip


def test_range_and_filters_choose_the_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are UTC where they name no zone; the end is not included."""
    out = folder / "DEMO-day.csv"
    words = ("--from", "2026-11-21T10:01", "--to", "2026-11-22", "--types", "order,fill", "--out", str(out))
    assert _run(monkeypatch, "export", *words) == 0
    assert [row["seq"] for row in _rows(out)] == ["3", "4", "5"]
    zoned = folder / "DEMO-zoned.csv"
    words = ("--from", "2026-11-21T15:31+05:30", "--to", "2026-11-22T05:30+05:30", "--types", "order,fill")
    assert _run(monkeypatch, "export", *words, "--out", str(zoned)) == 0
    assert zoned.read_bytes() == out.read_bytes()
    more = folder / "DEMO-more.csv"
    chosen = ("--pairs", "B-ETH_USDT", "--statuses", "filled", "--search", "FILLED", "--price-min", "2900")
    assert _run(monkeypatch, "export", *chosen, "--out", str(more)) == 0
    assert [row["seq"] for row in _rows(more)] == ["3"]


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_other_forms_hold_the_same_events(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """JSON is the envelopes byte for byte, Parquet the cells of the CSV."""
    out = folder / f"DEMO-all.{kind}"
    assert _run(monkeypatch, "export", "--format", kind, "--out", str(out)) == 0
    if kind == "json":
        assert out.read_bytes() == b"[\n" + b",\n".join(event.body for event in EVENTS) + b"\n]\n"
    else:
        assert parquet.read_table(out)["seq"].to_pylist() == [event.seq for event in EVENTS]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--from", "2026-11-22", "--to", "2026-11-21"), "--to: expected a time after --from 2026-11-22"),
        (("--from", "yesterday"), "--from: expected a time such as 2026-11-22"),
        (("--format", "xlsx"), "--format: expected csv, json or parquet, was 'xlsx'"),
        (("--types", "cats"), "types: expected some of order, position, balance"),
        (("--price-min", "cheap"), "price_min: expected a plain number"),
        (("--store", "mysql://host/base"), "store: expected sqlite:///PATH or postgresql://"),
        (("--store", "sqlite:///nothing-here.sqlite"), "store: expected a log, was nothing"),
        (("--out", "plain.csv"), "expected a name that begins with DEMO- in demo mode, was plain.csv"),
        (("--out", "no-such-folder/DEMO-x.csv"), "export: expected to write into no-such-folder, was refused"),
    ],
)
def test_bad_input_is_one_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], line: str
) -> None:
    """Nothing is written, and the exit code tells."""
    assert _run(monkeypatch, "export", *words) in (1, 2)
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert line in told[0]
    assert _names(folder) == []


@pytest.mark.parametrize("taken", ["DEMO-x.csv", "DEMO-x.csv.meta.json"])
def test_T17_what_is_there_is_never_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], taken: str
) -> None:
    """Neither the file nor the description of an earlier one."""
    (folder / taken).write_text("mine")
    assert _run(monkeypatch, "export", "--out", "DEMO-x.csv") == 2
    assert "expected a name that is free" in capsys.readouterr().err
    assert _names(folder) == [taken]
    assert (folder / taken).read_text() == "mine"


def test_no_durable_log_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With COINDCX_STORE_URL=none there is nothing to export."""
    monkeypatch.setenv("COINDCX_STORE_URL", "none")
    assert _run(monkeypatch, "export") == 2
    assert "expected a durable log, was none" in capsys.readouterr().err
    assert _names(folder) == []


def test_rebuild_makes_the_sums_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The events stay; a log that is not there is not begun."""
    assert _run(monkeypatch, "rebuild") == 0
    assert "events 1 to 12 made anew" in capsys.readouterr().err
    assert _run(monkeypatch, "rebuild", "--store", "sqlite:///nothing-here.sqlite") == 2
    assert _names(folder) == []
