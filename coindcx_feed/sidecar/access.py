"""Under which names and from which pages the sidecar is spoken to. Pure; its messages may be sent and logged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from coindcx_feed.settings import LOOPBACK, Settings

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound
_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True)
class Access:
    """The lists, as configured.

    ``hosts`` are lower case, a name alone stands for any port. ``origins`` are compared exactly: browsers write them in
    one form only, so anything else is not a browser's.
    """

    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def from_settings(cls, settings: Settings, dashboard_port: int | None) -> Self:
        """Build from what the user configured.

        Args:
            dashboard_port: Its loopback origins are the default list; ``None`` means no dashboard, so no page.
        """
        hosts = {*LOOPBACK, *settings.sidecar_hosts}
        if settings.sidecar_host not in _WILDCARDS:
            hosts.add(settings.sidecar_host)  # an address the user bound by name cannot be a rebound name
        origins = frozenset(settings.sidecar_origins)
        if not origins and dashboard_port is not None:
            origins = frozenset(f"http://{name}:{dashboard_port}" for name in ("localhost", "127.0.0.1"))
        return cls(frozenset(_bracketed(host.lower()) for host in hosts), origins)

    def host_refusal(self, hosts: Sequence[str]) -> str | None:
        """Judge all ``Host`` headers of a request. Returns the reason, or ``None`` when it may pass."""
        if len(hosts) == 1 and self._knows(hosts[0]):
            return None
        came = printable(", ".join(hosts)) or "(none)"
        return f"expected a Host of this machine, was {came}: use 127.0.0.1, or add it to COINDCX_SIDECAR_HOSTS"

    def origin_refusal(self, origins: Sequence[str]) -> str | None:
        """Judge all ``Origin`` headers of a request; none is right. Returns the reason, or ``None``."""
        if not origins or (len(origins) == 1 and origins[0] in self.origins):
            return None
        came = printable(", ".join(origins)) or "(empty)"
        return f"expected an Origin of the dashboard, was {came}: add yours to COINDCX_SIDECAR_ORIGINS"

    def _knows(self, host: str) -> bool:
        host = host.lower()
        match = _HOST.fullmatch(host)
        return match is not None and (match["name"] in self.hosts or host in self.hosts)


def printable(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    """Return foreign text as one short ASCII line: control characters and all else escaped, long text cut."""
    cut = text if len(text) <= most else text[:most] + "..."
    return cut.encode("unicode_escape").decode("ascii")


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
