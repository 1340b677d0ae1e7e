"""The list of notices: numbered, bounded, repeats grouped, read and unread."""

from alerts.helpers import rule

from coindcx_feed.alerts.notices import Found, Notice, Notices


def add(notices: Notices, second: float, thing: str = "B-ETH_USDT", group_s: float = 60, **more: bool) -> Notice:
    found = Found(rule(), thing, f"at {second}", int(second * 1e9), int(second))
    return notices.add(found, group_s=group_s, is_quiet=more.get("is_quiet", False))[0]


def test_repeats_within_the_time_are_one_notice_with_a_count() -> None:
    """The newest text and event stand in it; the time counts from the first of the group."""
    notices = Notices()
    for second in (0, 20, 40, 59.9, 60):
        add(notices, second)
    new, grouped = notices.newest(10)
    assert (grouped.number, grouped.times, grouped.text, grouped.seq) == (1, 4, "at 59.9", 59)
    assert (new.number, new.times) == (2, 1)
    assert notices.number == notices.unread == 2


def test_another_thing_or_no_grouping_is_a_notice_of_its_own() -> None:
    """Two pairs that fill are two facts."""
    notices = Notices()
    add(notices, 0)
    add(notices, 1, thing="B-BTC_USDT")
    add(notices, 2)
    add(notices, 3, group_s=0)
    assert [notice.times for notice in notices.newest(10)] == [1, 1, 2]


def test_quiet_notice_goes_out_nowhere_and_is_listed() -> None:
    """With a mark."""
    notices = Notices()
    add(notices, 0, is_quiet=True)
    (kept,) = notices.newest(1)
    assert (kept.is_quiet, kept.ways) == (True, ())


def test_list_is_bounded_and_counts_what_can_be_read() -> None:
    """What fell out can no longer be unread."""
    notices = Notices(most=3)
    for number in range(5):
        add(notices, number, thing=str(number))
    assert [notice.number for notice in notices.newest(10)] == [5, 4, 3]
    assert (notices.number, notices.unread) == (5, 3)


def test_marking_read_stops_at_a_number() -> None:
    """What came after it is still unread."""
    notices = Notices()
    for number in range(3):
        add(notices, number, thing=str(number))
    notices.mark_read(2)
    assert [notice.is_read for notice in notices.newest(3)] == [False, True, True]
    assert notices.unread == 1
    notices.mark_read()
    assert notices.unread == 0


def test_mapping_is_plain_with_times_in_ms() -> None:
    """What a page gets."""
    row = add(Notices(), 2).to_mapping()
    assert (row["at_ms"], row["last_ms"], row["ways"]) == (2_000.0, 2_000.0, ["toast", "webhook:ops"])
    assert "at_ns" not in row
