"""A file that is made when its button is pressed, and stays until the browser has it."""

import threading
from collections.abc import Callable
from typing import Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

KEPT_S: Final = 60.0
"""How long a made file is kept for the browser to begin reading it; a read that has begun goes on."""


def download(label: str, make: Callable[[], bytes], file_name: str, mime: str, key: str, icon: str | None) -> None:
    """Draw a button that makes a file at the press.

    Args:
        make: Called in a thread of the server, outside of any script: it must not touch the session.
        key: Names the button, unique on the page.
    """
    st.download_button(
        label,
        data=_held(make, file_name, mime, key),
        file_name=file_name,
        mime=mime,
        on_click="ignore",
        icon=icon,
        key=key,
        width="stretch",
    )


def _held(make: Callable[[], bytes], file_name: str, mime: str, key: str) -> Callable[[], bytes]:
    context = get_script_run_ctx()

    def hold(content: bytes) -> None:
        # Streamlit 1.67 keeps a file made at a press for no session: the second refresh of any page deletes it, 100 ms
        # later, while the browser has not asked yet. Registered for this page under the same content, it stays.
        files = runtime.get_instance().media_file_mgr
        files.add(content, mime, coordinates=f"held-{key}", file_name=file_name, is_for_static_download=True)

    def made() -> bytes:
        content = make()
        if context is not None and runtime.exists():
            holder = threading.Thread(target=hold, args=(content,), name="hold-download")
            add_script_run_ctx(holder, context).start()
            holder.join()
            forget = threading.Timer(KEPT_S, hold, (b"",))
            forget.daemon = True
            add_script_run_ctx(forget, context).start()
        return content

    return made
