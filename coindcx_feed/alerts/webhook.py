"""Posts notices as JSON to an address of the settings: https or loopback, no redirects, one time limit."""

import ssl
from typing import Final

import aiohttp

from coindcx_feed.alerts.channels import Message, Undelivered
from coindcx_feed.alerts.destinations import Webhook, is_allowed_address

TIMEOUT_S: Final = 10.0
AGAIN: Final = frozenset({408, 425, 429})


class WebhookSender:
    """One address. Used on one loop."""

    def __init__(self, to: Webhook) -> None:
        self.name = f"webhook:{to.name}"
        self._url = to.url
        self._http: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> None:
        """Post one message; see ``Sender.send``."""
        url = self._url.get_secret_value()
        if not is_allowed_address(url):
            raise Undelivered("expected https or loopback: correct COINDCX_ALERT_WEBHOOKS", is_final=True)
        failure = "no answer within the time limit"
        try:
            async with self._session().post(url, json=message.to_mapping(), allow_redirects=False) as answer:
                status, after = answer.status, answer.headers.get("Retry-After", "")
            failure = ""
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLError):
            failure = "its certificate is not valid"
        except (aiohttp.ClientError, OSError) as error:
            failure = f"no connection ({type(error).__name__})"
        except TimeoutError:
            pass
        if failure:  # raised here: what is behind it names the address
            raise Undelivered(failure)
        _check(status, after)

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=True)
        return self._http

    async def close(self) -> None:
        """Close connections; harmless before the first message."""
        if self._http is not None:
            await self._http.close()


def _check(status: int, retry_after: str) -> None:
    if status < 300:
        return
    if status < 400:
        raise Undelivered(
            f"answered {status}, a redirect, which is not followed: name the final address", is_final=True
        )
    if status in AGAIN or status >= 500:
        wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
        raise Undelivered(f"answered {status}", retry_after_s=wait_s)
    raise Undelivered(f"answered {status}, a refusal: look at what is behind that address", is_final=True)
