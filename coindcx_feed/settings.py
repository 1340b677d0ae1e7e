"""Settings from the environment or ``.env``. No message built here ever holds the value of a setting."""

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire

PREFIX = "COINDCX_"
ENV_FILE = ".env"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Mode = Literal["demo", "live", "custom"]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_pairs(pairs: tuple[str, ...]) -> tuple[str, ...]:
    for pair in pairs:
        if not wire.is_pair(pair):
            raise ValueError("expected pairs like B-BTC_USDT, separated by commas")
    return tuple(dict.fromkeys(pairs))


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            raise ValueError("expected origins like http://localhost:8501, exact, without a path")
    return origins


def _check_url(schemes: tuple[str, str]) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"expected an address that begins with {schemes[1]}://")
        if parts.username or parts.password:
            raise ValueError("expected an address without user name and password")
        if parts.scheme == schemes[0] and parts.hostname not in LOOPBACK:
            raise ValueError(f"expected {schemes[1]}://; plain {schemes[0]}:// is accepted on loopback only")
        return url.rstrip("/")

    return AfterValidator(check)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """What the user decides. Every name is a field here with the prefix ``COINDCX_``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", hide_input_in_errors=True, frozen=True
    )

    mode: Literal["auto", "demo", "live"] = "auto"
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    stream_url: Annotated[str, _check_url(("ws", "wss"))] = wire.STREAM_URL
    api_url: Annotated[str, _check_url(("http", "https"))] = wire.API_URL
    public_url: Annotated[str, _check_url(("http", "https"))] = wire.PUBLIC_URL
    allow_custom_upstream: bool = False
    pairs: Annotated[Names, AfterValidator(_check_pairs)] = ("B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT")
    ring_capacity: Annotated[int, Field(ge=1_000, le=5_000_000)] = 100_000
    sidecar_host: str = "127.0.0.1"
    sidecar_port: Port = 8000
    sidecar_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    sidecar_origins: Annotated[Names, AfterValidator(_check_origins)] = ()
    sidecar_hosts: Names = ()
    simulator_port: Port = 8010
    data_dir: Path = Field(default_factory=lambda: user_data_path("coindcx-feed", appauthor=False))
    store_url: Literal["none"] = "none"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in ("api_key", "api_secret", "sidecar_token"):
            secret = getattr(self, name)
            if secret is not None and not secret.get_secret_value().strip():
                raise ValueError(f"{PREFIX}{name.upper()} is empty: give it a value or leave it out")
        if (self.api_key is None) != (self.api_secret is None):
            present, absent = ("API_KEY", "API_SECRET") if self.api_key else ("API_SECRET", "API_KEY")
            raise ValueError(f"{PREFIX}{present} is set without {PREFIX}{absent}: set both, or neither for the demo")
        if self.sidecar_host not in LOOPBACK and self.sidecar_token is None:
            raise ValueError(
                f"{PREFIX}SIDECAR_HOST is not a loopback address: set {PREFIX}SIDECAR_TOKEN, "
                "or leave the host at 127.0.0.1"
            )
        if self._foreign_hosts() and not self.allow_custom_upstream:
            raise ValueError(
                f"{PREFIX}STREAM_URL, {PREFIX}API_URL or {PREFIX}PUBLIC_URL names a host that is not the exchange's: "
                f"correct it, or set {PREFIX}ALLOW_CUSTOM_UPSTREAM=1 if you trust that host with your key"
            )
        return self

    @property
    def has_credentials(self) -> bool:
        return self.api_key is not None

    @property
    def effective_mode(self) -> Mode:
        """What the pages and messages call the mode: other hosts than the exchange's make ``live`` ``custom``."""
        mode = self.mode if self.mode != "auto" else ("live" if self.has_credentials else "demo")
        return "custom" if mode == "live" and self._upstream_hosts() != _EXCHANGE_HOSTS else mode

    def _upstream_hosts(self) -> tuple[str | None, ...]:
        return tuple(urlsplit(url).hostname for url in (self.stream_url, self.api_url, self.public_url))

    def _foreign_hosts(self) -> bool:
        return any(
            host != expected and host not in LOOPBACK
            for host, expected in zip(self._upstream_hosts(), _EXCHANGE_HOSTS, strict=True)
        )


_EXCHANGE_HOSTS = tuple(urlsplit(url).hostname for url in (wire.STREAM_URL, wire.API_URL, wire.PUBLIC_URL))
_NAMES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def load_settings() -> Settings:
    """Read and check all settings.

    Raises:
        ConfigError: One line that names the setting and what was expected, never its value.
    """
    _refuse_unknown_names()
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigError("; ".join(_lines(error))) from None


def _refuse_unknown_names() -> None:
    try:
        in_file = dotenv_values(ENV_FILE) if Path(ENV_FILE).is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise ConfigError(f"cannot read {ENV_FILE} ({why}): make it a readable UTF-8 text file") from None
    given = {name for name in (*os.environ, *in_file) if name.upper().startswith(PREFIX)}
    for name in sorted(given):
        if name.upper() not in _NAMES:
            near = difflib.get_close_matches(name.upper(), _NAMES, n=1, cutoff=0)[0]
            raise ConfigError(f"{name} is no setting: did you mean {near}? Correct or remove it")


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_input=False, include_context=False, include_url=False):
        what = item["msg"].removeprefix("Value error, ")
        name = f"{PREFIX}{str(item['loc'][0]).upper()}: " if item["loc"] else ""
        lines.append(f"{name}{what}")
    return lines
