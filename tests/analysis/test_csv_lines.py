"""Lines of mixed events: what the columns give equals what each event's own JSON gives."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from analysis.helpers import EPOCH, fill, ledger, new_event, new_ring
from fakes.frames import balance, order, position
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.cells import COLUMNS, neutralised, row_texts
from coindcx_feed.analysis.csv_lines import EventLines, header
from coindcx_feed.analysis.parts import RingPart
from coindcx_feed.feed import columns
from coindcx_feed.feed.ring import Ring

Made = tuple[str, dict[str, Any]]

TEXTS = st.one_of(
    st.sampled_from(["open", "=1+1", 'say "hi"', "a,b", "a;b", "two\r\nlines", " -2", "\u202e", "日本", "", "\x1f"]),
    st.text(max_size=12),
)
IDS = TEXTS.filter(bool)
NUMBERS = st.sampled_from([0, 5, -0.5, 2887.6, 1e-7, 123456789.125]) | st.none()


@st.composite
def events(draw: st.DrawFn) -> Made:
    """Any account event, with any text in every text field."""
    kind = draw(st.sampled_from(("order", "position", "balance", "fill", "ledger", "system")))
    if kind == "order":
        fields = {name: draw(TEXTS | st.none()) for name in ("pair", "side", "display_message")}
        numbers = {name: draw(NUMBERS) for name in ("price", "total_quantity", "remaining_quantity")}
        return kind, order(draw(IDS), status=draw(TEXTS), **fields, **numbers)
    if kind == "position":
        return kind, position(draw(IDS), pair=draw(TEXTS), avg_price=draw(NUMBERS), active_pos=draw(NUMBERS) or 0)
    if kind == "balance":
        free = draw(st.sampled_from(["1650841.59606695345873", "-0.5", "0", "1e-7"]))
        return kind, balance(draw(IDS), free, currency=draw(IDS))
    if kind == "fill":
        own_id, fraction = draw(TEXTS | st.none()), draw(st.sampled_from([0, 0.25]))
        return kind, fill(own_id, pair=draw(TEXTS), side=draw(TEXTS), timestamp=1_705_645_534_425 + fraction)
    if kind == "ledger":
        return kind, ledger(stage=draw(TEXTS), fill_id=draw(TEXTS | st.none()), amount=draw(NUMBERS))
    return kind, {"message": draw(TEXTS), "state": draw(TEXTS | st.none())}


def read(text: bytes | memoryview) -> list[list[str]]:
    return list(csv.reader(io.StringIO(bytes(text).decode(), newline=""), strict=True))


def lines(ring: Ring, mode: str = "live") -> list[list[str]]:
    seqs = ring.numbers(None)
    told = EventLines(mode)(RingPart(ring, seqs, EPOCH))
    found = read(told.text)
    assert told.rows == len(found) == len(seqs)
    return found


@given(st.lists(events(), max_size=20))
def test_T14_columns_and_json_give_the_same_cells(made: list[Made]) -> None:
    """A CSV reader gets every cell back exactly, hostile or not, as the event alone would give it."""
    ring = new_ring(*made)
    bodies = [event.body for event in reversed(ring.latest(100))]
    assert lines(ring) == [row_texts(body, EPOCH, "live") for body in bodies]


@given(st.lists(events(), min_size=1, max_size=8))
def test_T14_no_cell_begins_like_a_formula(made: list[Made]) -> None:
    """Only numbers may begin with a minus, and nothing else may be run."""
    for row in lines(new_ring(*made)):
        cells = dict(zip(COLUMNS, row, strict=True))
        for name in ("price", "quantity", "filled_quantity"):
            assert cells[name] == "" or float(cells.pop(name)) is not None
        assert all(neutralised(cell) == cell for name, cell in cells.items() if name not in ("price", "quantity"))


def test_numbers_as_text_in_odd_places() -> None:
    """Texts where numbers are documented are taken if they are plain, and neutralised if they are not."""
    records = [
        '{"fill_id":"a","price":"-1.50","quantity":"=2"}',
        '{"fill_id":"b","price":[1,2],"quantity":null}',
        '{"fill_id":"c","price":"1.50","quantity":1e5}',
    ]
    ring = new_ring(*(("fill", record) for record in records[2:]))
    ring.append(new_event(2, "order", order(price="2900.50", total_quantity="7")))
    assert [row[11:13] for row in lines(ring)] == [["1.50", "1e5"], ["2900.50", "7"]]
    assert row_texts(_body(records[0]))[11:13] == ["-1.50", "'=2"]
    assert row_texts(_body(records[1]))[11:13] == ["[1,2]", ""]


def _body(record: str) -> bytes:
    return f'{{"timestamp":"t","type":"fill","seq":1,"source":"rest","data":{record}}}'.encode()


def test_texts_beyond_the_codes_are_still_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed with too many statuses to intern loses nothing in an export."""
    monkeypatch.setattr(columns, "MAX_CODES", 4)
    made = [("order", order(f"o-{seq}", status=f"status {seq}", pair=f"P{seq}")) for seq in range(8)]
    rows = lines(new_ring(*made))
    assert [row[10] for row in rows] == [f"status {seq}" for seq in range(8)]
    assert [row[8] for row in rows] == [f"P{seq}" for seq in range(8)]


def test_overwritten_events_are_left_out() -> None:
    """Rows that the ring lost before they were read are counted as not written."""
    ring = new_ring(*(("order", order(f"o-{seq}")) for seq in range(10)), capacity=4)
    told = EventLines("live")(RingPart(ring, np.arange(1, 11), EPOCH))
    assert (told.rows, [row[0] for row in read(told.text)]) == (4, ["7", "8", "9", "10"])
    assert EventLines("live")(RingPart(ring, np.arange(1, 3), EPOCH)).rows == 0


def test_header_is_one_line_of_names() -> None:
    """The first line names the columns, nothing else."""
    assert header(COLUMNS) == (
        b"seq,epoch,timestamp,exchange_ms,mode,source,type,id,pair,side,status,"
        b"price,quantity,filled_quantity,message\r\n"
    )
