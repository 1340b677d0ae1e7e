"""Plain nodes: what the browser may build, and nothing else."""

import re

import pytest

from coindcx_feed.ui import nodes, scripts


def test_node_puts_a_single_text_in_place() -> None:
    """One text needs no child."""
    assert nodes.node("span", "muted", "0.4 s") == {"tag": "span", "class": "muted", "text": "0.4 s"}


def test_node_leaves_out_absent_children() -> None:
    """Builders pass ``None`` for what does not apply."""
    built = nodes.div("cell", nodes.span("", "a"), None, "b")
    assert [child["text"] for child in built["children"]] == ["a", "b"]


def test_node_refuses_tags_that_are_not_on_the_list() -> None:
    """A script tag is a mistake in this program, not a matter of the browser's kindness."""
    with pytest.raises(ValueError, match="was script: build it from those"):
        nodes.node("script", "", "alert(1)")


def test_browser_has_the_same_list_of_tags() -> None:
    """The list stands on both sides: Python's for the author, the browser's for safety."""
    found = re.search(r"const TAGS = new Set\(\[(.*?)\]\)", scripts.asset("dom.js"))
    assert found is not None
    assert set(re.findall(r'"(\w+)"', found[1])) == nodes.TAGS


def test_T13_browser_side_never_parses_markup() -> None:
    """Text reaches the page through textContent alone."""
    code = "".join(scripts.asset(f"{name}.js") for name in ("dom", "nodes", "charts", "tape"))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
        assert word not in code


def test_age_of_nothing_is_nothing() -> None:
    """An age that is not known has no node at all."""
    assert nodes.age(None) is None
    assert nodes.age(1_000.0, ago=True) == {"tag": "span", "class": "muted", "since": 1_000.0, "ago": True}


def test_line_is_drawn_of_numbers_only() -> None:
    """The browser turns each coordinate into a number and makes the elements itself: nothing is parsed."""
    assert nodes.div("spark", points=[[0.0, 1.0], None])["points"] == [[0.0, 1.0], None]
    script = scripts.asset("dom.js")
    assert "`${Number(point[0])},${Number(point[1])}`" in script
    assert "innerHTML" not in script
