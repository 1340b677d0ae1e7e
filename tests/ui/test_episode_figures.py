"""Head, sums and table of an episode."""

from datetime import UTC
from typing import Any

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk

from coindcx_feed.ui import episode_figures


def _episode(service: FakeService, first_seq: int | None = None, **changes: Any) -> dict[str, Any]:
    found = service.depth.episode("p-eth", first_seq)
    assert found is not None
    return found | changes


def test_head_names_the_time_and_the_way_to_the_others() -> None:
    """The newest has an older one beside it; the oldest a newer one."""
    service = FakeService()
    newest, oldest = _episode(service), _episode(service, 20)
    heads = [episode_figures.head(one, one["choices"], UTC, service.now_ms) for one in (newest, oldest)]
    assert [[node["select"] for node in walk([head]) if "select" in node] for head in heads] == [["older"], ["newer"]]
    assert "since" in text_of(heads[:1])
    assert "at most 0.25 ETH" in text_of(heads[:1])
    assert "1 of 2 kept" in text_of(heads[1:])


def test_episodes_beside() -> None:
    """Newest first; from the last but one the way leads to *the newest*, whichever that will be."""
    choices = [{"first_seq": seq} for seq in (30, 20, 10)]
    assert [episode_figures.beside(choices, seq, "older") for seq in (30, 20, 10)] == [20, 10, 10]
    assert [episode_figures.beside(choices, seq, "newer") for seq in (30, 20, 10)] == [None, None, 20]
    assert episode_figures.beside(choices, 5, "older") is None


def test_figures_say_what_it_brought_and_how_far_it_went() -> None:
    """A lowest result that is a gain is no loss."""
    service = FakeService()
    text = text_of([episode_figures.figures(_episode(service), UTC, service.now_ms)])
    assert "Realised PnL +10.00 USDT" in text
    assert "Fees 0.13 USDT 1 fills read" in text
    assert "Largest gain on the way +18.20 USDT computed, at" in text
    assert "Largest loss on the way none computed, never below +0.40 USDT" in text
    service.depth.is_unmarked = True
    assert "Largest gain on the way – no mark" in text_of(
        [episode_figures.figures(_episode(service), UTC, service.now_ms)]
    )


def test_notes_say_what_is_not_known() -> None:
    """An unseen opening, a missing order, computed amounts, steps that are not listed."""
    service = FakeService()
    notes = text_of([episode_figures.notes(_episode(service, is_whole=False, more=1_200))])
    assert "Its opening was not seen" in notes
    assert "2 amounts are computed" in notes
    assert "1,200 earlier steps" in notes
    assert "order that opened it" in text_of([episode_figures.notes(_episode(service, has_first_order=False))])
    assert episode_figures.notes(_episode(service, computed=0)) is None


def test_table_has_a_row_per_step() -> None:
    """Figures sort as numbers; hostile words are cut text."""
    service = FakeService(text=HOSTILE)
    rows = _episode(service)["rows"]
    table = episode_figures.table(rows)
    assert table.num_rows == len(rows) == 8
    assert table.column("size").to_pylist() == [0.25] * 8
    assert not any("\u202e" in word for word in table.column("word").to_pylist())
