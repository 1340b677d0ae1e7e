"""Tables per address: exact counts, growing waits, bounded memory."""

from coindcx_feed.sidecar.rates import BLOCK_S, FORGIVEN_S, FREE_GUESSES, MOST_ADDRESSES, Guesses, Handshakes, Places


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_T12_handshakes_are_counted_over_the_last_minute() -> None:
    """The one too many is told when to come back, and is not counted itself."""
    clock = Clock()
    handshakes = Handshakes(3, 20, clock)
    for _ in range(3):
        assert handshakes.wait_s("a") == 0
        clock.now += 10
    assert handshakes.wait_s("a") == 30
    assert handshakes.wait_s("b") == 0
    clock.now += 30
    assert handshakes.wait_s("a") == 0
    assert handshakes.wait_s("a") == 10


def test_T12_who_goes_on_after_so_many_refusals_insists() -> None:
    """Until the minute is over; somebody else does not."""
    clock = Clock()
    handshakes = Handshakes(1, 2, clock)
    assert handshakes.wait_s("a") == 0
    seen = []
    for _ in range(3):
        clock.now += 1
        seen.append((handshakes.insists("a"), handshakes.wait_s("a")))
    assert seen == [(False, 59), (False, 58), (True, 57)]
    assert not handshakes.insists("b")
    clock.now += 57
    assert (handshakes.insists("a"), handshakes.wait_s("a")) == (False, 0)


def test_T12_places_come_back() -> None:
    """And an address without any is forgotten."""
    places = Places(2)
    assert [places.take("a"), places.take("a"), places.take("a"), places.take("b")] == [True, True, False, True]
    places.give_back("a")
    assert places.take("a")
    for ip in ("a", "a", "b"):
        places.give_back(ip)
    assert places.total == 0
    assert not places._open


def test_T06_waits_double_up_to_a_block() -> None:
    """A thousand different guesses, each as early as allowed, take days."""
    clock, waits = Clock(), []
    guesses, began = Guesses(clock), clock.now
    for number in range(1000):
        wait = guesses.wait_s("a")
        waits.append(wait)
        clock.now += wait
        guesses.wrong("a", f"guess {number}")
    assert waits[:FREE_GUESSES] == [0] * FREE_GUESSES
    assert waits[FREE_GUESSES : FREE_GUESSES + 5] == [1, 2, 4, 8, 16]
    assert waits[-1] == BLOCK_S
    assert clock.now - began > 3 * 24 * 3600
    assert guesses.wait_s("b") == 0


def test_T06_the_same_wrong_token_again_is_no_guess() -> None:
    """A script with an old token in a loop does not lock out its neighbours."""
    guesses = Guesses(Clock())
    for _ in range(1000):
        guesses.wrong("a", "old")
    assert guesses.wait_s("a") == 0


def test_T06_who_errs_seldom_is_forgiven() -> None:
    """A quarter of an hour later the count begins anew."""
    clock = Clock()
    guesses = Guesses(clock)
    for number in range(FREE_GUESSES + 2):
        guesses.wrong("a", str(number))
    assert guesses.wait_s("a") == 4
    clock.now += FORGIVEN_S + 1
    guesses.wrong("a", "again")
    assert guesses.wait_s("a") == 0


def test_T06_tables_are_bounded() -> None:
    """However many addresses guess or connect, the one that is quiet for the longest is forgotten."""
    clock = Clock()
    guesses, handshakes = Guesses(clock), Handshakes(1, 20, clock)
    for number in range(MOST_ADDRESSES + 500):
        guesses.wrong(str(number), "x")
        handshakes.wait_s(str(number))
    assert len(guesses._guessers) == len(handshakes._comers) == MOST_ADDRESSES


def test_T16_guesses_are_kept_as_digests() -> None:
    """A near miss in a dump of memory would be worth something."""
    guesses = Guesses(Clock())
    guesses.wrong("a", "canary-9f3c1b7a")
    assert "canary" not in repr(vars(guesses)) + repr(guesses._guessers.of("a"))
