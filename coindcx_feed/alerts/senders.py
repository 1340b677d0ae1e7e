"""The senders for the destinations that the settings name."""

from coindcx_feed.alerts.channels import Sender
from coindcx_feed.alerts.destinations import parse_chats, parse_webhooks
from coindcx_feed.settings import Settings


def senders_of(settings: Settings) -> list[Sender]:
    """Build one sender per destination.

    Raises:
        ConfigError: If Telegram is asked for and its library is not installed.
    """
    found: list[Sender] = []
    if settings.alert_telegram is not None:
        # Imported here: a feed without Telegram does not need its library.
        from coindcx_feed.alerts.telegram import TelegramSender

        chats = parse_chats(settings.alert_telegram.get_secret_value())
        found += [TelegramSender(chat, settings.alert_telegram_url) for chat in chats]
    if settings.alert_webhooks is not None:
        from coindcx_feed.alerts.webhook import WebhookSender

        found += [WebhookSender(hook) for hook in parse_webhooks(settings.alert_webhooks.get_secret_value())]
    return found


def secrets_of_destinations(settings: Settings) -> list[str]:
    """List the texts of destinations that no log line may hold."""
    found = []
    if settings.alert_telegram is not None:
        chats = parse_chats(settings.alert_telegram.get_secret_value())
        found += [chat.token.get_secret_value() for chat in chats]
    if settings.alert_webhooks is not None:
        for hook in parse_webhooks(settings.alert_webhooks.get_secret_value()):
            address = hook.url.get_secret_value()
            found += [address, address.partition("://")[2].partition("/")[2]]
    return [text for text in found if text]
