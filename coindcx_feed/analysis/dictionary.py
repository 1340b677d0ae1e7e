"""The one data dictionary: name, unit, meaning and source of every figure on a page. Tooltips read it."""

import re
from functools import cache
from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One figure as a reader meets it."""

    page: str
    name: str
    unit: str
    definition: str
    source: str


CURRENCY: Final = "its currency"
_SUMS: Final = "durable log, sums per minute"
_ORDERS: Final = f"{_SUMS}: order events"
_FILLS: Final = f"{_SUMS}: fills read by REST"
_LEDGER: Final = f"{_SUMS}: ledger rows read by REST"
_STATE: Final = "newest record of the exchange"
_COMPUTED: Final = "computed here from position and mark"
_MEMORY: Final = "events in memory"
_FEED: Final = "this program's own counters"

_ROWS: Final = (
    ("Statistics", "Fill rate", "%", "Orders that ended filled, of all orders that ended in the period.", _ORDERS),
    ("Statistics", "Median time to fill", "time",
     "Half of the filled orders took less, from creation to filled by the exchange's clock; within 9 %, because times "
     "are kept in classes.", _ORDERS),
    ("Statistics", "Mean time to fill", "time",
     "Mean from creation to filled of the filled orders that carry both stamps, by the exchange's clock.", _ORDERS),
    ("Statistics", "Rejected share", "%", "Orders that ended rejected, of all that ended.", _ORDERS),
    ("Statistics", "Cancelled share", "%",
     "Orders that ended cancelled, in part or whole, of all that ended.", _ORDERS),
    ("Statistics", "Orders ended", "orders",
     "Orders that reached filled, cancelled, partially cancelled or rejected; each once, when it did.", _ORDERS),
    ("Statistics", "Total PnL", CURRENCY,
     "Realised PnL: sum of the ledger's amounts other than funding. Fees are not in it; currencies are never added.",
     _LEDGER),
    ("Statistics", "Closed trades", "bookings",
     "Ledger rows other than funding whose amount is not zero: each books what a fill closed of a position. One that "
     "closed at exactly zero cannot be told from an opening and is left out.", _LEDGER),
    ("Statistics", "PnL per closed trade", CURRENCY, "Results of the closed trades divided by their number.", _LEDGER),
    ("Statistics", "Win rate", "%", "Closed trades with a result above zero, of all closed trades.", _LEDGER),
    ("Statistics", "Traded volume", CURRENCY, "Price × quantity of every fill, in the pair's quote currency.", _FILLS),
    ("Statistics", "Fills", "fills", "Fills of the period; one order may have many.", _FILLS),
    ("Statistics", "Fees", CURRENCY,
     "Sum of the fee of every fill, as the exchange writes it: USDT, also on INR margin.", _FILLS),
    ("Statistics", "Funding", CURRENCY, "Sum of the ledger's funding rows; paid is negative.", _LEDGER),
    ("Statistics", "Unrealised PnL", CURRENCY,
     "Last value known of each pair in the period: size × (mark − average), computed here.", _SUMS),
    ("Statistics", "Events", "events", "Stored events of the period, of every type; with pairs chosen, only theirs.",
     _SUMS),
    ("Statistics", "Events per minute", "per minute",
     "Stored events by type, the mean of each point's stretch of time. Shaded time was not observed.", _SUMS),
    ("Statistics", "Busiest pairs", "events", "Pairs with most events, and their share of all events.", _SUMS),
    ("Statistics", "Realised PnL per day", CURRENCY,
     "Total PnL by day of the page's zone; the line is the sum so far.", _LEDGER),
    ("Statistics", "Balance", CURRENCY,
     "Available plus locked, the last value of each point's stretch; unrealised PnL is no part of it.", _SUMS),
    ("Since you last looked", "New events", "events",
     "Events newer than the mark of this browser, by type, up to when the page was opened.", "memory, or durable log"),
    ("Since you last looked", "Orders ended since", "orders",
     "Orders of which a newer event says filled, cancelled or rejected; each once per status.",
     "memory, or durable log"),
    ("Since you last looked", "Positions since", "positions",
     "Positions that went from flat to held (opened) or from held to flat (closed), by their average price; "
     "liquidations are ledger rows of that stage.", "memory, or durable log"),
    ("Since you last looked", "Balance change", CURRENCY,
     "Total now less total at the mark, of wallets with a newer event.", "memory, or durable log"),
    ("Since you last looked", "Gaps since", "time",
     "Times away from the exchange after the mark, without those in which nobody wanted to watch.",
     "ledger of the connection"),
    ("Events", "Shown, matching, kept", "events",
     "Rows sent to the browser, events that pass the filter, and all events in memory.", _MEMORY),
    ("Events", "Delay", "ms",
     "From the exchange's stamp to here; the difference of the clocks is in it. Balances carry no stamp.", _MEMORY),
    ("Events", "What changed", "text", "Fields that differ from the event before it of the same id.", _MEMORY),
    ("Orders", "Open", "orders", "Orders that wait: initial, untriggered or open with nothing filled.", _STATE),
    ("Orders", "Partially filled", "orders", "Orders with a part filled that still work.", _STATE),
    ("Orders", "Filled", "orders", "Orders last touched on the day that ended filled.", _STATE),
    ("Orders", "Cancelled", "orders", "Orders last touched on the day that ended cancelled, in part or whole.", _STATE),
    ("Orders", "Rejected", "orders", "Orders last touched on the day that the exchange refused.", _STATE),
    ("Orders", "Filled share", "%", "Filled quantity (total − remaining − cancelled) of the total.",
     "computed here from the order"),
    ("Positions", "Open positions", "positions", "Positions whose size is not zero.", _STATE),
    ("Positions", "Unrealised PnL, computed", CURRENCY,
     "Sum of size × (mark − average); the exchange does not send it.", _COMPUTED),
    ("Positions", "Exposure", "quote currency", "Size at mark, without leverage.", _COMPUTED),
    ("Positions", "Margin locked", "USDT", "Sum of the locked margin of open positions.", _STATE),
    ("Positions", "Nearest liquidation", "%",
     "Smallest share of the mark between it and a liquidation price; crossed positions have none.", _COMPUTED),
    ("Positions", "Share of margin", "%", "Unrealised PnL of its margin.", _COMPUTED),
    ("Positions", "Mark", "quote currency",
     "The exchange's mark price; older than 10 s it is grey and computes nothing.", "current prices frame"),
    ("Positions", "Size", "base currency", "Quantity held; a short is negative.", _STATE),
    ("Positions", "Margin", "USDT", "What the exchange has locked for the position.", _STATE),
    ("Positions", "Liquidation", "quote currency",
     "Mark at which the exchange closes the position, as it said last; it sends none on crossed margin.", _STATE),
    ("Positions", "Average", "quote currency", "Average entry price; – when flat.", _STATE),
    ("Positions", "Maintenance", "USDT", "Margin below which the exchange closes the position.", _STATE),
    ("Positions", "Margin ratio", "%",
     "Computed: maintenance margin as last sent ÷ (locked margin + unrealised PnL); it is liquidated at 100 %. "
     "Crossed positions share one: their maintenance ÷ (available balance + their PnL).", _COMPUTED),
    ("Positions", "To liquidation", "%", "Computed: |mark − liquidation| ÷ mark.", _COMPUTED),
    ("Positions", "In day ranges", "days",
     "Computed: |mark − liquidation| ÷ (24 h high − 24 h low): how many such days lie between.", _COMPUTED),
    ("Positions", "At this volatility", "time",
     "Computed: (|ln(liquidation ÷ mark)| ÷ σ)², the time after which a move of one standard deviation reaches it. "
     "σ is √(mean(ln(mark ÷ mark before)²) ÷ step), of one mark a minute in the last hour. A measure, no forecast.",
     _COMPUTED),
    ("Positions", "Funding so far", CURRENCY,
     "Sum of the fundings of this position since it was opened; − is paid.", "ledger rows read by REST"),
    ("Positions", "Next funding", "quote currency",
     "Computed: −size × mark × upcoming rate. The time follows from the last fundings of the pair.", _COMPUTED),
    ("Positions", "On the way", "quote currency",
     "Highest and lowest computed PnL, size × (mark − average), from marks of one a second; without what was realised.",
     _COMPUTED),
    ("Balances", "Unexplained", CURRENCY,
     "Change − all parts. What no fill, ledger row or margin proves is not forced into a part: transfers and deposits "
     "have no event here.", "computed here"),
    ("Balances", "Unexplained, running total", CURRENCY,
     "Sum of all residues since the first balance that is kept: 0 when nothing is missing.", "computed here"),
    ("Balances", "Total", CURRENCY, "Available plus locked, every digit as sent.", _STATE),
    ("Balances", "Available", CURRENCY, "What is free to use.", _STATE),
    ("Balances", "Locked", CURRENCY, "What orders and positions hold.", _STATE),
    ("Balances", "Together", "USDT and INR", "Both wallets in one currency by the exchange's rate; for reading only.",
     "computed here"),
    ("Market", "Last price", "quote currency", "Price of the last trade.", "market stream"),
    ("Market", "24 h change", "%", "Change of the last price within 24 h, as the exchange computes it.",
     "market stream"),
    ("Market", "24 h high", "quote currency", "Highest price of a trade within 24 h, as the exchange says.",
     "market stream, every 15 s"),
    ("Market", "24 h low", "quote currency", "Lowest price of a trade within 24 h, as the exchange says.",
     "market stream, every 15 s"),
    ("Market", "24 h volume", "quote currency", "Traded within 24 h, as the exchange says.",
     "market stream, every 15 s"),
    ("Market", "Funding rate", "%", "Upcoming rate: longs pay it to shorts on size × mark; when negative, shorts pay.",
     "market stream, every 15 s"),
    ("Market", "Next in", "time", "Until the next multiple of the contract's hours; the stream does not say it.",
     "computed here from the contract"),
    ("Market", "Spread", "quote currency, %", "Lowest ask less highest bid, and its share of their middle.",
     "computed here from the order book"),
    ("Market", "Bids of size", "%", "Size of all bids that are shown, of all bids and asks.",
     "computed here from the order book"),
    ("History", "Matching", "events", "Stored events of the range that pass the filter, counted before they are read.",
     "durable log"),
    ("Feed", "Account events", "per s", "Orders, positions and balances of the last full minute.", _MEMORY),
    ("Feed", "Delay p50 / p95", "ms",
     "Half, and 95 of 100 newest events, came faster, from the exchange's stamp to here; the clocks' difference is in "
     "it.", _MEMORY),
    ("Feed", "Ring", "%", "How full the memory of events is; the oldest make room for new ones.", _FEED),
    ("Feed", "Sidecar clients", "clients", "Scripts connected to the WebSocket.", _FEED),
    ("Feed", "Duplicates · late", "records",
     "Repeats that were kept apart, and older updates that came after newer ones.", _FEED),
    ("Feed", "Quarantine", "records", "Frames or records that were not understood, kept with raw text and reason.",
     _FEED),
    ("Feed", "Live or quiet", "%", "Time of the last hour with proof of life, of the time this program ran.",
     "ledger of the connection"),
    ("Every page", "Proof of life", "time", "Age of the newest frame of any kind.", _FEED),
    ("Every page", "Last event", "time", "When the newest account event was received, and how long ago.", _MEMORY),
    ("Every page", "Kept", "events", "Account events in memory, of how many fit.", _MEMORY),
    ("Every page", "Gaps today", "gaps, time", "Times away from the exchange since midnight of the page's zone.",
     "ledger of the connection"),
)  # fmt: skip

ENTRIES: Final = tuple(Entry(*row) for row in _ROWS)

_glyph = re.compile(r"^[^\w]+\s*")


@cache
def find(name: str) -> Entry | None:
    """Return the entry of a figure by the name on the page; a glyph before it or a day behind it does no harm."""
    plain = _glyph.sub("", name)
    fitting = [entry for entry in ENTRIES if plain == entry.name or plain.startswith(f"{entry.name} ")]
    return max(fitting, key=lambda entry: len(entry.name), default=None)


def meaning(name: str) -> str:
    """Return the definition of a figure that the dictionary has.

    Raises:
        KeyError: If it has none of this name.
    """
    entry = find(name)
    if entry is None:
        raise KeyError(f"expected the name of a figure, was {name!r}: add it to the data dictionary")
    return entry.definition


def tip(name: str) -> str | None:
    """Return the tooltip of a figure: definition, unit and source; ``None`` where the dictionary has no such name."""
    entry = find(name)
    return None if entry is None else f"{entry.definition} Unit: {entry.unit}. Source: {entry.source}."
