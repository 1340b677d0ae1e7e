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
        """Note the server's epoch. After a change of epoch everything it keeps is still to come."""
        if self.since is None:
            self.since = newest
        elif self.since != "earliest" and (epoch != self.epoch or self.since > newest):
            self.since = "earliest"
        self.epoch = epoch

    def take_event(self, seq: int) -> None:
        self.since = seq

    def take_gap(self, missed_to: object) -> None:
        """Note that everything up to a number is lost; ``None`` tells nothing about where to go on."""
        if isinstance(missed_to, int):
            self.since = missed_to
