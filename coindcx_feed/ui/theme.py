"""Glyphs, words and the colours that Streamlit's theme cannot express: grid chips and charts.

The theme itself is ``.streamlit/config.toml``; a test holds both together.
"""

from dataclasses import dataclass
from typing import Final

TYPE_GLYPHS: Final = {"order": "◆", "position": "■", "balance": "≡", "fill": "◊", "ledger": "§", "system": "·"}
TYPE_COLORS: Final = {"order": "blue", "position": "violet", "balance": "green"}
SIDE_GLYPHS: Final = {"buy": "▲", "sell": "▼", "long": "▲", "short": "▼", "flat": "–"}
SIDE_COLORS: Final = {"buy": "green", "long": "green", "sell": "red", "short": "red"}
STATUS_GLYPHS: Final = {
    "initial": "◌",
    "untriggered": "◷",
    "open": "○",
    "partially_filled": "◐",
    "filled": "●",
    "partially_cancelled": "⊘",
    "cancelled": "⊘",
    "rejected": "✕",
}
STATUS_COLORS: Final = {
    "initial": "yellow",
    "open": "green",
    "partially_filled": "green",
    "filled": "blue",
    "rejected": "red",
}
ENDED: Final = ("filled", "partially_cancelled", "cancelled", "rejected")
ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#171D25"/>'
    '<path d="M5 20h5l4-11 5 15 3-8h5" fill="none" stroke="#45C496" stroke-width="3" stroke-linejoin="round"/></svg>'
)
"""Icon of the browser's window. Drawn here, because named icons and emoji are fetched from the network."""
STATES: Final = ("starting", "connecting", "live", "quiet", "stale", "reconnecting", "rejected", "stopped")

STAGES: Final = ("default", "funding", "exit", "tpsl_exit", "liquidation", "liquidate")
"""What a ledger row says instead of a status."""


@dataclass(frozen=True)
class Palette:
    """Colours of one theme. ``chips`` are fills under neutral text; the rest draw lines, fills and words in charts."""

    name: str
    paper: str
    text: str
    grid: str
    hairline: str
    primary: str
    panel: str
    blue: str
    violet: str
    green: str
    red: str
    yellow: str
    orange: str
    gray: str
    gap_fill: str
    gain_fill: str
    loss_fill: str
    order_fill: str
    chips: dict[str, str]


DARK: Final = Palette(
    name="dark",
    paper="#0E1217",
    text="#DDE3EA",
    grid="#1E2630",
    hairline="#2B3440",
    primary="#A8C3E6",
    panel="#171D25",
    blue="#62A8FF",
    violet="#DCC2FF",
    green="#45C496",
    red="#FF7B72",
    yellow="#E9BC4B",
    orange="#FFA057",
    gray="#97A3B2",
    gap_fill="rgba(233,188,75,0.13)",
    gain_fill="rgba(69,196,150,0.28)",
    loss_fill="rgba(255,123,114,0.28)",
    order_fill="rgba(98,168,255,0.14)",
    chips={
        "blue": "#1B3A61",
        "violet": "#3D2B5C",
        "green": "#123F31",
        "red": "#57262A",
        "yellow": "#4A3B14",
        "gray": "#2C3540",
    },
)
LIGHT: Final = Palette(
    name="light",
    paper="#FFFFFF",
    text="#1B232D",
    grid="#ECEFF2",
    hairline="#D5DBE2",
    primary="#3C5A80",
    panel="#F4F6F8",
    blue="#1F66C1",
    violet="#5B1F8F",
    green="#0B7A53",
    red="#C4302B",
    yellow="#8A6200",
    orange="#B25209",
    gray="#5C6876",
    gap_fill="rgba(138,98,0,0.10)",
    gain_fill="rgba(11,122,83,0.20)",
    loss_fill="rgba(196,48,43,0.20)",
    order_fill="rgba(31,102,193,0.10)",
    chips={
        "blue": "#D6E6FB",
        "violet": "#EADDF8",
        "green": "#D3EFE2",
        "red": "#FADCDA",
        "yellow": "#F7E7B8",
        "gray": "#E4E8ED",
    },
)


def palette(kind: str | None) -> Palette:
    """Return the colours for a theme's type; dark while it is unknown, as on the very first run."""
    return LIGHT if kind == "light" else DARK


def words(name: str) -> str:
    """Write a name of the wire for people: ``partially_filled`` is *partially filled*."""
    return name.replace("_", " ")


def type_label(kind: str) -> str:
    """Return glyph and word, the same in grid, cards and charts."""
    return f"{TYPE_GLYPHS.get(kind, '·')} {words(kind)}"


def side_label(side: str) -> str:
    """Return glyph and word of a side; an unknown one keeps its word alone."""
    glyph = SIDE_GLYPHS.get(side)
    return f"{glyph} {side}" if glyph else words(side)


def status_label(status: str) -> str:
    """Return glyph and word of a status; an unknown one is marked, never hidden."""
    if status not in STATUS_GLYPHS and (status in STATES or status in STAGES):
        return f"· {words(status)}"
    return f"{STATUS_GLYPHS.get(status, '?')} {words(status)}"
