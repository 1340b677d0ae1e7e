"""The chart of an episode."""

from typing import Any

from ui.fake_service import FakeService

from coindcx_feed.ui import episode_chart, theme


def _drawn(service: FakeService, first_seq: int | None = None) -> Any:
    episode = service.depth.episode("p-eth", first_seq)
    assert episode is not None
    position = service.positions()[0]
    return episode_chart.episode_chart(
        episode, position, service.gaps(), palette=theme.DARK, with_liquidation=True, revision=1
    )


def test_extremes_and_fundings_are_marked() -> None:
    """On the panel of the result, beside the position's own lines."""
    names = [trace["name"] for trace in _drawn(FakeService())["traces"]]
    assert {"mark", "average", "liquidation", "PnL", "size", "largest gain", "largest loss", "funding"} <= set(names)


def test_ended_episode_is_drawn_as_it_ended() -> None:
    """The words at the edge are its last ones, not the position's of now."""
    drawn = _drawn(FakeService(), 20)
    words = [label["text"] for label in drawn["layout"]["annotations"]]
    assert any(word.startswith("0 ETH") for word in words)
    assert not any("2,941.5" in word for word in words)


def test_without_marks_nothing_is_drawn() -> None:
    """The table says what is known."""
    service = FakeService()
    service.depth.is_unmarked = True
    assert _drawn(service) is None
