"""The USDT wallet as crossed margin sees it: the fields of ``cross_margin_details``. Pure arithmetic."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from coindcx_feed.simulator.accounts import Account
from coindcx_feed.simulator.margin import rounded


@dataclass(frozen=True, slots=True)
class CrossedMargin:
    """Crossed margin at one moment, USDT.

    Attributes:
        profit: Unrealised, of all crossed positions.
        maintenance: What they need.
        wallet: Free and locked money together.
        isolated: Locked by isolated positions and orders.
        initial: Initial margin of crossed positions.
        orders: Initial margin of crossed orders.
    """

    at_ms: int
    profit: Decimal
    maintenance: Decimal
    wallet: Decimal
    isolated: Decimal
    initial: Decimal
    orders: Decimal

    @property
    def equity(self) -> Decimal:
        """Money of the wallet that is not isolated, and the profit."""
        return self.wallet - self.isolated + self.profit

    @property
    def is_exhausted(self) -> bool:
        """Whether the maintenance is no longer covered."""
        return bool(self.maintenance) and self.maintenance >= self.equity

    def record(self) -> dict[str, Any]:
        """Return the REST object. Its figures are related as in the documented sample."""
        free = self.wallet - self.isolated - self.initial - self.orders
        ratio = rounded(self.maintenance / self.equity) if self.equity > 0 else Decimal(1)
        return {
            "pnl": self.profit,
            "maintenance_margin": self.maintenance,
            "available_wallet_balance": self.wallet - self.isolated,
            "total_wallet_balance": self.wallet,
            "total_initial_margin": self.initial + self.isolated,
            "total_initial_margin_isolated": self.isolated,
            "total_initial_margin_crossed": self.initial,
            "total_open_order_initial_margin_crossed": self.orders,
            "available_balance_cross": free + self.profit,
            "available_balance_isolated": free + min(self.profit, Decimal(0)),
            "margin_ratio_cross": ratio,
            "withdrawable_balance": max(free + min(self.profit, Decimal(0)), Decimal(0)),
            "total_account_equity": self.wallet + self.profit,
            "updated_at": self.at_ms,
        }


def crossed_margin(account: Account, at_ms: int) -> CrossedMargin:
    """Sum up the USDT wallet at the present marks.

    Raises:
        LookupError: If there are crossed positions and the account was made without marks.
    """
    purse = account.purse("USDT")
    maintenance = sum((row.maintenance(account.mark(row.pair)) for row in account.crossed_positions()), Decimal(0))
    wallet = purse.wallet.available + purse.wallet.locked
    return CrossedMargin(
        at_ms, account.crossed_profit(), maintenance, wallet, purse.wallet.locked, purse.user_margin,
        purse.order_margin,
    )  # fmt: skip
