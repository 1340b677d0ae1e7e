"""A small OpenID provider on loopback: discovery, authorisation, token and keys, with a key made for one test."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, CLIENT_KEY = "dashboard", "canary-client-secret-0123456789"


class Provider:
    """Signs in whoever ``claims`` names, without asking. Threads: one per request."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {}
        self.asked: list[str] = []
        self._key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, dict[str, str]] = {}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "jwks_uri": f"{self.url}/jwks",
            "token_endpoint": f"{self.url}/token", "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser goes on, with a code that is good once."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code for what the browser's owner is."""
        asked, now = self._codes.pop(form["code"]), int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "reader", "iat": now, "exp": now + 300, **self.claims}
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, {**claims, "nonce": asked["nonce"]}, self._key)
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": signed}

    def keys(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}


class _Answer(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(_flat(parts.query)))
            self.end_headers()
            return
        found = {"/.well-known/openid-configuration": self.provider.discovery, "/jwks": self.provider.keys}
        self._json(found[parts.path]())

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._json(self.provider.token(_flat(form)))

    def _json(self, body: dict[str, Any]) -> None:
        text = dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing: a test looks at ``asked``."""


def _flat(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve until the block ends."""
    made = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Answer,), {"provider": made}))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
