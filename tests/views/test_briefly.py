"""Answers that stay good for a moment."""

from itertools import count

from coindcx_feed.views.briefly import KEPT_S, Briefly


def test_an_answer_is_kept_for_a_moment_and_then_made_anew() -> None:
    """Many readers in one moment cost one answer; the next moment brings the next one."""
    now_s, answers = [10.0], count(1)
    asked = Briefly(lambda: next(answers), lambda: now_s[0])
    assert [asked(), asked()] == [1, 1]
    now_s[0] += KEPT_S - 0.01
    assert asked() == 1
    now_s[0] += 0.01
    assert asked() == 2
