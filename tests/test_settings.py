"""Settings: what is refused, with which line, and that no line ever holds a value."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import PREFIX, Settings, load_settings

CANARY = "c4n4ry-5ecret-V4lue-x9"
KEY, SECRET = "key-0123456789", "secret-0123456789"

Give = Callable[..., None]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begin in an empty folder without any setting."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Set settings by their short names."""

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"{PREFIX}{name}", value)

    return set_all


def refusal() -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def everything_shown(error: BaseException) -> str:
    """Collect all that any printer of errors could show, local variables of our frames included."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in told.stack if "coindcx_feed" in frame.filename]
    local_values = [str(frame.locals) for frame in frames]
    chain = [repr(error), str(error), *traceback.format_exception(error), repr(error.args), repr(error.__context__)]
    return "\n".join([*chain, *local_values, repr(vars(error))])


def test_defaults_are_a_demo_on_loopback() -> None:
    """Without any setting the demo runs, bound to this machine."""
    settings = load_settings()
    assert (settings.effective_mode, settings.has_credentials) == ("demo", False)
    assert (settings.sidecar_host, settings.sidecar_port, settings.simulator_port) == ("127.0.0.1", 8000, 8010)
    assert settings.pairs == ("B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT")
    assert settings.ring_capacity == 100_000


def test_environment_goes_before_the_file(give: Give, tmp_path: Path) -> None:
    """A value of the environment wins over the one in .env; names are taken in any case."""
    (tmp_path / ".env").write_text("COINDCX_SIDECAR_PORT=8001\nexport coindcx_simulator_port=8011\nOTHER=1\n")
    give(SIDECAR_PORT="8002")
    settings = load_settings()
    assert (settings.sidecar_port, settings.simulator_port) == (8002, 8011)


def test_a_file_with_a_mark_in_front_is_read_in_full(tmp_path: Path) -> None:
    """An editor's byte order mark does not hide the first name."""
    (tmp_path / ".env").write_text("COINDCX_SIDECAR_PORT=8001\n", encoding="utf-8-sig")
    assert load_settings().sidecar_port == 8001


def test_pairs_are_a_list_without_repeats(give: Give) -> None:
    """Blanks and repeats in the list do not matter."""
    give(PAIRS=" B-ETH_USDT, B-SOL_USDT ,B-ETH_USDT,")
    assert load_settings().pairs == ("B-ETH_USDT", "B-SOL_USDT")


