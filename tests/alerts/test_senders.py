"""Senders from settings."""

from pathlib import Path

from fakes.runtimes import settings_for
from fakes.telegram_api import CHAT, TOKEN
from pydantic import SecretStr

from coindcx_feed.alerts.senders import secrets_of_destinations, senders_of


def test_one_sender_per_destination(tmp_path: Path) -> None:
    """By the names that rules use."""
    settings = settings_for(
        "http://127.0.0.1:1",
        tmp_path,
        alert_telegram=SecretStr(f"me={TOKEN}/{CHAT}"),
        alert_webhooks=SecretStr("ops=https://example.org/a/b,other=https://example.org/c"),
    )
    assert [sender.name for sender in senders_of(settings)] == ["telegram:me", "webhook:ops", "webhook:other"]
    assert {TOKEN, "https://example.org/a/b", "a/b"} <= set(secrets_of_destinations(settings))


def test_nothing_is_sent_without_settings(tmp_path: Path) -> None:
    """The usual case."""
    settings = settings_for("http://127.0.0.1:1", tmp_path)
    assert senders_of(settings) == secrets_of_destinations(settings) == []
