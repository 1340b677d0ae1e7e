"""Whether the process lives, and whether the account is being watched."""

import pytest
from sidecar.helpers import TOKEN, World

from coindcx_feed.exchange.states import State
from coindcx_feed.sidecar.http_health import HEALTH_PATH, READY_PATH


@pytest.mark.parametrize("state", list(State))
async def test_ready_is_live_and_quiet_only(world: World, state: State) -> None:
    """Everything else is 503 with the state; the process is well in each."""
    world.status |= {"state": str(state), "connected": state.is_connected}
    is_ready = state in (State.LIVE, State.QUIET)
    body = {"status": "ready" if is_ready else "not ready", "state": str(state)}
    assert await world.get(READY_PATH) == (200 if is_ready else 503, body)
    assert await world.get(HEALTH_PATH) == (200, {"status": "ok"})


async def test_both_answer_without_a_token_and_show_no_account() -> None:
    """Whoever starts processes has none; lists of hosts hold all the same."""
    async with World(token=TOKEN) as world:
        world.publish()
        for path in (HEALTH_PATH, READY_PATH):
            status, body = await world.get(path)
            assert (status, set(body) - {"status", "state"}) == (200, set())
            assert (await world.get(path, Host="evil.example"))[0] == 403