def test_the_home_folder_is_understood(give: Give) -> None:
    """A folder may begin with a tilde."""
    give(DATA_DIR="~/feed")
    assert load_settings().data_dir == Path.home() / "feed"


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({}, "demo"),
        ({"API_KEY": KEY, "API_SECRET": SECRET}, "live"),
        ({"API_KEY": KEY, "API_SECRET": SECRET, "MODE": "demo"}, "demo"),
        ({"MODE": "live"}, "live"),
        ({"MODE": "live", "STREAM_URL": "ws://127.0.0.1:9000"}, "custom"),
        ({"MODE": "live", "API_URL": "https://mirror.example", "ALLOW_CUSTOM_UPSTREAM": "1"}, "custom"),
        ({"MODE": "live", "PUBLIC_URL": "http://localhost:1"}, "custom"),
        ({"MODE": "demo", "STREAM_URL": "ws://127.0.0.1:9000"}, "demo"),
    ],
)
def test_T19_mode_tells_what_is_shown(give: Give, values: dict[str, str], mode: str) -> None:
    """Live is said of the exchange's own hosts only."""
    give(**values)
    assert load_settings().effective_mode == mode


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"MODE": "paper"}, "COINDCX_MODE: expected 'auto', 'demo', 'live' or 'replay'"),
        ({"PAIRS": "BTCUSDT"}, "COINDCX_PAIRS: expected pairs like B-BTC_USDT, separated by commas"),
        ({"PAIRS": "B-ETH_USDT;B-BTC_USDT"}, "COINDCX_PAIRS: expected pairs like B-BTC_USDT"),
        ({"RING_CAPACITY": "12"}, "COINDCX_RING_CAPACITY: expected greater than or equal to 1000"),
        ({"RING_CAPACITY": "many"}, "COINDCX_RING_CAPACITY: expected a whole number"),
        ({"ODD_CROSSED_PERCENT": "a tenth"}, "COINDCX_ODD_CROSSED_PERCENT: expected a number"),
        ({"PROOF_LIMIT_S": "60"}, "COINDCX_PROOF_LIMIT_S: expected less than or equal to 40"),
        ({"SIDECAR_PORT": "80000"}, "COINDCX_SIDECAR_PORT: expected less than or equal to 65535"),
        ({"SIDECAR_PORT": "80a"}, "COINDCX_SIDECAR_PORT: expected a whole number"),
        ({"ALLOW_CUSTOM_UPSTREAM": "perhaps"}, "COINDCX_ALLOW_CUSTOM_UPSTREAM: expected 1 or 0"),
        ({"SIDECAR_ORIGINS": "localhost:8501"}, "COINDCX_SIDECAR_ORIGINS: expected origins like http://localhost:8501"),
        ({"SIDECAR_ORIGINS": "http://a/x"}, "COINDCX_SIDECAR_ORIGINS: expected origins like http://localhost:8501"),
        ({"SIDECAR_ORIGINS": "http://[a"}, "COINDCX_SIDECAR_ORIGINS: expected origins like http://localhost:8501"),
        ({"STORE_URL": "mysql://x"}, "COINDCX_STORE_URL: expected none, sqlite:///PATH or postgresql://HOST/DATABASE"),
        ({"DATA_DIR": ""}, "COINDCX_DATA_DIR: expected a folder, was empty"),
        ({"API_KEY": KEY}, "COINDCX_API_KEY is set without COINDCX_API_SECRET: set both, or neither for the demo"),
        ({"API_SECRET": SECRET}, "COINDCX_API_SECRET is set without COINDCX_API_KEY: set both, or neither"),
        ({"API_KEY": "", "API_SECRET": SECRET}, "COINDCX_API_KEY: expected a value, was empty"),
        ({"API_KEY": KEY, "API_SECRET": "  "}, "COINDCX_API_SECRET: expected a value, was empty"),
        ({"API_KEY": f"{KEY}\n", "API_SECRET": SECRET}, "COINDCX_API_KEY: expected letters, digits and signs without"),
        ({"API_KEY": KEY, "API_SECRET": "not yours"}, "COINDCX_API_SECRET: expected letters, digits and signs"),
        ({"SIDECAR_JWT_SECRET": "short" * 6}, "COINDCX_SIDECAR_JWT_SECRET: expected at least 32 bytes, was shorter"),
        ({"SIDECAR_TRUSTED_PROXIES": "proxy"}, "COINDCX_SIDECAR_TRUSTED_PROXIES: expected addresses like 10.0.0.5"),
        ({"SIDECAR_TRUSTED_PROXIES": "10.0.0.5/8"}, "COINDCX_SIDECAR_TRUSTED_PROXIES: expected addresses like"),
        ({"SIDECAR_TRUSTED_PROXIES": "10.0.0.5"}, "COINDCX_SIDECAR_TRUSTED_PROXIES: a proxy lets others in"),
        ({"SIDECAR_TLS_CERT": "a.pem"}, "COINDCX_SIDECAR_TLS_CERT is set without COINDCX_SIDECAR_TLS_KEY: set both"),
        ({"SIDECAR_TLS_KEY": "a.pem"}, "COINDCX_SIDECAR_TLS_KEY is set without COINDCX_SIDECAR_TLS_CERT: set both"),
        ({"SIDECAR_TLS_KEY": ""}, "COINDCX_SIDECAR_TLS_KEY: expected a file, was empty"),
        ({"SIDECAR_MAX_CLIENTS": "0"}, "COINDCX_SIDECAR_MAX_CLIENTS: expected greater than or equal to 1"),
        ({"SIDECAR_MAX_MESSAGE_KIB": "x"}, "COINDCX_SIDECAR_MAX_MESSAGE_KIB: expected a whole number"),
        ({"SIDECAR_TOKEN": "short"}, "COINDCX_SIDECAR_TOKEN: expected at least 16 characters, was shorter"),
        ({"API_KEYS": KEY}, "COINDCX_API_KEYS is no setting: did you mean COINDCX_API_KEY? Correct or remove it"),
        ({"RINGCAPACITY": "1"}, "COINDCX_RINGCAPACITY is no setting: did you mean COINDCX_RING_CAPACITY?"),
        ({"SIDECAR_PROT": "1"}, "COINDCX_SIDECAR_PROT is no setting: did you mean COINDCX_SIDECAR_PORT?"),
    ],
)
def test_bad_settings_are_one_clear_line(give: Give, values: dict[str, str], line: str) -> None:
    """Missing, misspelt or wrong: the line names the setting and what was expected."""
    give(**values)
    assert refusal().startswith(line)


