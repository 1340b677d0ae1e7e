"""Where a subscription goes on."""

from coindcx_feed.client.position import Position


def test_from_now_on_becomes_a_number_with_the_greeting() -> None:
    """Otherwise events between two connections would be lost when none came in the first."""
    position = Position()
    assert position.query() == {}
    position.take_greeting("E", 7)
    assert position.query() == {"since": "7", "epoch": "E"}


def test_earliest_stays_until_the_first_event() -> None:
    """A connection that broke before it has seen nothing."""
    position = Position("earliest")
    position.take_greeting("E", 7)
    assert position.query() == {"since": "earliest"}
    position.take_event(3)
    assert position.query() == {"since": "3", "epoch": "E"}


def test_a_given_number_is_asked_as_given() -> None:
    """The server judges it, also when the epoch is missing."""
    assert Position(5, "E").query() == {"since": "5", "epoch": "E"}
    assert Position(5).query() == {"since": "5"}
    position = Position(5, "E")
    position.take_greeting("E", 7)
    assert position.query() == {"since": "5", "epoch": "E"}


def test_F16_a_new_epoch_alone_changes_nothing() -> None:
    """Numbers go on across epochs: the server knows where the old one ended, or says that it does not."""
    position = Position(5, "old")
    position.take_greeting("new", 30)
    position.settle()
    assert position.query() == {"since": "5", "epoch": "new"}
    position.take_epoch("newer")
    position.take_event(31)
    assert position.query() == {"since": "31", "epoch": "newer"}


def test_C4_a_greeting_alone_does_not_make_a_place_one_of_its_epoch() -> None:
    """A connection that ends right behind it has not said yet whether events are missing: the same is asked again."""
    position = Position(5, "old")
    position.take_greeting("new", 30)
    assert position.query() == {"since": "5", "epoch": "old"}


def test_F16_a_position_that_means_nothing_there_is_dropped() -> None:
    """The server says so with a gap of open end, and sends everything it keeps."""
    position = Position(50, "E")
    position.take_greeting("F", 3)
    position.take_gap(None)
    assert position.query() == {"since": "earliest"}
    position.take_event(1)
    assert position.query() == {"since": "1", "epoch": "F"}


def test_a_known_gap_moves_the_position_behind_it() -> None:
    """It was told once; asking again would tell it again."""
    position = Position(5, "E")
    position.take_greeting("E", 100)
    position.take_gap(60)
    assert position.query() == {"since": "60", "epoch": "E"}
