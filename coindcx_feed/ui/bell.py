"""What tells a reader of new notices on every page: toast, badge, and by his own choice a notification and a sound."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from coindcx_feed.ui import format as fmt
from coindcx_feed.ui import scripts

SHOWN: Final = 160
GLYPHS: Final = {"info": "·", "warning": "▲", "critical": "✕"}
COLORS: Final = {"info": "blue", "warning": "yellow", "critical": "red"}

Brief = dict[str, Any]


def listen(brief: Brief) -> None:
    """Hand the newest notices to the browser, which tells each of them once per window; drawn on every page."""
    _component()(key="bell", data={"role": "listener", **payload(brief)})


def choices() -> None:
    """Draw the reader's choices. They are of this browser, off at first, and the permission is asked at the press."""
    _component()(key="bell-choices", data={"role": "choices"})


def payload(brief: Brief) -> dict[str, Any]:
    """Return what the browser needs: texts to be shown as text, cut, and by which ways."""
    notices = [
        {
            "number": notice["number"],
            "title": f"{GLYPHS[notice['severity']]} {fmt.visible(notice['name'], 60)}",
            "text": fmt.visible(fmt.trimmed(notice["text"]), SHOWN),
            "severity": notice["severity"],
            "ways": notice["ways"],
        }
        for notice in brief["recent"]
    ]
    return {"series": brief["series"], "newest": brief["newest"], "unread": brief["unread"], "notices": notices}


@cache
def _component() -> Callable[..., Any]:
    return scripts.component("bell")
