"""What every page shares: service, zone, theme, the status line, and what happens when a part fails."""

import logging
from collections.abc import Callable
from datetime import tzinfo
from functools import cache, wraps
from typing import Any, Final

import streamlit as st

from coindcx_feed.feed.process import process_service
from coindcx_feed.ui import bell, nodes, reader, status, theme
from coindcx_feed.ui.theme import Palette

FAST_S: Final = 0.5
"""Tables and prices."""
STEADY_S: Final = 1.0
"""Status and sums: their ages go on in the browser. Each run of a part costs Streamlit about 5 ms of CPU."""
SLOW_S: Final = 1.5
"""Charts."""

_log = logging.getLogger(__name__)
failures: dict[str, int] = {}
"""How often each part of a page failed in this process."""

Part = Callable[[], None]


def service() -> Any:
    """Return the feed's service: methods and plain data only, because it outlives a reload of this code."""
    return process_service()


def zone() -> tzinfo:
    """Return the zone that every time on a page is shown in: the reader's choice, else the browser's."""
    return reader.zone()


def palette() -> Palette:
    return theme.palette(st.context.theme.type)


def style() -> str:
    """Return the rules that neither the theme nor a component of ours can say.

    The side padding of the main block wastes about 140 px. What draws nothing takes no room, and what tells of alerts
    has no place in the flow of the page. Streamlit writes white on the accent, light in the dark theme (1.8:1).
    """
    return (
        "[data-testid='stMainBlockContainer']{padding-left:1.25rem;padding-right:1.25rem}"
        "[class*='st-key-kept-'],.st-key-keys{display:none}.st-key-bell{position:absolute}"
        f"[data-testid='stMultiSelectTagsContainer'] [data-tag] *,"
        f"button[kind='primary'] *{{color:{palette().paper}}}"
    )


def part(every_s: float | None, *, name: str | None = None) -> Callable[[Part], Part]:
    """Make a function a part of a page that refreshes by itself and fails by itself.

    Parts must not be nested: the inner one would stay on the screen when the outer one is gone.

    Args:
        name: Of the part among those of all pages; the function's by default.
    """

    def decorate(draw: Part) -> Part:
        fragment: Part = st.fragment(section(draw), run_every=every_s, key=f"part-{name or draw.__name__}")
        return fragment

    return decorate


def section(draw: Part) -> Part:
    """Make a function that fails by itself: one of several in a part, because each run of a part costs."""

    @wraps(draw)
    def guarded() -> None:
        try:
            reader.group()
            draw()
        except Exception as error:  # noqa: BLE001  # task boundary: one broken part must not take the others with it
            failures[draw.__name__] = failures.get(draw.__name__, 0) + 1
            # The message may hold feed text or figures of the account; type and place are enough to find it.
            _log.error("page part failed part=%s error=%s %s", draw.__name__, type(error).__name__, _place(error))
            _show_failure(type(error).__name__)

    return guarded


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"at={trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"


def _show_failure(kind: str) -> None:
    st.error(
        f"This part of the page failed ({kind}). The feed itself is not affected; the log says where. "
        "It is drawn again with the next refresh."
    )


def begin(name: str) -> None:
    """Draw what stands on top of every page.

    Args:
        name: The page's name, for the window title.
    """
    st.session_state["page"] = name
    reader.settle()
    st.html(f"<style>{style()}</style>")
    with st.container(horizontal=True, vertical_alignment="top", gap="xsmall", key="page-head"):
        _status_line_of(name)()
        reader.choice()
    if service().status()["replay"] is not None:
        # Imported here: only a replay has it, and it is made of this module's parts.
        from coindcx_feed.ui import replay_bar

        replay_bar.controls()


@cache
def _status_line_of(name: str) -> Part:
    # A part of its own on each page: what the page that was left still asks for is not answered into the next one.
    return part(STEADY_S, name=f"status_line-{name}")(status_line)


def status_line() -> None:
    current, alerts = service().status(), service().alerts.brief()
    nodes.show(
        status.status_nodes(current, service().gaps(), zone()),
        key="status",
        now_ms=current["now_ms"],
        title=status.window_title(current, st.session_state.get("page", ""), alerts["unread"]),
        limit_s=status.PAGE_LIMIT_S,
    )
    bell.listen(alerts)