def test_several_faults_are_told_together(give: Give) -> None:
    """One start is enough to learn of all wrong values."""
    give(MODE="x", SIDECAR_PORT="x")
    line = refusal()
    assert "COINDCX_MODE: " in line
    assert "COINDCX_SIDECAR_PORT: " in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n# mine\nCOINDCX_MODE live\n", ".env line 3: expected COINDCX_NAME=value, was no such pair"),
        ("COINDCX_PAIRS\n", ".env line 1: expected COINDCX_NAME=value"),
        ('A=1\nexport COINDCX_API_SECRET="open\n', ".env line 2: expected COINDCX_NAME=value"),
        ("COINDCX_SIDECAR_PROT=1\n", "COINDCX_SIDECAR_PROT is no setting: did you mean COINDCX_SIDECAR_PORT?"),
    ],
)
def test_a_bad_line_of_the_file_is_named(tmp_path: Path, text: str, line: str) -> None:
    """A line that would be passed over silently stops the start instead."""
    (tmp_path / ".env").write_text(text)
    assert refusal().startswith(line)


def test_lines_of_others_in_the_file_are_left_alone(tmp_path: Path) -> None:
    """Only names with our prefix are ours to judge."""
    (tmp_path / ".env").write_text("EXPORTED\nsome thing\nMY_COINDCX=1\nCOINDCX_MODE=live\n")
    assert load_settings().mode == "live"


def test_an_unreadable_file_is_one_line(tmp_path: Path) -> None:
    """Another encoding than UTF-8 is told, not guessed."""
    (tmp_path / ".env").write_bytes(b"COINDCX_MODE=\xff\xfe\n")
    assert refusal() == "cannot read .env (UnicodeDecodeError): make it a readable UTF-8 text file"


@pytest.mark.parametrize(
    "name",
    [
        f"API_SECRET{CANARY}",
        f"API_SECRET_{CANARY.replace('-', '_')}",
        f"API_SECRET:{CANARY}",
        f"API_SECRET {CANARY}",
        f"{CANARY}",
        f"KEY_{CANARY.replace('-', '_').upper()}",
        f"SIDECAR_TOKEN\n{CANARY}",
    ],
)
def test_T16_a_secret_glued_to_a_name_is_not_shown(give: Give, name: str) -> None:
    """A value that was written without its equals sign becomes part of a name, and stays hidden."""
    give(**{name: "x"})
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert " is no setting: did you mean COINDCX_" in str(caught.value)
    shown = str(caught.value).lower().replace("_", "-")
    assert CANARY.lower() not in shown
    assert CANARY[:8].lower() not in shown


def test_T16_a_short_secret_glued_to_a_name_is_not_shown_either(give: Give) -> None:
    """Six characters too many are no slip of the finger."""
    give(API_SECRETq7x2k9="x")
    assert refusal() == "COINDCX_API_SECRET… is no setting: did you mean COINDCX_API_SECRET? Correct or remove it"


