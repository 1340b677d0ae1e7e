"""Every test of a page leaves the process the service it had."""

import sys
from collections.abc import Iterator

import pytest
from ui.fake_service import ANCHOR


@pytest.fixture(autouse=True)
def anchor() -> Iterator[None]:
    """Give the process its own service back."""
    before = sys.modules.get(ANCHOR)
    yield
    if before is None:
        sys.modules.pop(ANCHOR, None)
    else:
        sys.modules[ANCHOR] = before
