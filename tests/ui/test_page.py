"""What every page shares."""

import ast
from collections import Counter
from pathlib import Path

from coindcx_feed import ui


def _parts() -> list[str]:
    """Return the names of all functions that are made a part of a page where they are written."""
    names = []
    for path in sorted(Path(ui.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            made = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", ())]
            names += [node.name for text in made if text.startswith(("page.part(", "time_cursor.part(", "part("))]
    return names


def test_no_two_parts_share_a_name() -> None:
    """What a page that was left still asks for must not be answered with a part of the next one."""
    counts = Counter(_parts())
    assert counts["events"] == 1
    assert [name for name, count in counts.items() if count > 1] == []