@pytest.mark.parametrize(
    "values",
    [
        {"API_KEY": CANARY},
        {"API_SECRET": CANARY},
        {"API_SECRETS": CANARY},
        {"SECRET": CANARY},
        {"SIDECAR_TOKEN": CANARY[:9]},
        {"SIDECAR_JWT_SECRET": CANARY},
        {"SIDECAR_TRUSTED_PROXIES": CANARY},
        {"API_KEY": CANARY, "API_SECRET": f"{CANARY}\n"},
        {"API_KEY": CANARY, "API_SECRET": f"{CANARY} {CANARY}"},
        {"API_KEY": CANARY, "API_SECRET": CANARY, "MODE": "x"},
        {"API_KEY": CANARY, "API_SECRET": CANARY, "SIDECAR_HOST": "0.0.0.0"},
        {"MODE": CANARY},
        {"PAIRS": CANARY},
        {"SIDECAR_PORT": CANARY},
        {"RING_CAPACITY": CANARY},
        {"STORE_URL": CANARY},
        {"ALLOW_CUSTOM_UPSTREAM": CANARY},
        {"SIDECAR_ORIGINS": f"http://{CANARY}/x"},
        {"STREAM_URL": f"wss://{CANARY}:{CANARY}@stream.coindcx.com"},
        {"API_URL": f"https://{CANARY}.example"},
        {"PUBLIC_URL": f"https://a:{CANARY}"},
        {"ALERT_WEBHOOKS": f"ops=http://{CANARY}.example"},
        {"ALERT_WEBHOOKS": f"https://example.org/{CANARY}"},
        {"ALERT_TELEGRAM": f"me={CANARY}"},
        {"ALERT_TELEGRAM_URL": f"http://{CANARY}"},
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_T16_no_refusal_holds_a_value(give: Give, tmp_path: Path, values: dict[str, str], place: str) -> None:
    """Neither the line nor anything behind the error, local variables included, holds what was given."""
    if place == "file":
        lines = [f'{PREFIX}{name}="{value}"\n' for name, value in values.items()]
        (tmp_path / ".env").write_text("".join(lines))
    else:
        give(**values)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    shown = everything_shown(caught.value).lower()
    assert CANARY.lower() not in shown
    assert CANARY[:9].lower() not in shown


def test_T16_a_broken_line_does_not_show_its_secret(tmp_path: Path) -> None:
    """The line is named by its number only."""
    (tmp_path / ".env").write_text(f"COINDCX_API_SECRET {CANARY}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert CANARY not in everything_shown(caught.value)


def test_T16_settings_never_print_their_secrets(give: Give) -> None:
    """Printing, dumping and formatting settings masks key, secret and token."""
    give(API_KEY=CANARY, API_SECRET=CANARY, SIDECAR_TOKEN=CANARY)
    settings = load_settings()
    shown = [repr(settings), str(settings), f"{settings}", str(settings.model_dump()), settings.model_dump_json()]
    assert CANARY not in "".join(shown)
    assert settings.api_secret is not None
    assert settings.api_secret.get_secret_value() == CANARY


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:9000", "ws://localhost:1/", "ws://[::1]:5", "wss://stream.coindcx.com"]
)
def test_T18_loopback_and_the_exchange_are_accepted(give: Give, url: str) -> None:
    """Unencrypted is for this machine only."""
    give(MODE="live", STREAM_URL=url)
    assert load_settings().stream_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"STREAM_URL": "ws://stream.coindcx.com"}, "expected wss://; plain ws:// is accepted on loopback only"),
        ({"API_URL": "http://api.coindcx.com"}, "expected https://; plain http:// is accepted on loopback only"),
        ({"PUBLIC_URL": "http://10.0.0.5"}, "expected https://; plain http:// is accepted on loopback only"),
        ({"API_URL": "ftp://api.coindcx.com"}, "expected an address that begins with https://, with a host"),
        ({"API_URL": "api.coindcx.com"}, "expected an address that begins with https://, with a host"),
        ({"STREAM_URL": "wss://"}, "expected an address that begins with wss://, with a host"),
        ({"STREAM_URL": "wss://host:port"}, "expected an address that begins with wss://, with a host"),
        ({"STREAM_URL": "wss://[::1"}, "expected an address that begins with wss://, with a host"),
        ({"STREAM_URL": "wss://stream.coindcx.com/ x"}, "expected an address that begins with wss://, with a host"),
        ({"STREAM_URL": "wss://me@stream.coindcx.com"}, "expected an address without user name and password"),
        ({"STREAM_URL": "https://stream.coindcx.com"}, "expected an address that begins with wss://, with a host"),
        ({"FOLLOW": "ws://desk.example:8000"}, "expected wss://; plain ws:// is accepted on loopback only"),
        ({"FOLLOW": "http://127.0.0.1:8000"}, "expected an address that begins with wss://, with a host"),
        # A host that only looks like loopback.
        ({"STREAM_URL": "ws://127.0.0.1.evil.example"}, "expected wss://; plain ws:// is accepted on loopback only"),
    ],
)
def test_T18_addresses_that_are_refused(give: Give, values: dict[str, str], line: str) -> None:
    """No plain connection leaves the machine, and there is no option to change that."""
    give(ALLOW_CUSTOM_UPSTREAM="1", **values)
    (name,) = values
    assert refusal().startswith(f"COINDCX_{name}: {line}")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:8000", "ws://localhost:8000/api/v1/ws/coindcx", "wss://desk.example"])
