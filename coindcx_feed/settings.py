"""Settings from the environment or ``.env``. No message built here ever holds the value of a setting."""

import difflib
import ipaddress
import os
from collections.abc import Callable
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from dotenv.parser import parse_stream
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coindcx_feed.alerts.destinations import parse_chats, parse_webhooks
from coindcx_feed.analysis.moments import parse_moment, parse_speed, parse_window
from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire

PREFIX = "COINDCX_"
ENV_FILE = ".env"
ENCODING = "utf-8-sig"
"""UTF-8, also as some editors write it: with a mark in front that would hide the first name."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TOKEN_CHARACTERS = 16
JWT_SECRET_BYTES = 32
PASSWORD_CHARACTERS = 12
STORES = ("sqlite", "postgresql")

Mode = Literal["demo", "live", "custom", "replay"]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_pairs(pairs: tuple[str, ...]) -> tuple[str, ...]:
    for pair in pairs:
        if not wire.is_pair(pair):
            raise ValueError("expected pairs like B-BTC_USDT, separated by commas")
    return tuple(dict.fromkeys(pairs))


def _check_users(users: tuple[str, ...]) -> tuple[str, ...]:
    for user in users:
        if not user.isprintable() or " " in user or [len(part) > 0 for part in user.split("@")] != [True, True]:
            raise ValueError("expected e-mail addresses, separated by commas")
    return tuple(dict.fromkeys(user.casefold() for user in users))


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parts = _split_url(origin)
        if parts is None or parts.scheme not in ("http", "https") or parts.path or parts.query or parts.fragment:
            raise ValueError("expected origins like http://localhost:8501, exact, without a path")
    return origins


def _split_url(url: str) -> SplitResult | None:
    """Take an address apart; ``None`` when it has no host, or a port that is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        return None
    return parts if parts.hostname and url.isprintable() and " " not in url else None


def _check_url(schemes: tuple[str, str]) -> AfterValidator:
    def check(url: str) -> str:
        parts = _split_url(url)
        if parts is None or parts.scheme not in schemes:
            raise ValueError(f"expected an address that begins with {schemes[1]}://, with a host")
        if parts.username or parts.password:
            raise ValueError("expected an address without user name and password")
        if parts.scheme == schemes[0] and parts.hostname not in LOOPBACK:
            raise ValueError(f"expected {schemes[1]}://; plain {schemes[0]}:// is accepted on loopback only")
        return url.rstrip("/")

    return AfterValidator(check)


def _check_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.strip():
        raise ValueError("expected a value, was empty: give it one or leave it out")
    # These go into HTTP headers: a line end there is refused with a message that quotes the text.
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("expected letters, digits and signs without blanks: copy it again")
    return secret


