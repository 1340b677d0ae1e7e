"""The table of close codes."""

from coindcx_feed.sidecar.codes import MEANINGS, REASONS, CloseCode, markdown_table, may_return


def test_every_code_stands_once_in_the_table() -> None:
    """A code without a meaning, or with two, would make the README wrong."""
    assert sorted(meaning.code for meaning in MEANINGS) == sorted(CloseCode)
    assert set(REASONS) == set(CloseCode)


def test_reasons_fit_into_a_close_frame() -> None:
    """A control frame holds 125 bytes, two of which are the code."""
    assert all(len(reason.encode()) <= 123 for reason in REASONS.values())


def test_the_number_tells_whether_a_client_may_return() -> None:
    """4500 to 4999 may not; everything else may."""
    assert may_return(CloseCode.SLOW)
    assert may_return(CloseCode.SHUTDOWN)
    assert may_return(4499)
    assert not may_return(CloseCode.UNAUTHORIZED)
    assert not may_return(4999)


def test_markdown_has_one_row_per_code() -> None:
    """Head, rule and rows, ready to paste."""
    lines = markdown_table().splitlines()
    assert len(lines) == 2 + len(CloseCode)
    assert lines[2].startswith("| 1001 | the server stops | yes")
    assert lines[-1].startswith("| 4502 |")
    assert lines[-1].endswith("no, not with the same request |")
