"""Words of the ledger."""

from typing import Any

import pytest
from simulator.helpers import new_order

from coindcx_feed.simulator.statements import ledger_stage


@pytest.mark.parametrize(
    ("stage", "word"),
    [("default", "default"), ("exit", "exit"), ("tpsl_exit", "tpsl_exit"), ("liquidate", "liquidation")],
)
def test_stage_of_an_order_in_the_ledger(stage: Any, word: str) -> None:
    """The ledger's filter spells one of them differently."""
    assert ledger_stage(new_order(stage=stage)) == word