def test_feed_to_follow_is_on_loopback_or_encrypted(give: Give, url: str) -> None:
    """It carries account data; its token is a secret."""
    give(FOLLOW=url, FOLLOW_TOKEN=CANARY)
    settings = load_settings()
    assert settings.follow == url
    assert CANARY not in repr(settings)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"FOLLOW_TOKEN": CANARY}, "COINDCX_FOLLOW_TOKEN is set without COINDCX_FOLLOW"),
        ({"FOLLOW": "ws://127.0.0.1:8000", "MODE": "replay"}, "COINDCX_FOLLOW does not go with COINDCX_MODE=replay"),
    ],
)
def test_follow_settings_that_do_not_fit_are_refused(give: Give, values: dict[str, str], line: str) -> None:
    """One line, without the token."""
    give(**values)
    assert line in refusal()
    assert CANARY not in refusal()


def test_T18_no_option_turns_verification_off() -> None:
    """No setting is about certificates of others; the sidecar has one of its own."""
    names = " ".join(name for name in Settings.model_fields if name not in ("sidecar_tls_cert", "sidecar_tls_key"))
    assert not [word for word in ("verify", "insecure", "ssl", "cert") if word in names]


@pytest.mark.parametrize(
    "values",
    [
        {"STREAM_URL": "wss://evil.example"},
        {"API_URL": "https://api.coindcx.com.evil.example"},
        {"PUBLIC_URL": "https://xn--coindcx.example"},
        {"STREAM_URL": "wss://api.coindcx.com"},
        {"API_URL": "https://evil.example", "ALLOW_CUSTOM_UPSTREAM": "0"},
    ],
)
def test_T19_another_host_needs_the_flag(give: Give, values: dict[str, str]) -> None:
    """The key is never sent to a host that a tampered setting names; with the flag it is a custom upstream."""
    give(API_KEY=KEY, API_SECRET=SECRET, **values)
    assert "names a host that is not the exchange's: correct it, or set COINDCX_ALLOW_CUSTOM_UPSTREAM=1" in refusal()
    give(ALLOW_CUSTOM_UPSTREAM="1")
    assert load_settings().effective_mode == "custom"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_T20_loopback_needs_no_token(give: Give, host: str) -> None:
    """On this machine the sidecar may be open."""
    give(SIDECAR_HOST=host)
    assert load_settings().sidecar_host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "my-machine.local", ""])
def test_T20_other_hosts_need_a_token(give: Give, host: str) -> None:
    """Nothing is opened to the network without authentication."""
    give(SIDECAR_HOST=host)
    assert refusal().startswith("COINDCX_SIDECAR_HOST is not a loopback address: set COINDCX_SIDECAR_TOKEN")
    give(SIDECAR_TOKEN="a-token-of-enough-characters")
    assert load_settings().sidecar_host == host


def test_T20_a_jwt_secret_opens_other_hosts_and_proxies_too(give: Give) -> None:
    """Either credential will do."""
    give(SIDECAR_HOST="0.0.0.0", SIDECAR_TRUSTED_PROXIES="10.0.0.5, ::1/128", SIDECAR_JWT_SECRET="s" * 32)
    assert load_settings().sidecar_trusted_proxies == ("10.0.0.5", "::1/128")


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "ws://127.0.0.1:8000/api/v1/ws/coindcx"),
        ({"SIDECAR_HOST": "::1", "SIDECAR_PORT": "1"}, "ws://[::1]:1/api/v1/ws/coindcx"),
        ({"SIDECAR_TLS_CERT": "~/a", "SIDECAR_TLS_KEY": "b"}, "wss://127.0.0.1:8000/api/v1/ws/coindcx"),
        ({"SIDECAR_HOST": "0.0.0.0", "SIDECAR_TOKEN": "x" * 16}, "ws://127.0.0.1:8000/api/v1/ws/coindcx"),
        ({"SIDECAR_HOST": "::", "SIDECAR_TOKEN": "x" * 16}, "ws://[::1]:8000/api/v1/ws/coindcx"),
        ({"SIDECAR_HOST": "10.0.0.7", "SIDECAR_TOKEN": "x" * 16}, "ws://10.0.0.7:8000/api/v1/ws/coindcx"),
    ],
)
def test_the_sidecars_address_can_be_used_on_the_same_machine(give: Give, values: dict[str, str], url: str) -> None:
    """With a certificate it is encrypted; what is bound to every interface is found on loopback."""
    give(**values)
    assert load_settings().sidecar_url() == url
