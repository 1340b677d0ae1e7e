"""What was kept apart: bounded in number and in bytes, counted for ever."""

import threading

from coindcx_feed.feed.kept import Kept, KeptApart


def _entry(arrival: int, size: int = 10) -> Kept:
    return Kept(arrival, arrival * 1_000, "df-order-update", "reason", b"x" * size)


def _arrivals(kept: KeptApart, limit: int = 100) -> list[int]:
    return [entry.arrival for entry in kept.newest(limit)]


def test_newest_entries_come_first() -> None:
    """A page shows the latest trouble on top."""
    kept = KeptApart()
    for arrival in range(5):
        kept.add(_entry(arrival))
    assert _arrivals(kept, 3) == [4, 3, 2]


def test_nothing_kept_gives_an_empty_list() -> None:
    """The page of a healthy feed."""
    assert KeptApart().newest(10) == []


def test_C8_number_of_entries_is_bounded_and_the_count_goes_on() -> None:
    """Old entries go, the counter never forgets."""
    kept = KeptApart(max_entries=3)
    for arrival in range(10):
        kept.add(_entry(arrival))
    assert _arrivals(kept) == [9, 8, 7]
    assert kept.count == 10


def test_C8_bytes_are_bounded() -> None:
    """Large frames push out as many older ones as their size asks for."""
    kept = KeptApart(max_bytes=100)
    for arrival in range(10):
        kept.add(_entry(arrival, 30))
    assert _arrivals(kept) == [9, 8, 7]
    kept.add(_entry(10, 90))
    assert _arrivals(kept) == [10]


def test_entry_above_the_byte_bound_is_kept_alone() -> None:
    """The newest frame can always be looked at; the next one takes its place."""
    kept = KeptApart(max_bytes=100)
    kept.add(_entry(1))
    kept.add(_entry(2, 5_000))
    assert _arrivals(kept) == [2]
    kept.add(_entry(3))
    assert _arrivals(kept) == [3]


def test_reading_while_writing_never_fails_or_goes_back() -> None:
    """One writer, readers in other threads."""
    kept, seen, stop = KeptApart(max_entries=50), [0], threading.Event()

    def read() -> None:
        while not stop.is_set():
            newest = kept.newest(5)
            assert [entry.arrival for entry in newest] == sorted((entry.arrival for entry in newest), reverse=True)
            seen.append(newest[0].arrival if newest else 0)

    reader = threading.Thread(target=read)
    reader.start()
    for arrival in range(1, 20_001):
        kept.add(_entry(arrival))
    stop.set()
    reader.join(10)
    assert seen == sorted(seen)
