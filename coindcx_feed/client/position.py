"""Where a subscription goes on after a break: pure bookkeeping over what was received."""

from typing import Literal

Since = int | Literal["earliest"]


class Position:
    """The last number seen and its epoch.

    Args:
        since: Where to begin; ``None`` means from now on, known with the first greeting.
        epoch: Series that ``since`` belongs to, when it is a number.
    """

    def __init__(self, since: Since | None = None, epoch: str | None = None) -> None:
        self.since = since
        self.epoch = epoch

    def query(self) -> dict[str, str]:
        """Return the parameters that ask for everything later."""
        if self.since is None:
            return {}
        if self.since == "earliest" or self.epoch is None:
            return {"since": str(self.since)}
        return {"since": str(self.since), "epoch": self.epoch}

    def take_greeting(self, epoch: str, newest: int) -> None:
        """Note the server's epoch. Whether it can go on from ``since`` is told by what follows: events, or a gap."""
        if self.since is None:
            self.since = newest
        self.epoch = epoch

    def take_epoch(self, epoch: str) -> None:
        """Note that later events belong to another series."""
        self.epoch = epoch

    def take_event(self, seq: int) -> None:
        self.since = seq

    def take_gap(self, missed_to: object) -> None:
        """Note that everything up to a number is lost; ``None``: the position means nothing there, all is sent."""
        self.since = missed_to if isinstance(missed_to, int) else "earliest"
