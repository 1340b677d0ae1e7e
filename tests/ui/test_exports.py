"""Export and clipboard."""

from pathlib import Path
from typing import Any

from ui.fake_service import FakeService

from coindcx_feed.ui import exports


def test_T14_copied_rows_cannot_be_formulas() -> None:
    """Texts that a spreadsheet would run get an apostrophe; numbers never."""
    row = {**FakeService().row(37), "id": "=1+1", "pair": "@x", "price": "-0.5"}
    cells = exports.as_tabs([row]).splitlines()[1].split("\t")
    assert "'=1+1" in cells
    assert "'@x" in cells
    assert "-0.5" in cells


def test_copied_rows_are_one_line_each() -> None:
    """A tab or a line break inside a text must not make a cell."""
    row = {**FakeService().row(37), "id": "a\tb\nc"}
    lines = exports.as_tabs([row, row]).splitlines()
    assert len(lines) == 3
    assert {len(line.split("\t")) for line in lines} == {len(exports.COPIED)}


def test_download_leaves_no_account_data_behind(tmp_path: Path) -> None:
    """The browser has its copy; the files of the export are removed."""
    made = tmp_path / "x.csv", tmp_path / "x.csv.meta.json"
    for path in made:
        path.write_text(path.name)

    class Service:
        asked: tuple[Any, ...] = ()

        def export(self, wanted: dict[str, Any], kind: str, *, upto: int | None, after: int) -> dict[str, str]:
            self.asked = (wanted, kind, upto, after)
            return {"path": str(made[0]), "meta_path": str(made[1])}

    service = Service()
    assert exports.fetch("csv", service, {"types": ["order"]}, 7, 3) == b"x.csv"
    assert service.asked == ({"types": ["order"]}, "csv", 7, 3)
    assert list(tmp_path.iterdir()) == []
