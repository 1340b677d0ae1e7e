"""Reading nodes in tests."""

from collections.abc import Iterable, Iterator
from typing import Any

Node = dict[str, Any]


def walk(nodes: Iterable[Node | None]) -> Iterator[Node]:
    """Yield every node of a forest, parents first."""
    for node in nodes:
        if node is not None:
            yield node
            yield from walk(node.get("children", ()))


def text_of(nodes: Iterable[Node | None]) -> str:
    """Join all texts with blanks; an age reads as ``<age>``."""
    parts = ["<age>" if "since" in node or "until" in node else node.get("text", "") for node in walk(nodes)]
    return " ".join(" ".join(parts).split())


def with_class(nodes: Iterable[Node | None], name: str) -> list[Node]:
    return [node for node in walk(nodes) if name in node.get("class", "").split()]
