"""Presses that another run of the page follows at once, as it does while a page settles. No browser is needed."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import aiohttp
import pytest
from browser.harness import START_S, Dashboard, eventually, running
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PAGES = 6
WITHIN_S = 20.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One that no other page keeps busy."""
    with running(tmp_path_factory.mktemp("presses")) as started:
        eventually(started.is_healthy, "a healthy dashboard", START_S)
        yield started


def _run(pressed: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.page_name = ""
    if pressed:
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = pressed, True
    return bytes(message.SerializeToString())


async def _pauses(http: aiohttp.ClientSession, url: str) -> bool:
    """Press Pause, ask for another run right behind it, and say whether the page is paused then."""
    is_pressed = False
    async with http.ws_connect(f"{url}/_stcore/stream", protocols=["streamlit"], headers={"Origin": url}) as socket:
        await socket.send_bytes(_run())
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                async for frame in socket:
                    button = ForwardMsg.FromString(frame.data).delta.new_element.button
                    if button.label == "Pause" and not is_pressed:
                        is_pressed = True
                        await socket.send_bytes(_run(button.id))
                        await socket.send_bytes(_run())
                    if button.label == "Resume":
                        return True
    return False


async def test_press_is_not_lost_to_the_run_that_follows_it(served: Dashboard) -> None:
    """Each counts: by default Streamlit forgets one when the next run is asked for before it is looked at."""
    async with aiohttp.ClientSession() as http:
        paused = [await _pauses(http, served.url) for _ in range(PAGES)]
    assert paused == [True] * PAGES
