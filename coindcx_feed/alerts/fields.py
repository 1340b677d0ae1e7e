"""The closed table of what a condition may look at: nothing a rule names is ever looked up anywhere else."""

from typing import Final, Literal, NamedTuple

Subject = Literal["event", "position", "balance", "feed", "quirk"]
Op = Literal["below", "at_most", "at_least", "above", "beyond", "is"]
Kind = Literal["number", "move", "flag"]

SUBJECTS: Final[tuple[Subject, ...]] = ("event", "position", "balance", "feed", "quirk")
OPS: Final[dict[Kind, tuple[Op, ...]]] = {
    "number": ("below", "at_most", "at_least", "above", "beyond"),
    "move": ("at_most", "at_least", "beyond"),
    "flag": ("is",),
}
"""``beyond`` looks at the size whatever the sign. A move of ``at_most`` −5 is a fall, of ``at_least`` 5 a rise."""
OP_WORDS: Final[dict[str, str]] = {
    "below": "below",
    "at_most": "at most",
    "at_least": "at least",
    "above": "above",
    "beyond": "± at least",
    "is": "is",
}


class Field(NamedTuple):
    """What a field is called, its unit, how it is compared, and whether stored events tell all there is about it."""

    label: str
    unit: str = ""
    kind: Kind = "number"
    is_stored: bool = True


FIELDS: Final[dict[Subject, dict[str, Field]]] = {
    "event": {
        "price": Field("price"),
        "avg_price": Field("average price"),
        "quantity": Field("quantity"),
        "filled_quantity": Field("filled quantity"),
        "fee_amount": Field("fee"),
        "amount": Field("amount"),
        "leverage": Field("leverage", "×"),
    },
    "position": {
        "liquidation_distance": Field("distance to liquidation", "%", is_stored=False),
        "margin_ratio": Field("margin ratio", "%", is_stored=False),
        "unrealized_pnl": Field("unrealised PnL", is_stored=False),
        "pnl_percent": Field("unrealised PnL of margin", "%", is_stored=False),
        "pnl_move": Field("move of unrealised PnL", "", "move", is_stored=False),
        "stop_missing": Field("stop is missing", "", "flag"),
        "size": Field("size"),
        "leverage": Field("leverage", "×"),
        "margin": Field("margin"),
    },
    "balance": {
        "total": Field("total"),
        "available": Field("available"),
        "locked": Field("locked"),
        "locked_percent": Field("locked share", "%"),
        "total_move": Field("move of the total", "", "move"),
        "total_move_percent": Field("move of the total", "%", "move"),
    },
    "feed": {
        "not_live_s": Field("time not live", "s", is_stored=False),
        "proof_age_s": Field("age of the last frame", "s", is_stored=False),
        "not_stored_s": Field("time without durable log", "s", is_stored=False),
    },
    "quirk": {"total": Field("times met", is_stored=False)},
}

FORMULAS: Final[dict[str, str]] = {
    "liquidation_distance": "|mark − liquidation price| ÷ mark; unknown without a fresh mark, and on crossed margin",
    "margin_ratio": "maintenance margin ÷ (margin + unrealised PnL), on crossed margin of all that share the wallet; "
    "unknown without fresh marks",
    "pnl_percent": "unrealised PnL ÷ margin, at a fresh mark",
    "pnl_move": "PnL now less the lowest, or the highest, within the time",
    "total_move": "total now less the lowest, or the highest, within the time",
    "total_move_percent": "the same, as a share of that lowest or highest",
    "stop_missing": "open position without stop-loss trigger",
    "not_live_s": "time in which nobody wanted to watch does not count",
}
"""How computed fields come about, for tooltips."""