def _check_token(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < TOKEN_CHARACTERS:
        raise ValueError(f"expected at least {TOKEN_CHARACTERS} characters, was shorter: make a longer one")
    return secret


def _check_jwt_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < JWT_SECRET_BYTES:
        raise ValueError(f"expected at least {JWT_SECRET_BYTES} bytes, was shorter: make a longer one")
    return secret


def _check_networks(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise ValueError("expected addresses like 10.0.0.5 or networks like 10.0.0.0/24, with commas") from None
    return names


def _check_password(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < PASSWORD_CHARACTERS:
        raise ValueError(f"expected at least {PASSWORD_CHARACTERS} characters, was shorter: make a longer one")
    return secret


def _check_folder(folder: Path) -> Path:
    if folder == Path():
        raise ValueError("expected a folder, was empty: give it one or leave it out")
    return folder.expanduser()


def _check_file(path: Path) -> Path:
    if path == Path():
        raise ValueError("expected a file, was empty: give it one or leave it out")
    return path.expanduser()


def _check_moment(text: str) -> str:
    return _reading(text, parse_moment)


def _check_speed(text: str) -> str:
    return _reading(text, parse_speed)


def _reading(text: str, parse: Callable[[str, str], object]) -> str:
    try:
        parse(text, "")
    except ConfigError as error:
        raise ValueError(str(error).removeprefix(": ").rpartition(", was ")[0]) from None
    return text


def _check_store(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if text != "none" and text.split("://")[0] not in STORES:
        raise ValueError("expected none, sqlite:///PATH or postgresql://HOST/DATABASE")
    return url


def _check_webhooks(secret: SecretStr) -> SecretStr:
    parse_webhooks(secret.get_secret_value())
    return secret


def _check_chats(secret: SecretStr) -> SecretStr:
    parse_chats(secret.get_secret_value())
    return secret


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65535)]
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]


class Settings(BaseSettings):
    """What the user decides. Every name is a field here with the prefix ``COINDCX_``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding=ENCODING,
        extra="ignore",
        hide_input_in_errors=True,
        frozen=True,
    )

    mode: Literal["auto", "demo", "live", "replay"] = "auto"
    api_key: Secret | None = None
    api_secret: Secret | None = None
    stream_url: Annotated[str, _check_url(("ws", "wss"))] = wire.STREAM_URL
    api_url: Annotated[str, _check_url(("http", "https"))] = wire.API_URL
    public_url: Annotated[str, _check_url(("http", "https"))] = wire.PUBLIC_URL
    allow_custom_upstream: bool = False
    pairs: Annotated[Names, AfterValidator(_check_pairs)] = ("B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT")
    upstream: Literal["always", "on-demand"] = "always"
    follow: Annotated[str, _check_url(("ws", "wss"))] | None = None
    follow_token: Secret | None = None
    ring_capacity: Annotated[int, Field(ge=1_000, le=5_000_000)] = 100_000
    sidecar_host: str = "127.0.0.1"
    sidecar_port: Port = 8000
    sidecar_token: Annotated[Secret, AfterValidator(_check_token)] | None = None
    sidecar_jwt_secret: Annotated[Secret, AfterValidator(_check_jwt_secret)] | None = None
    sidecar_trusted_proxies: Annotated[Names, AfterValidator(_check_networks)] = ()
    sidecar_tls_cert: Annotated[Path, AfterValidator(_check_file)] | None = None
    sidecar_tls_key: Annotated[Path, AfterValidator(_check_file)] | None = None
    sidecar_max_clients: Annotated[int, Field(ge=1, le=100_000)] = 1000
    sidecar_max_connections_per_ip: Annotated[int, Field(ge=1, le=100_000)] = 50
    sidecar_max_handshakes_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    sidecar_max_messages_per_s: Annotated[int, Field(ge=1, le=10_000)] = 20
    sidecar_max_message_kib: Annotated[int, Field(ge=1, le=16_384)] = 64
    sidecar_origins: Annotated[Names, AfterValidator(_check_origins)] = ()
    sidecar_hosts: Names = ()
    dashboard_password: Annotated[SecretStr, AfterValidator(_check_password)] | None = None
    dashboard_users: Annotated[Names, AfterValidator(_check_users)] = ()
    dashboard_trust_emails: bool = False
    behind_tls_proxy: bool = False
    simulator_port: Port = 8010
    odd_after_s: Annotated[int, Field(ge=1, le=3600)] = 20
    odd_crossed_percent: Annotated[Decimal, Field(ge=0, le=50)] = Decimal("0.1")
    odd_mark_age_s: Annotated[int, Field(ge=1, le=3600)] = 10
    odd_lock_s: Annotated[int, Field(ge=1, le=600)] = 5
    proof_limit_s: Annotated[int, Field(ge=3, le=40)] = 10
    rest_per_minute: Annotated[int, Field(ge=1, le=900)] = 60
    data_dir: Annotated[Path, AfterValidator(_check_folder)] = Field(
        default_factory=lambda: user_data_path("coindcx-feed", appauthor=False)
    )
    store_url: Annotated[SecretStr, AfterValidator(_check_store)] | None = None
    store_synchronous: Literal["full", "normal"] = "full"
    store_keep_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    store_max_gb: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(0)
    record_dir: Annotated[Path, AfterValidator(_check_folder)] | None = None
    record_redact: bool = False
    replay_from: Annotated[str, AfterValidator(_check_moment)] | None = None
    replay_to: Annotated[str, AfterValidator(_check_moment)] | None = None
    replay_speed: Annotated[str, AfterValidator(_check_speed)] = "1"
    alert_webhooks: Annotated[SecretStr, AfterValidator(_check_webhooks)] | None = None
    alert_telegram: Annotated[SecretStr, AfterValidator(_check_chats)] | None = None
    alert_telegram_url: Annotated[str, _check_url(("http", "https"))] = "https://api.telegram.org"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.api_key is None) != (self.api_secret is None):
            present, absent = ("API_KEY", "API_SECRET") if self.api_key else ("API_SECRET", "API_KEY")
            raise ValueError(f"{PREFIX}{present} is set without {PREFIX}{absent}: set both, or neither for the demo")
        self._check_reach()
        if (self.sidecar_tls_cert is None) != (self.sidecar_tls_key is None):
            present, absent = ("CERT", "KEY") if self.sidecar_tls_cert else ("KEY", "CERT")
            raise ValueError(f"{PREFIX}SIDECAR_TLS_{present} is set without {PREFIX}SIDECAR_TLS_{absent}: set both")
        if self.follow is not None and self.mode == "replay":
            raise ValueError(f"{PREFIX}FOLLOW does not go with {PREFIX}MODE=replay: leave one of them out")
        if self.follow is None and self.follow_token is not None:
            raise ValueError(f"{PREFIX}FOLLOW_TOKEN is set without {PREFIX}FOLLOW: set both, or neither")
        try:
            parse_window(self.replay_from, self.replay_to)
        except ConfigError:
            raise ValueError(f"{PREFIX}REPLAY_TO: expected a time after {PREFIX}REPLAY_FROM") from None
        if self._foreign_hosts() and not self.allow_custom_upstream:
            raise ValueError(
                f"{PREFIX}STREAM_URL, {PREFIX}API_URL or {PREFIX}PUBLIC_URL names a host that is not the exchange's: "
                f"correct it, or set {PREFIX}ALLOW_CUSTOM_UPSTREAM=1 if you trust that host with your key"
            )
        return self

    def _check_reach(self) -> None:
        """Refuse to serve the account to others without a credential, be it directly or through a proxy."""
        if self.sidecar_token is not None or self.sidecar_jwt_secret is not None:
            return
        keys = f"set {PREFIX}SIDECAR_TOKEN or {PREFIX}SIDECAR_JWT_SECRET"
        if self.sidecar_host not in LOOPBACK:
            raise ValueError(f"{PREFIX}SIDECAR_HOST is not a loopback address: {keys}, or leave the host at 127.0.0.1")
        if self.sidecar_trusted_proxies:
            raise ValueError(f"{PREFIX}SIDECAR_TRUSTED_PROXIES: a proxy lets others in: {keys}, or leave it out")

    @property
    def is_open_to_network(self) -> bool:
        """Whether credentials of the sidecar travel readable for whoever is on the way."""
        is_local = self.sidecar_host in LOOPBACK or bool(self.sidecar_trusted_proxies)
        return not is_local and self.sidecar_tls_cert is None

    def sidecar_url(self, port: int | None = None) -> str:
        """Return where this machine finds the sidecar's socket, with the port really bound where it is given.

        What is bound to every interface is found on loopback: no request that names a wildcard is answered.
        """
        scheme = "ws" if self.sidecar_tls_cert is None else "wss"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.sidecar_host, self.sidecar_host)  # noqa: S104 - not bound
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self.sidecar_port if port is None else port}/api/v1/ws/coindcx"

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
        lines = _lines(error)
    # Raised outside, so that the error with the values in it is not even behind this one.
    raise ConfigError(f"{'; '.join(lines)} (from the environment or {ENV_FILE})")


def _refuse_unknown_names() -> None:
    in_file, broken = _read_env_names()
    if broken:
        raise ConfigError(
            f"{ENV_FILE} line {broken[0]}: expected {PREFIX}NAME=value, was no such pair: correct the line"
        )
    for name in sorted({*in_file, *(name for name in os.environ if _is_ours(name))}):
        if name.upper() not in _NAMES:
            near = difflib.get_close_matches(name.upper(), _NAMES, n=1, cutoff=0)[0]
            raise ConfigError(f"{_shown_name(name, near)} is no setting: did you mean {near}? Correct or remove it")


def _read_env_names() -> tuple[list[str], list[int]]:
    """Return our names in the file, without their values, and the lines that begin like ours but are no pair."""
    why = ""
    names: list[str] = []
    broken: list[int] = []
    try:
        if Path(ENV_FILE).is_file():
            with open(ENV_FILE, encoding=ENCODING) as file:
                for binding in parse_stream(file):
                    text = binding.original.string
                    if binding.error or binding.value is None:
                        blank_lines = len(text) - len(text.lstrip())
                        line = binding.original.line + text[:blank_lines].count("\n")
                        broken += [line] * _is_ours(text.lstrip().removeprefix("export").lstrip())
                    elif binding.key is not None and _is_ours(binding.key):
                        names.append(binding.key)
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
    if why:
        raise ConfigError(f"cannot read {ENV_FILE} ({why}): make it a readable UTF-8 text file")
    return names, broken


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _shown_name(name: str, near: str) -> str:
    """Return a misspelt name as far as it cannot hold a value that was glued to it."""
    if name.isidentifier() and name.isascii() and abs(len(name) - len(near)) <= 3 and _is_like(name, near):
        return name
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(name.upper(), near, strict=False))
    return f"{''.join(letter for letter, _ in alike)}…"


def _is_like(name: str, near: str) -> bool:
    return difflib.SequenceMatcher(None, name.upper(), near).ratio() >= 0.75


_WORDS = {
    "int_parsing": "expected a whole number",
    "decimal_parsing": "expected a number",
    "int_from_float": "expected a whole number",
    "bool_parsing": "expected 1 or 0",
}


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_input=False, include_context=False, include_url=False):
        what = item["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        name = f"{PREFIX}{str(item['loc'][0]).upper()}: " if item["loc"] else ""
        lines.append(f"{name}{_WORDS.get(item['type'], what)}")
    return lines
