"""Binds the address, encrypted when a certificate is configured, with a clear line for whatever is in the way."""

import asyncio
import errno
import socket
import ssl
from typing import Final

from coindcx_feed.errors import ConfigError
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.accepting import Acceptor
from coindcx_feed.sidecar.doors import Doors

HANDSHAKE_S: Final = 10.0
"""A peer that does not finish its TLS handshake for so long is cut off."""
_BACKLOG: Final = 1_024
"""With 128, a thousand clients that come at once wait seconds for the system to try again."""


async def listen(doors: Doors, settings: Settings) -> Acceptor:
    """Bind the address and accept connections.

    Raises:
        ConfigError: One line: the address cannot be bound, or certificate and key cannot be used.
    """
    context, sockets = tls_context(settings), await _bound(settings.sidecar_host, settings.sidecar_port)
    handshake_s = HANDSHAKE_S if context is not None else None
    acceptor = Acceptor(sockets, doors.admits, doors, context=context, handshake_s=handshake_s)
    acceptor.start()
    return acceptor


async def _bound(host: str, port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, *_, address in dict.fromkeys(found):
            sockets.append(socket.create_server(address[:2], family=family, backlog=_BACKLOG))
    except OSError as problem:
        for opened in sockets:
            opened.close()
        raise ConfigError(_bind_message(host, port, problem)) from None
    return sockets


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Load certificate and key; ``None`` when none are configured.

    Raises:
        ConfigError: One line naming the setting; never a content.
    """
    cert, key = settings.sidecar_tls_cert, settings.sidecar_tls_key
    if cert is None or key is None:
        return None
    for name, path in (("CERT", cert), ("KEY", key)):
        if not path.is_file():
            raise ConfigError(f"COINDCX_SIDECAR_TLS_{name}: expected a PEM file, was none at {path}: correct the path")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (ssl.SSLError, OSError, _Encrypted) as problem:
        why = "the key is encrypted" if isinstance(problem, _Encrypted) else getattr(problem, "reason", None)
        raise ConfigError(
            f"COINDCX_SIDECAR_TLS_CERT, _KEY: expected a certificate and its key as PEM, was unusable "
            f"({why or type(problem).__name__}): correct them"
        ) from None
    return context


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    # Without it the library would ask at the terminal, where nobody may sit.
    raise _Encrypted


def _bind_message(host: str, port: int, problem: OSError) -> str:
    place = f"port {port} on {host}"
    if problem.errno == errno.EADDRINUSE:
        return f"{place} is in use by another process: stop that process or set COINDCX_SIDECAR_PORT"
    if problem.errno == errno.EACCES:
        return f"{place} may not be bound by this user: set COINDCX_SIDECAR_PORT to 1024 or more"
    return f"{place} cannot be bound ({problem.strerror or problem}): correct COINDCX_SIDECAR_HOST"
