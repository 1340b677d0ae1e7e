"""Writes notices to a Telegram chat by the Bot API. Needs the extra ``telegram``; everything else works without it."""

import logging
import os
from typing import TYPE_CHECKING, Final

from coindcx_feed.alerts.channels import Message, Undelivered
from coindcx_feed.alerts.destinations import Chat
from coindcx_feed.errors import ConfigError

if TYPE_CHECKING:
    from telegram import Bot
    from telegram.request import HTTPXRequest

TIMEOUT_S: Final = 10.0
API_URL: Final = "https://api.telegram.org"


class TelegramSender:
    """One chat. Used on one loop.

    Args:
        to: Bot and chat.
        api_url: Server of the Bot API, https or loopback, checked by the settings.
    Raises:
        ConfigError: If the library is not installed.
    """

    def __init__(self, to: Chat, api_url: str = API_URL) -> None:
        self.name = f"telegram:{to.name}"
        self._to, self._api_url = to, api_url
        self._bot: Bot | None = None
        self._request: HTTPXRequest | None = None
        try:
            import telegram  # noqa: F401
        except ImportError:
            raise ConfigError(
                "COINDCX_ALERT_TELEGRAM: expected the library python-telegram-bot, was not installed: "
                "pip install 'coindcx-feed[telegram]', or leave it out"
            ) from None
        # Asks the library for the types of its next version: it warns about those of this one.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        # The HTTP library writes every address into its log, and the token is part of it.
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def send(self, message: Message) -> None:
        """Write one message as plain text, without a preview of links; see ``Sender.send``."""
        from telegram import LinkPreviewOptions
        from telegram.error import TelegramError

        failure: Undelivered | None = None
        try:
            await self._ready().send_message(
                self._to.chat_id,
                message.text,
                parse_mode=None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                disable_notification=message.severity == "info",
            )
        except TelegramError as error:
            failure = _failure(error)
        if failure is not None:  # raised here: what is behind it may quote an address with the token
            raise failure

    def _ready(self) -> "Bot":
        if self._bot is None:
            from telegram import Bot
            from telegram.request import HTTPXRequest

            self._request = HTTPXRequest(
                connection_pool_size=1,
                read_timeout=TIMEOUT_S,
                write_timeout=TIMEOUT_S,
                connect_timeout=TIMEOUT_S,
                httpx_kwargs={"follow_redirects": False},
            )
            token = self._to.token.get_secret_value()
            self._bot = Bot(token, base_url=f"{self._api_url}/bot", request=self._request)
        return self._bot

    async def close(self) -> None:
        """Close connections; harmless before the first message."""
        if self._request is not None:
            await self._request.shutdown()


def _failure(error: Exception) -> Undelivered:
    from telegram import error as known

    if isinstance(error, known.RetryAfter):
        # Its attribute is a number or a span of time, by version; what it is pickled with is always whole seconds.
        _, (seconds,) = error.__reduce__()
        return Undelivered("Telegram asks for a pause", retry_after_s=float(seconds))
    if isinstance(error, known.InvalidToken | known.Forbidden):
        return Undelivered("Telegram refused the bot: look at token and chat", is_final=True)
    if isinstance(error, known.BadRequest):
        return Undelivered("Telegram does not know the chat, or refused the message", is_final=True)
    if isinstance(error, known.TimedOut):
        return Undelivered("no answer within the time limit")
    if isinstance(error, known.NetworkError):
        return Undelivered(f"no connection ({type(error).__name__})")
    return Undelivered(f"Telegram refused ({type(error).__name__})", is_final=True)
