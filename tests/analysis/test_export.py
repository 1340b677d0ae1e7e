"""Exports: every matching event, exact, as of one number, in files that only we name."""

import csv
import json
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from analysis.helpers import EPOCH, fill, new_event, new_ring
from fakes.frames import balance, order, position, rows
from fakes.pipelines import feed, new_pipeline

from coindcx_feed.analysis import export
from coindcx_feed.analysis.cells import COLUMNS
from coindcx_feed.analysis.csv_lines import EventLines
from coindcx_feed.analysis.export import export_events
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.record_lines import full_columns
from coindcx_feed.errors import BadRequest, ConfigError
from coindcx_feed.feed.ring import Ring

ALL = EventFilter()
NAME = re.compile(r"coindcx-(events|orders|positions|balances|fills)-\d{8}T\d{6}Z(-\d+)?\.(csv|json)")


@pytest.fixture
def ring() -> Ring:
    """Ten orders, a position, a balance and a system event."""
    orders = [("order", order(f"o-{seq}", status="open" if seq % 2 else "filled")) for seq in range(10)]
    note = ("system", {"message": "gap of 3 s", "state": "live"})
    return new_ring(*orders, ("position", position()), ("balance", balance()), note)


def table(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file, strict=True)
    return [dict(zip(header, row, strict=True)) for row in found]


def meta(result: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(result["meta_path"]).read_text(encoding="utf-8"))
    return content


def test_csv_holds_every_matching_event(ring: Ring, tmp_path: Path) -> None:
    """All events stand there, oldest first, under the agreed header, without any other line."""
    result = export_events(ring, ALL, "csv", tmp_path, mode="live")
    found = table(result["path"])
    assert tuple(found[0]) == COLUMNS
    assert [row["seq"] for row in found] == [str(seq) for seq in range(1, 14)]
    assert {row["epoch"] for row in found} == {EPOCH}
    assert (result["rows"], found[-1]["message"], found[-1]["type"]) == (13, "gap of 3 s", "system")
    assert Path(result["path"]).read_bytes().startswith(b"seq,epoch,")


def test_json_is_the_envelopes_byte_for_byte(ring: Ring, tmp_path: Path) -> None:
    """The array parses, and every envelope stands in it as clients got it."""
    result = export_events(ring, ALL, "json", tmp_path, mode="live")
    content = Path(result["path"]).read_bytes()
    assert [event["seq"] for event in json.loads(content)] == list(range(1, 14))
    assert content == b"[\n" + b",\n".join(ring.bodies_since(0, 100)) + b"\n]\n"
    assert result["name"].endswith(".json")


def test_the_golden_balance_is_exact_in_both(tmp_path: Path) -> None:
    """Digits that no binary float holds survive CSV and JSON."""
    golden = "1650841.59606695345873"
    ring = new_ring(("balance", balance(free=golden)))
    assert table(export_events(ring, ALL, "csv", tmp_path, mode="live")["path"])[0]["quantity"] == golden
    text = Path(export_events(ring, ALL, "json", tmp_path, mode="live")["path"]).read_text(encoding="utf-8")
    assert f'"balance":"{golden}"' in text or f'"balance": "{golden}"' in text


def test_filter_and_bounds_choose_the_rows(ring: Ring, tmp_path: Path) -> None:
    """Only matches between the cleared view and the number fixed at the click are written."""
    wanted = EventFilter.from_mapping({"types": ["order", "position"], "statuses": ["open"]})
    result = export_events(ring, wanted, "csv", tmp_path, mode="live", upto=8, after=2)
    assert [row["seq"] for row in table(result["path"])] == ["4", "6", "8"]
    found = meta(result)
    assert (found["upper_seq"], found["after_seq"], found["first_seq"], found["last_seq"]) == (8, 2, 4, 8)
    assert found["filter"] == {"types": ["order", "position"], "statuses": ["open"]}
    assert found["filter_text"] == "order, position · open"


