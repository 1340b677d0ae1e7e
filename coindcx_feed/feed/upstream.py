"""What the feed connects to: addresses, credentials, reads and supervisor, of the exchange or of the demo's own."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from pydantic import SecretStr

from coindcx_feed.exchange.rest import NO_RETRY, RestReader
from coindcx_feed.exchange.rest_budget import Budget
from coindcx_feed.exchange.states import Change, Timings
from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.settings import Settings

MARKET_PER_MINUTE: Final = 60
"""With the account's own 60 an eighth of the lowest limit that the exchange itself names (960 a minute)."""

MARKET_TIMEOUT_S: Final = 5.0


class Upstream(Protocol):
    """An exchange of our own that the demo starts before the session: addresses and made-up credentials."""

    key: str
    secret: str
    past_note: str

    @property
    def url(self) -> str: ...

    def start(self) -> list[Frame]:
        """Begin to serve, and return the simulated past."""

    def stop(self) -> None: ...

    def place_order(self, side: str, pair: str, qty: str, price: str | None, leverage: str | None) -> str: ...

    def cancel_order(self, order_id: str) -> str: ...


class Place:
    """The exchange that the settings name, or the embedded one.

    Args:
        demo: The embedded exchange, started; its addresses and credentials go before the settings'.
    """

    def __init__(self, settings: Settings, demo: Upstream | None) -> None:
        self._settings = settings
        self.stream_url = settings.stream_url if demo is None else demo.url
        self.api_url = settings.api_url if demo is None else demo.url
        self.public_url = settings.public_url if demo is None else demo.url
        self._credentials = _credentials(settings) if demo is None else (SecretStr(demo.key), SecretStr(demo.secret))

    def new_reader(self) -> RestReader | None:
        """Return what makes signed reads, ``None`` without credentials."""
        if self._credentials is None:
            return None
        budget = Budget(self._settings.rest_per_minute)
        return RestReader(self.api_url, *self._credentials, self.public_url, budget=budget)

    def new_market_reader(self) -> RestReader:
        """Return what makes public reads. Their own budget: the account's reads never wait for a chart."""
        budget = Budget(MARKET_PER_MINUTE)
        return RestReader(
            self.api_url, public_url=self.public_url, budget=budget, retry=NO_RETRY, timeout_s=MARKET_TIMEOUT_S
        )

    def new_supervisor(
        self,
        reader: RestReader | None,
        channels: Iterable[str],
        receive: Callable[[str, object], None],
        on_change: Callable[[Change], None],
        timings: Timings,
    ) -> Supervisor:
        """Return what keeps the session.

        Args:
            channels: Public channels of the first session.
            receive: Gets every frame: the event's name and its argument.
            on_change: Gets every change of state.
        """
        return Supervisor(self.stream_url, self._credentials, reader, channels, receive, on_change, timings)


def _credentials(settings: Settings) -> tuple[SecretStr, SecretStr] | None:
    key, secret = settings.api_key, settings.api_secret
    return None if key is None or secret is None else (key, secret)
