"""Code and style of our components, as files that a browser keeps: Streamlit repeats what is inline in every message.

Measured: 21 kB of each message of a place with nodes were its code, twice a second and place.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
import streamlit as st

PREFIX: Final = "/assets/ui/"
COMPONENTS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "bell": (("bell.js",), ("bell.css",)),
    "chart": (("charts.js",), ("charts.css",)),
    "kept": (("kept.js",), ()),
    "keys": (("keys.js",), ()),
    "nodes": (("dom.js", "nodes.js"), ("nodes.css",)),
    "since": (("since.js",), ("since.css",)),
    "tape": (("dom.js", "tape.js"), ("nodes.css", "tape.css")),
}
"""Each component's code and style sheets, in order."""


def component(name: str, *, html: str | None = None, isolate_styles: bool = True) -> Callable[..., Any]:
    """Register one of ``COMPONENTS``; the result mounts it with ``key``, ``data`` and callbacks.

    Args:
        html: What stands in it before its code runs.
        isolate_styles: Give it a shadow root of its own.
    """
    shim = asset("shim.js").replace("PATH", address(name))
    place = st.components.v2.component(f"coindcx_{name}", html=html, js=shim, isolate_styles=isolate_styles)

    def mount(*, data: dict[str, Any], **more: Any) -> Any:
        # Bytes are sent as they are; a dictionary is searched for tables and written as JSON twice.
        return place(data=_encoded(data), **more)

    return mount


def _encoded(data: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(data)
    except UnicodeEncodeError:  # half a character: what JavaScript knows and UTF-8 does not
        return json.dumps(data).encode()


@cache
def address(name: str) -> str:
    """Return the path of a component's file; its content is in the name, so a browser may keep it for ever."""
    return f"{PREFIX}{name}-{hashlib.sha256(module(name)).hexdigest()[:16]}.js"


@cache
def module(name: str) -> bytes:
    """Return a component's file: its code, and its style as a text named ``css``."""
    scripts, sheets = COMPONENTS[name]
    style = json.dumps("".join(map(asset, sheets)))
    return f"{''.join(map(asset, scripts))}\nexport const css = {style};\n".encode()


@cache
def served() -> dict[str, bytes]:
    """Return every file by its path."""
    return {address(name): module(name) for name in COMPONENTS}


def asset(name: str) -> str:
    """Read a file that ships beside this module."""
    return files("coindcx_feed.ui").joinpath(name).read_text(encoding="utf-8")
