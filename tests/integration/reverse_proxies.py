"""The README's recipes for a proxy in front of the sidecar, run by the real nginx and the real Caddy.

Only names, ports and paths of a recipe are replaced; what is around it keeps the process inside its folder.
"""

import os
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import trustme
from fakes.runtimes import free_port, is_free
from fakes.waiting import eventually_sync

README: Final = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SCRIPTS: Final = README.partition("## Scripts")[2].partition("\n## ")[0]
NAME: Final = "feed.example"
END_S: Final = 10.0

AROUND_NGINX: Final = """
{user}daemon off;
pid {folder}/nginx.pid;
error_log stderr info;
worker_processes 1;
events {{}}
http {{
    access_log {folder}/access.txt;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{recipe}
}}
"""
BEFORE_CADDY: Final = """
{{
    admin off
    auto_https disable_redirects
    storage file_system {folder}
}}
"""


def recipe(language: str) -> str:
    """Return the README's block for a proxy."""
    found = re.search(rf"```{language}\n(.*?)```", SCRIPTS, re.S)
    assert found is not None, f"expected a block for {language} in the README, was none"
    return found[1]


def advised() -> dict[str, tuple[str, ...]]:
    """Return the settings that the README names beside the recipes, as fields with their values."""
    named = re.findall(r"`COINDCX_(SIDECAR_[A-Z_]+)=([^`]+)`", SCRIPTS)
    return {name.lower(): tuple(value.split(",")) for name, value in named}


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace parts that must occur once: a recipe that says something else is not run by mistake."""
    for old, new in changes.items():
        assert text.count(old) == 1, f"expected {old!r} once in the recipe, was {text.count(old)} times"
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Proxy:
    """A running proxy.

    Attributes:
        trust: What a client needs to believe its certificate.
    """

    kind: str
    port: int
    folder: Path
    trust: ssl.SSLContext

    def logs(self) -> str:
        """Return all that it wrote."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("*.txt"))


def command_of(kind: str) -> str:
    """Find a proxy's program, or skip; ``REQUIRE_SERVICES=1`` makes a missing one a failure."""
    found = shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None and os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"expected {kind}, was not found: install it")
    if found is None:
        pytest.skip(f"{kind} is not installed")
    return found


def _nginx(folder: Path, port: int, upstream: int) -> list[str]:
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        f"/etc/ssl/{NAME}.pem": str(folder / "certificate.pem"),
        f"/etc/ssl/{NAME}.key": str(folder / "key.pem"),
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
    }
    # Started by root it would give its rights away, and with them those to the test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    text = AROUND_NGINX.format(user=user, folder=folder, recipe=replaced(recipe("nginx"), changes))
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return ["-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, port: int, upstream: int) -> list[str]:
    tls = f"    bind 127.0.0.1\n    tls {folder}/certificate.pem {folder}/key.pem\n"
    changes = {f"{NAME} {{\n": f"{NAME}:{port} {{\n{tls}", "127.0.0.1:8000": f"127.0.0.1:{upstream}"}
    text = BEFORE_CADDY.format(folder=folder) + replaced(recipe("caddyfile"), changes)
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@contextmanager
def proxy(kind: str, folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run a proxy from its recipe in front of a port, with a certificate of its own, and end it whatever happens."""
    command, port, authority = command_of(kind), free_port(), trustme.CA()
    issued = authority.issue_cert(NAME)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "certificate.pem", append=True)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    arguments = (_nginx if kind == "nginx" else _caddy)(folder, port, upstream)
    said = folder / "said.txt"
    own = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with said.open("wb") as output:
        process = subprocess.Popen([command, *arguments], env=own, cwd=folder, stdout=output, stderr=output)
    try:
        eventually_sync(lambda: process.poll() is not None or not is_free(port))
        assert process.poll() is None, said.read_text(encoding="utf-8")
        yield Proxy(kind, port, folder, trust)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
