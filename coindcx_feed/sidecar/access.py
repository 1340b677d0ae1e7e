"""Who may speak to the sidecar: Host list, Origin list, shared token. Pure; its messages may be sent and logged."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self

from coindcx_feed.settings import LOOPBACK, Settings

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound
_SHOWN_CHARACTERS: Final = 80


class Proof(Enum):
    """What the handshake says about the token."""

    NOT_NEEDED = "not needed"
    ABSENT = "absent"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class Access:
    """The lists and the token, as configured.

    ``hosts`` are lower case, a name alone stands for any port. ``origins`` are compared exactly: browsers write them in
    one form only, so anything else is not a browser's.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    token: bytes | None = field(default=None, repr=False)

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
        token = settings.sidecar_token
        secret = token.get_secret_value().encode() if token is not None else None
        return cls(frozenset(_bracketed(host.lower()) for host in hosts), origins, secret)

    def refusal(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Judge all ``Host`` and ``Origin`` headers of a request. Returns the reason, or ``None`` when it may pass."""
        if len(hosts) != 1 or not self._knows(hosts[0]):
            came = printable(", ".join(hosts)) or "(none)"
            return f"expected a Host of this machine, was {came}: use 127.0.0.1, or add it to COINDCX_SIDECAR_HOSTS"
        if origins and (len(origins) != 1 or origins[0] not in self.origins):
            came = printable(", ".join(origins)) or "(empty)"
            return f"expected an Origin of the dashboard, was {came}: add yours to COINDCX_SIDECAR_ORIGINS"
        return None

    def proof(self, authorizations: Sequence[str]) -> Proof:
        """Judge all ``Authorization`` headers of a request."""
        if self.token is None:
            return Proof.NOT_NEEDED
        if not authorizations:
            return Proof.ABSENT
        scheme, _, token = authorizations[0].partition(" ")
        is_right = len(authorizations) == 1 and scheme.lower() == "bearer" and self.accepts(token.strip())
        return Proof.RIGHT if is_right else Proof.WRONG

    def accepts(self, token: str) -> bool:
        """Compare in constant time. Without a configured token every one is accepted."""
        return self.token is None or hmac.compare_digest(self.token, token.encode("utf-8", "surrogatepass"))

    def _knows(self, host: str) -> bool:
        host = host.lower()
        match = _HOST.fullmatch(host)
        return match is not None and (match["name"] in self.hosts or host in self.hosts)


def printable(text: str) -> str:
    """Return foreign text as one short ASCII line: control characters and all else escaped, long text cut."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
    return cut.encode("unicode_escape").decode("ascii")


def _bracketed(host: str) -> str:
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
