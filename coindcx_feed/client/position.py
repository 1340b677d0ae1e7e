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
        self._greeted: str | None = None

    def query(self) -> dict[str, str]:
        """Return the parameters that ask for everything later."""
        if self.since is None:
            return {}
        if self.since == "earliest" or self.epoch is None:
            return {"since": str(self.since)}
        return {"since": str(self.since), "epoch": self.epoch}

    def take_greeting(self, epoch: str, newest: int) -> None:
        """Note the server's epoch. Whether it can go on from ``since`` is told by what follows: events, or a gap.

        Until then the place stays one of its own epoch: with the new one it would name another event.
        """
        if self.since is None:
            self.since, self.epoch = newest, epoch
        self._greeted = epoch

    def settle(self) -> None:
        """Note that something followed the greeting: that the place means nothing there would have been said first."""
        if self._greeted is not None:
            self.epoch, self._greeted = self._greeted, None

    def take_epoch(self, epoch: str) -> None:
        """Note that later events belong to another series."""
        self.epoch = epoch

    def take_event(self, seq: int) -> None:
        self.settle()
        self.since = seq

    def take_gap(self, missed_to: object) -> None:
        """Note that everything up to a number is lost; ``None``: the position means nothing there, all is sent."""
        self.settle()
        self.since = missed_to if isinstance(missed_to, int) else "earliest"
