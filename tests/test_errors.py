"""The tree of errors: one root, branches that callers may catch, messages that say what to do."""

import inspect

import pytest

from coindcx_feed import errors
from coindcx_feed.errors import (
    BadRequest,
    ClientError,
    ConfigError,
    EpochChanged,
    FeedError,
    FrameError,
    NotAuthorized,
    NotJson,
    OriginRefused,
    OwnerLocked,
    PositionLost,
    ProtocolMismatch,
    RecoverError,
    RestError,
    UnknownShape,
    UpstreamError,
)

BRANCHES = {
    ConfigError: [OwnerLocked],
    UpstreamError: [ProtocolMismatch, RestError],
    FrameError: [NotJson, UnknownShape],
    RecoverError: [EpochChanged, PositionLost],
    ClientError: [BadRequest, NotAuthorized, OriginRefused],
}


def all_errors() -> list[type]:
    members = [member for _, member in inspect.getmembers(errors, inspect.isclass)]
    return [member for member in members if member.__module__ == errors.__name__]


@pytest.mark.parametrize(("branch", "leaves"), BRANCHES.items())
def test_leaves_belong_to_their_branch(branch: type[FeedError], leaves: list[type[FeedError]]) -> None:
    """A caller that catches a branch catches every leaf of it."""
    assert issubclass(branch, FeedError)
    assert all(issubclass(leaf, branch) for leaf in leaves)


def test_every_error_has_the_root_and_a_meaning() -> None:
    """Nothing is raised on purpose that the root does not catch, and each class says when it is raised."""
    for error in all_errors():
        assert issubclass(error, FeedError)
        assert error.__doc__


def test_a_lost_position_carries_the_range_and_the_way_on() -> None:
    """A reader learns exactly what is gone and where to go on."""
    error = PositionLost(5, 9)
    assert (error.missed_from, error.missed_to) == (5, 9)
    assert str(error) == "events 5 to 9 are no longer kept; read on from 10"


def test_a_rest_error_carries_its_status() -> None:
    """Zero means that no reply came."""
    assert (RestError("no reply").status, RestError("refused", 401).status) == (0, 401)
    assert str(RestError("refused", 401)) == "refused"
