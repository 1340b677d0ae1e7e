"""What the browser is handed about new notices."""

from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import bell, scripts


def test_texts_are_cut_and_made_visible() -> None:
    """As text: the browser side never parses any of it."""
    sent = bell.payload(FakeService(text=HOSTILE).alerts.brief())
    assert [notice["number"] for notice in sent["notices"]] == [1, 2, 3]
    assert sent["notices"][1]["title"] == "✕ Liquidation is near"
    for notice in sent["notices"]:
        assert len(notice["text"]) <= bell.SHOWN
        assert "\u202e" not in notice["text"] + notice["title"]
    assert (sent["series"], sent["newest"], sent["unread"]) == (7, 3, 3)


def test_browser_side_parses_nothing() -> None:
    """No way from text to markup or code in the file."""
    code = scripts.asset("bell.js")
    assert not [word for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", "Function(") if word in code]
    assert "fetch(" not in code
