"""Numbers, times and texts: what people read equals what was sent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.ui import format as fmt

IST = ZoneInfo("Asia/Kolkata")
NOON_MS = 1_795_345_373_418.0  # 2026-11-22 11:02:53.418 UTC


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1650841.59606695345873", "1,650,841.59606695345873"),
        ("-14.5100", "−14.5100"),
        ("0.00", "0.00"),
        ("1e-7", "1e-7"),
        ("word", "word"),
        (None, "–"),
    ],
)
def test_number_keeps_every_digit_sent(text: str | None, shown: str) -> None:
    """Grouping changes nothing but the look; what is no plain number is shown as it came."""
    assert fmt.number(text) == shown


def test_signed_number_has_plus_only_when_positive() -> None:
    """Zero is neither a gain nor a loss."""
    assert [fmt.number(text, signed=True) for text in ("2.5", "-2.5", "0.00")] == ["+2.5", "−2.5", "0.00"]


def test_unknown_and_zero_are_never_the_same_sign() -> None:
    """A missing figure must not read as nothing."""
    assert fmt.number(None) != fmt.number("0")
    assert fmt.percent(None) != fmt.percent(0.0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("83948.992003968253", "83,948.99"),
        ("1.418754030152", "1.418754"),
        ("0.0961", "0.0961"),
        ("15.22600001", "15.226"),
    ],
)
def test_figure_shortens_but_never_adds_digits(text: str, shown: str) -> None:
    """Cards have room for about seven significant digits; the exact text is in the tooltip."""
    assert fmt.figure(text) == shown


def test_rounded_keeps_small_results_visible() -> None:
    """A PnL of a tenth of a cent is not zero."""
    assert fmt.rounded("10.7750", signed=True) == "+10.78"
    assert fmt.rounded("0.0012", signed=True) == "+0.0012"
    assert fmt.rounded("not a number") == "–"


def test_long_decimals_in_a_sentence_are_cut_visibly() -> None:
    """Twelve decimals would push the rest of the sentence out of the cell."""
    assert fmt.trimmed("locked 11,258.021086135033 → 9.5 ▼") == "locked 11,258.0210… → 9.5 ▼"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (42, "42 s"),
        (728, "12 m 08 s"),
        (8_040, "2 h 14 m"),
        (273_600, "3 d 04 h"),
        (-5, "0.0 s"),
    ],
)
def test_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    """The browser ticks ages on in the same words."""
    assert fmt.duration(seconds) == shown


def test_percent_writes_a_space_and_a_true_minus() -> None:
    """What rounds to zero has no sign."""
    assert fmt.percent(-0.312, signed=True) == "−31.2 %"
    assert fmt.percent(0.0743, signed=True) == "+7.4 %"
    assert fmt.percent(-0.0001, signed=True) == "0.0 %"


def test_clock_shows_the_date_only_when_it_is_not_today() -> None:
    """Today is the reader's today: 22:00 UTC is already tomorrow in India."""
    assert fmt.clock(NOON_MS, IST, today=NOON_MS) == "16:32:53.418"
    assert fmt.clock(NOON_MS, IST, today=NOON_MS + 86_400_000) == "22 Nov 16:32:53.418"
    assert fmt.clock(NOON_MS, UTC, digits=-1) == "11:02"
    assert fmt.clock(None, UTC) == "–"


def test_utc_and_zone_are_named() -> None:
    """A time without its zone cannot be compared with a log."""
    assert fmt.utc(NOON_MS) == "2026-11-22 11:02:53.418 UTC"
    assert fmt.zone_name(IST, NOON_MS) == "IST (UTC+05:30)"
    assert fmt.zone_name(UTC, NOON_MS) == "UTC"


def test_T13_visible_replaces_what_cannot_be_seen_and_cuts() -> None:
    """A name with a right-to-left override must not look like another name; a megabyte must not reach the browser."""
    assert fmt.visible("\u202egpj.exe\u200b") == "\ufffdgpj.exe\ufffd"
    assert len(fmt.visible("x" * 1_000_000)) == fmt.SHOWN_CHARACTERS


def test_T13_visible_leaves_markup_as_text() -> None:
    """Markup is only text; whoever shows it must not parse it, so nothing is escaped twice."""
    assert fmt.visible("<b>&amp;</b> [a](http://b)") == "<b>&amp;</b> [a](http://b)"


def test_T13_escaped_json_means_the_same() -> None:
    """Unseen characters become escapes, which are the same JSON."""
    import json

    text = '{\n "a": "\u202ex\u00a0y"\n}'
    shown = fmt.escaped_json(text, 1_000)
    assert "\u202e" not in shown
    assert json.loads(shown) == json.loads(text)


def test_escaped_json_says_how_much_is_missing() -> None:
    """A cut without a word would look like the whole record."""
    assert "900 more characters" in fmt.escaped_json("x" * 1_000, 100)


def test_milliseconds_keep_the_sign_of_clock_skew() -> None:
    """A negative delay tells that the clocks differ."""
    assert fmt.milliseconds(-11.4) == "−11 ms"
    assert fmt.milliseconds(12_345.0) == "12 s"


@contextmanager
def _lakhs() -> Iterator[None]:
    fmt.group_rupees(True)
    try:
        yield
    finally:
        fmt.group_rupees(False)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=2))
def test_rupees_in_lakh_and_crore_keep_every_digit(amount: object) -> None:
    """Only commas move: three digits at the end, two before, and without them it is the figure itself."""
    shown = fmt.number(f"{amount:f}", signed=True)
    with _lakhs():
        grouped = fmt.in_currency(shown, "INR")
        assert fmt.in_currency(shown, "USDT") == shown
    assert grouped.replace(",", "") == shown.replace(",", "")
    assert re.fullmatch(r"[+\u2212]?\d{1,2}(,\d\d)*,\d{3}\.\d\d|[+\u2212]?\d{1,3}\.\d\d", grouped)
    assert fmt.in_currency(shown, "INR") == shown


@pytest.mark.parametrize(
    ("shown", "grouped"),
    [
        ("1,650,841.59", "16,50,841.59"),
        ("−100,000", "−1,00,000"),
        ("999", "999"),
        ("–", "–"),
        ("12,345,678", "1,23,45,678"),
    ],
)
def test_rupees_are_grouped_as_in_india(shown: str, grouped: str) -> None:
    """One lakh is 1,00,000, one crore 1,00,00,000."""
    with _lakhs():
        assert fmt.in_currency(shown, "INR") == grouped
