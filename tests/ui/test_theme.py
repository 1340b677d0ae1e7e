"""Theme: the tokens of the configuration and those of charts and chips are one set."""

import tomllib
from typing import Any

import pytest
from ui.fake_service import ROOT

from coindcx_feed.ui import theme


def _config() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("palette", [theme.DARK, theme.LIGHT])
def test_charts_use_the_colours_of_the_theme(palette: theme.Palette) -> None:
    """A changed token must change both, or the page has two blues."""
    tokens = _config()["theme"][palette.name]
    for name in ("blue", "violet", "green", "red", "yellow", "orange", "gray"):
        assert getattr(palette, name) == tokens[f"{name}Color"]
    assert palette.paper == tokens["backgroundColor"]
    assert palette.text == tokens["textColor"]
    assert palette.panel == tokens["secondaryBackgroundColor"]
    assert palette.hairline == tokens["borderColor"]


def _luminance(color: str) -> float:
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [theme.DARK, theme.LIGHT])
def test_words_on_page_and_chips_can_be_read(palette: theme.Palette) -> None:
    """Body text on chips at least 7:1, coloured words on the page at least 4.5:1."""
    for fill in palette.chips.values():
        assert _contrast(palette.text, fill) >= 7
    tokens = _config()["theme"][palette.name]
    for name, color in tokens.items():
        if name.endswith("TextColor") and name not in ("dataframeHeaderTextColor", "codeTextColor"):
            assert _contrast(color, tokens["backgroundColor"]) >= 4.5, name


def test_every_type_side_and_status_has_glyph_and_word() -> None:
    """Colour alone never decides."""
    labels = [theme.type_label(name) for name in theme.TYPE_GLYPHS]
    labels += [theme.side_label(name) for name in theme.SIDE_GLYPHS]
    labels += [theme.status_label(name) for name in theme.STATUS_GLYPHS]
    assert all(len(label.split(" ", 1)) == 2 for label in labels)
    assert len(set(theme.TYPE_GLYPHS.values())) == len(theme.TYPE_GLYPHS)


def test_unknown_status_is_marked_and_kept() -> None:
    """A new word of the exchange is shown, not swallowed."""
    assert theme.status_label("half_baked") == "? half baked"


def test_T03_server_is_loopback_and_names_are_listed() -> None:
    """A page elsewhere that points its name here is refused by name; other origins by default."""
    server = _config()["server"]
    assert server["address"] == "127.0.0.1"
    assert sorted(server["allowedHosts"]) == ["127.0.0.1", "localhost"]
    assert server["enableCORS"]
    assert server["enableXsrfProtection"]


def test_T14_table_export_of_streamlit_is_off() -> None:
    """Its download does not guard against formulas; ours does."""
    assert _config()["client"]["disableDataExport"] is True


def test_nothing_is_told_to_anyone() -> None:
    """No usage statistics, no question for an e-mail address."""
    config = _config()
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["showEmailPrompt"] is False


def test_ledger_stages_are_known_words() -> None:
    """A stage stands where other rows have a status; it is no unknown status."""
    assert theme.status_label("tpsl_exit") == "· tpsl exit"
