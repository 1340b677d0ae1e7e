"""TLS: served with certificate and key, and one clear line when they cannot be used."""

import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme
from sidecar.helpers import TOKEN, World, eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.listening import tls_context

ENCRYPTED = """-----BEGIN ENCRYPTED PRIVATE KEY-----
MIIBHDBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI
-----END ENCRYPTED PRIVATE KEY-----
"""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """Certificate and key of this machine."""
    issued = authority.issue_cert("127.0.0.1", "localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return cert, key


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_the_sidecar_speaks_tls_with_a_certificate(authority: trustme.CA, files: tuple[Path, Path]) -> None:
    """Socket and status; plain HTTP gets nothing; the address says so."""
    cert, key = files
    trusting = client_context(authority)
    async with World(token=TOKEN, sidecar_tls_cert=cert, sidecar_tls_key=key) as world:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with world.http.ws_connect(world.url(scheme="wss"), headers=bearer, ssl=trusting) as ws:
            assert (await ws.receive_json())["type"] == "system"
            world.publish()
            assert (await ws.receive_json())["seq"] == 1
        status = world.url(path="/api/v1/ws/status", scheme="https")
        async with world.http.get(status, headers=bearer, ssl=trusting) as answer:
            assert (await answer.json())["seq"] == 1
        with pytest.raises(aiohttp.ClientError):
            await world.http.get(world.status_url)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await world.http.get(status)
        assert (
            world.settings.sidecar_url(world.sidecar.port) == f"wss://127.0.0.1:{world.sidecar.port}/api/v1/ws/coindcx"
        )


async def test_F14_a_client_that_does_not_read_is_closed_over_tls_too(
    authority: trustme.CA, files: tuple[Path, Path]
) -> None:
    """What waits to be encrypted counts as unsent."""
    cert, key = files
    limits = Limits(behind_s=0.3)
    async with World(capacity=20_000, limits=limits, sidecar_tls_cert=cert, sidecar_tls_key=key) as world:
        ws = await world.http.ws_connect(world.url(scheme="wss"), ssl=client_context(authority))
        assert (await ws.receive_json())["type"] == "system"
        transport = ws.get_extra_info("socket") and ws._conn and ws._conn.transport
        assert transport is not None
        transport.pause_reading()
        await eventually(lambda: not world.publish(count=20, padding=20_000) and world.sidecar.slow == 1)
        transport.abort()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda cert, key: cert.unlink(), "COINDCX_SIDECAR_TLS_CERT: expected a PEM file, was none at"),
        (lambda cert, key: key.unlink(), "COINDCX_SIDECAR_TLS_KEY: expected a PEM file, was none at"),
        (lambda cert, key: cert.write_text("canary"), "COINDCX_SIDECAR_TLS_CERT, _KEY: expected a certificate"),
        (lambda cert, key: key.write_text("canary"), "COINDCX_SIDECAR_TLS_CERT, _KEY: expected a certificate"),
        (lambda cert, key: key.write_text(ENCRYPTED), "COINDCX_SIDECAR_TLS_CERT, _KEY: expected a certificate"),
        (
            lambda cert, key: key.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes()),
            "COINDCX_SIDECAR_TLS_CERT, _KEY: expected a certificate and its key as PEM, was unusable",
        ),
    ],
)
async def test_unusable_files_are_one_clear_line(files: tuple[Path, Path], change: object, line: str) -> None:
    """At the start, before the port is bound."""
    cert, key = files
    change(cert, key)  # type: ignore[operator]
    with pytest.raises(ConfigError) as caught:
        async with World(sidecar_tls_cert=cert, sidecar_tls_key=key):
            pass
    assert str(caught.value).startswith(line)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_files_there_is_no_tls() -> None:
    """As on loopback."""
    assert tls_context(Settings()) is None
