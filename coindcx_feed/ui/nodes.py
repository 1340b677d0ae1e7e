"""Plain nodes for everything that is neither a grid nor a chart: the browser builds them with ``textContent`` only.

A node is a dictionary ``{tag, class, text, children, attrs, …}``. Text from the feed can stand in ``text`` and in
``title`` without harm, because nothing here is ever parsed as HTML or Markdown.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from coindcx_feed.ui import scripts

Node = dict[str, Any]

TAGS: Final = frozenset({"div", "span", "p", "h3", "button", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"})
"""The browser side has the same list and drops everything else."""


def node(tag: str, cls: str = "", *content: "str | Node | None", title: str | None = None, **more: Any) -> Node:
    """Build one node.

    Args:
        content: One text, or child nodes; ``None`` children are left out.
        title: Tooltip.
        more: ``since`` and ``until`` (Unix ms: the browser writes the age or the rest and keeps it ticking), ``warn_s``
            (an age from which the node is marked), ``left``/``width`` (percent), ``points`` (a line over 100 by 100
            from the upper left, broken at ``None``), ``select`` (value sent back on a click), ``copy`` (text for the
            clipboard), ``pressed``, ``label`` (for screen readers), ``scrolls`` (the keyboard reaches and scrolls it),
            ``key`` (identity among its siblings).
    Raises:
        ValueError: If the tag is not on the list.
    """
    if tag not in TAGS:
        raise ValueError(f"expected one of {', '.join(sorted(TAGS))}, was {tag}: build it from those")
    built: Node = {"tag": tag}
    if cls:
        built["class"] = cls
    kept = [part for part in content if part is not None]
    if len(kept) == 1 and isinstance(kept[0], str):
        built["text"] = kept[0]
    elif kept:
        built["children"] = [node("span", "", part) if isinstance(part, str) else part for part in kept]
    if title is not None:
        built["title"] = title
    built.update((name, value) for name, value in more.items() if value is not None)
    return built


def span(cls: str, *content: "str | Node | None", **more: Any) -> Node:
    return node("span", cls, *content, **more)


def div(cls: str, *content: "str | Node | None", **more: Any) -> Node:
    return node("div", cls, *content, **more)


def age(since_ms: float | None, cls: str = "muted", *, warn_s: float | None = None, ago: bool = False) -> Node | None:
    """Return a node that shows how long ago something was; it grows in the browser even when the server stops."""
    if since_ms is None:
        return None
    return span(cls, since=since_ms, warn_s=warn_s, ago=ago or None)


def show(
    children: Iterable[Node | None],
    *,
    key: str,
    now_ms: float | None = None,
    title: str | None = None,
    limit_s: float | None = None,
    on_select: Callable[[], None] | None = None,
) -> Any:
    """Render nodes.

    Args:
        key: Identity of this place on the page; the browser patches what is there instead of drawing it anew.
        now_ms: The server's clock, so that ages are right when the browser's differs.
        title: Title of the browser's window.
        limit_s: Say that the page is out of date when nothing came from the server for so long.
        on_select: Called after a click on a node with ``select``; ``st.session_state[key]["selected"]`` has the value
            as long as it runs.
    """
    data: dict[str, Any] = {"nodes": [child for child in children if child is not None], "now_ms": now_ms}
    data.update({name: value for name, value in (("title", title), ("limit_s", limit_s)) if value is not None})
    return _component()(key=key, data=data, on_selected_change=on_select or _nothing)


def _nothing() -> None:
    """Stand in for a callback, so that the state key exists."""


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("nodes")
