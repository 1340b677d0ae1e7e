"""Where a wallet's money went, as plain data: money is exact text, times are Unix ms."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

from coindcx_feed.analysis.causes import KINDS, Cause
from coindcx_feed.analysis.explain import Explained, Step
from coindcx_feed.exchange.numbers import WIDE, plain

SHOWN: Final = 60
"""Changes listed, newest first; the sums are of all."""


def explained(found: Sequence[Explained], first: Step | None, since_ms: float) -> dict[str, Any]:
    """Return the changes of a wallet since a time, newest first, and what they add up to.

    Args:
        found: Oldest first.
        first: The oldest step that is kept.
    Returns:
        ``rows``; ``sums`` by kind, with ``change``, ``residue``; ``unexplained``, the running total of residues from
        ``from_ms`` on, which may be earlier than asked for; ``changes`` and ``whole``, how many are explained.
    """
    wanted = found[bisect_left(found, since_ms, key=lambda one: one.step.received_ms) :]
    moved = [one for one in wanted if one.change or one.causes]
    sums: dict[str, Decimal] = {}
    with localcontext(WIDE):
        for one in moved:
            for kind, amount in (*one.parts.items(), ("change", one.change), ("residue", one.residue)):
                sums[kind] = sums.get(kind, Decimal(0)) + amount
    return {
        "rows": [_row(one) for one in reversed(wanted[-SHOWN:])],
        "more": max(0, len(wanted) - SHOWN),
        "sums": {kind: plain(sums[kind]) for kind in (*KINDS, "change", "residue") if kind in sums},
        "changes": len(moved),
        "whole": sum(1 for one in moved if one.is_whole),
        "moves": len(wanted) - len(moved),
        "unexplained": plain(found[-1].unexplained) if found else "0",
        "from_ms": None if first is None else first.received_ms,
    }


def _row(one: Explained) -> dict[str, Any]:
    return {
        "seq": one.step.seq,
        "t_ms": one.step.received_ms,
        "change": plain(one.change),
        "moved": plain(one.moved),
        "total": plain(one.step.total),
        "parts": {kind: plain(amount) for kind, amount in one.parts.items()},
        "residue": plain(one.residue),
        "is_whole": one.is_whole,
        "unexplained": plain(one.unexplained),
        "causes": [_cause(cause) for cause in one.causes],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    parts = {part.kind: plain(part.amount) for part in cause.parts}
    return {
        "seq": cause.seq,
        "t_ms": cause.at_ms,
        "pair": cause.pair,
        "reference": cause.reference,
        "source": cause.source,
        "amount": plain(cause.amount),
        "parts": parts,
    }
