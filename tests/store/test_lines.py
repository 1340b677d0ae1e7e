"""Connections whose server does not answer: cut, they fail at once."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.postgres import Postgres
from fakes.waiting import eventually_sync
from store.made import event, opened, url_of

from coindcx_feed.errors import StoreError, StoreGone
from coindcx_feed.store.engines import parse_place, writer_engine
from coindcx_feed.store.lines import Lines


def test_F22_calls_to_a_frozen_server_end_when_it_is_given_up(own_server: Postgres) -> None:
    """An append and a read that hang fail at once, later ones too, and the log can be closed."""
    store = opened(own_server.url())
    store.append([event(1)], store.last_epoch or "")
    assert store.get(1) is not None
    ended: list[StoreError] = []

    def call(work: Callable[..., object], *arguments: object) -> threading.Thread:
        def run() -> None:
            try:
                work(*arguments)
            except StoreError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    own_server.freeze()
    threads = [call(store.append, [event(2)], store.last_epoch), call(store.read, 0, 10)]
    assert not any(thread.join(0.3) or not thread.is_alive() for thread in threads)
    began = time.monotonic()
    store.give_up()
    eventually_sync(lambda: not any(thread.is_alive() for thread in threads))
    assert time.monotonic() - began < 3
    assert len(ended) == 2
    with pytest.raises(StoreGone, match="given up"):
        store.append([event(2)], store.last_epoch or "")
    store.close()
    own_server.thaw()


def test_a_file_has_no_lines_to_cut(tmp_path: Path) -> None:
    """Nothing happens to its connections."""
    place = parse_place(url_of(tmp_path))
    engine = writer_engine(place, "full")
    lines = Lines(engine)
    with engine.connect() as connection:
        lines.cut()
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()
