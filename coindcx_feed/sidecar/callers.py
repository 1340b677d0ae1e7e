"""Where a request comes from: the peer, or the address that a trusted proxy names. Pure."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from coindcx_feed.settings import Settings

_MOST_HOPS: Final = 20
_IPV6_SITE_BITS: Final = 64
"""Whoever has one IPv6 address has its whole network of this size."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Caller(NamedTuple):
    """Attributes: ``ip`` stands for the caller in limits; ``shown`` in log lines, printable."""

    ip: str
    shown: str
    is_proxied: bool = False
    is_clear: bool = False
    """A trusted proxy says that the caller's own connection is not encrypted."""


@dataclass(frozen=True)
class Callers:
    """Knows which proxies are believed."""

    proxies: tuple[Network, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(tuple(ipaddress.ip_network(name) for name in settings.sidecar_trusted_proxies))

    def trusts(self, peer: object) -> bool:
        """Tell whether a connection comes from a proxy. ``peer`` is the transport's ``peername``."""
        address = _parsed(_host(peer))
        return address is not None and self._is_proxy(address)

    def caller(self, peer: object, forwarded_for: Sequence[str], forwarded_proto: Sequence[str]) -> Caller:
        """Name who sent a request.

        The rightmost address that is no trusted proxy: what stands left of it was written by the caller.

        Args:
            peer: The transport's ``peername``.
            forwarded_for: All ``X-Forwarded-For`` headers in order; ``forwarded_proto`` alike.
        """
        host = _host(peer)
        address = _parsed(host)
        port = peer[1] if isinstance(peer, tuple) else 0
        if address is None or not self._is_proxy(address):
            return Caller(_key(address) if address else host, f"{host}:{port}")
        hops = _hops(forwarded_for)
        named = next((hop for hop in reversed(hops) if hop is None or not self._is_proxy(hop)), None)
        if named is None:  # no header, none that is an address, or proxies only: the proxy itself
            return Caller(_key(address), f"{host}:{port}", is_proxied=True)
        is_clear = bool(forwarded_proto) and forwarded_proto[-1].strip().lower() in ("http", "ws")
        return Caller(_key(named), f"{named} via {host}:{port}", is_proxied=True, is_clear=is_clear)

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self.proxies)


def key_of(peer: object) -> str:
    """Return what stands for a direct peer in limits."""
    host = _host(peer)
    address = _parsed(host)
    return _key(address) if address else host


def _hops(headers: Iterable[str]) -> list[Address | None]:
    names = [name.strip() for header in headers for name in header.split(",")]
    return [_parsed(name) for name in names[-_MOST_HOPS:]]


def _host(peer: object) -> str:
    return str(peer[0]) if isinstance(peer, tuple) and peer else "unknown"


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _key(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)