def test_one_type_is_written_in_full(ring: Ring, tmp_path: Path) -> None:
    """A filter of one type with a full list gives every documented field of it."""
    result = export_events(ring, EventFilter(types=("order",)), "csv", tmp_path, mode="live")
    found = table(result["path"])
    assert tuple(found[0]) == full_columns("order")
    assert (len(found), found[0]["created_at"], found[0]["remaining_quantity"]) == (10, "1790000000000", "0.05")
    assert result["name"].startswith("coindcx-orders-")
    system = export_events(ring, EventFilter(types=("system",)), "csv", tmp_path, mode="live")
    assert tuple(table(system["path"])[0]) == COLUMNS


def test_fills_are_written_in_full(tmp_path: Path) -> None:
    """Fills from REST have their own list."""
    result = export_events(new_ring(("fill", fill())), EventFilter(types=("fill",)), "csv", tmp_path, mode="live")
    (row,) = table(result["path"])
    assert (row["fill_id"], row["fee_amount"], result["name"][:14]) == ("f-1", "0.296304962", "coindcx-fills-")


def test_description_tells_where_it_comes_from(ring: Ring, tmp_path: Path) -> None:
    """Mode, epoch, counts, gaps, versions and times stand beside the file."""
    gaps = [{"from_ms": 1.0, "to_ms": 2.5, "cause": "socket closed"}]
    result = export_events(ring, ALL, "csv", tmp_path, mode="custom", gaps=gaps)
    found = meta(result)
    assert result["meta_name"] == f"{result['name']}.meta.json"
    assert (found["mode"], found["epoch"], found["upper_seq"], found["file"]) == ("custom", EPOCH, 13, result["name"])
    assert found["counts"] == {"rows": 13, "overwritten_while_writing": 0, "kept": 13}
    assert found["gaps"] == gaps
    assert found["columns"] == list(COLUMNS)
    assert {"python", "coindcx-feed", "pyarrow"} <= set(found["versions"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["created"])


@pytest.mark.parametrize(("mode", "prefix"), [("demo", "DEMO-coindcx-"), ("live", "coindcx-"), ("custom", "coindcx-")])
def test_T21_names_are_made_by_us(ring: Ring, tmp_path: Path, mode: str, prefix: str) -> None:
    """A simulated account shows in the name; nothing of a filter, an id or a message ever does."""
    wanted = EventFilter.from_mapping({"text": "../../etc/passwd", "pairs": ["../x"], "statuses": ["a/b"]})
    for kind in ("csv", "json"):
        result = export_events(ring, wanted, kind, tmp_path, mode=mode)
        assert result["name"].startswith(prefix)
        assert NAME.fullmatch(result["name"].removeprefix("DEMO-"))
        assert Path(result["path"]).parent == tmp_path
        assert result["rows"] == 0


def test_no_match_gives_an_empty_table(tmp_path: Path) -> None:
    """An empty export still has its header, or is an empty array."""
    ring = Ring(10, EPOCH)
    assert Path(export_events(ring, ALL, "csv", tmp_path, mode="live")["path"]).read_bytes().count(b"\n") == 1
    assert json.loads(Path(export_events(ring, ALL, "json", tmp_path, mode="live")["path"]).read_bytes()) == []


def test_exports_of_one_second_do_not_meet(ring: Ring, tmp_path: Path) -> None:
    """Several readers may click at once: each gets its own complete files."""
    names: list[str] = []

    def click() -> None:
        names.extend(export_events(ring, ALL, "csv", tmp_path, mode="live")["name"] for _ in range(5))

    readers = [threading.Thread(target=click) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)
    assert len(set(names)) == len(names) == 20
    assert all(len(table(str(tmp_path / name))) == 13 for name in names)
    assert len(list(tmp_path.iterdir())) == 40


def test_T17_files_are_for_their_owner(ring: Ring, tmp_path: Path) -> None:
    """Others on the machine cannot read an account's events."""
    folder = tmp_path / "exports"
    result = export_events(ring, ALL, "csv", folder, mode="live")
    for path in (result["path"], result["meta_path"]):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_unknown_kind_is_refused(ring: Ring, tmp_path: Path) -> None:
    """One line says which kinds there are."""
    with pytest.raises(BadRequest, match=r"^export: expected csv, json or parquet, was 'xlsx': choose one of them$"):
        export_events(ring, ALL, "xlsx", tmp_path, mode="live")


def test_a_folder_that_cannot_be_made_is_one_line(ring: Ring, tmp_path: Path) -> None:
    """The reason of the system is told, and the process goes on."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"export: expected to write into .*, was refused"):
        export_events(ring, ALL, "csv", tmp_path / "file" / "exports", mode="live")


def test_a_failed_export_leaves_nothing_behind(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up half-way leaves no half file, and the name stays free."""
    monkeypatch.setattr(export, "SLICE", 4)
    write = EventLines.__call__
    calls: list[int] = []

    def fail_later(self: Any, seqs: Any) -> Any:
        calls.append(len(seqs))
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return write(self, seqs)

    monkeypatch.setattr(EventLines, "__call__", fail_later)
    with pytest.raises(ConfigError, match="No space left on device"):
        export_events(ring, ALL, "csv", tmp_path, mode="live")
    assert calls == [4, 4, 4]
    assert list(tmp_path.iterdir()) == []


def test_events_overwritten_meanwhile_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the ring lost while the file was written is missing at its beginning only, and is counted."""
    monkeypatch.setattr(export, "SLICE", 2)
    ring = new_ring(*(("order", order(f"o-{seq}")) for seq in range(6)), capacity=6)
    write = EventLines.__call__

    def append_meanwhile(self: Any, seqs: Any) -> Any:
        if ring.version == 6:
            for seq in range(7, 10):
                ring.append(new_event(seq, "order", order(f"o-{seq}")))
        return write(self, seqs)

    monkeypatch.setattr(EventLines, "__call__", append_meanwhile)
    result = export_events(ring, ALL, "csv", tmp_path, mode="live")
    assert [row["seq"] for row in table(result["path"])] == ["4", "5", "6"]
    assert meta(result)["counts"] == {"rows": 3, "overwritten_while_writing": 3, "kept": 6}
    assert meta(result)["upper_seq"] == 6


def test_slices_join_without_a_seam(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small slices give the same files as one large slice."""
    whole = [Path(export_events(ring, ALL, kind, tmp_path, mode="live")["path"]) for kind in ("csv", "json")]
    for name in ("SLICE", "JSON_SLICE"):
        monkeypatch.setattr(export, name, 3)
    sliced = [Path(export_events(ring, ALL, kind, tmp_path, mode="live")["path"]) for kind in ("csv", "json")]
    assert [path.read_bytes() for path in whole] == [path.read_bytes() for path in sliced]


async def test_recorded_frames_come_out_value_for_value(tmp_path: Path) -> None:
    """Every recorded account record that is an event stands in both exports with the text it came with."""
    pipeline = new_pipeline()
    await feed(pipeline, [row for row in rows("ws/*.jsonl", "scenarios/*.jsonl") if "event" in row])
    ring = pipeline.ring
    text = Path(export_events(ring, ALL, "json", tmp_path, mode="live")["path"]).read_bytes()
    events = ring.since(0, 1_000)
    assert len(events) > 50
    assert all(event.record[:-1] in text for event in events)
    found = table(export_events(ring, ALL, "csv", tmp_path, mode="live")["path"])
    assert [row["seq"] for row in found] == [str(event.seq) for event in events]
    for row, event in zip(found, events, strict=True):
        record = event.record.decode()
        assert row["id"] in record
        for name in ("price", "quantity"):
            assert row[name] in record
