"""C9, F05: what may be asked of the exchange. Static: the tree itself is searched."""

import ast
import re
from pathlib import Path

import pytest

from coindcx_feed.errors import RequestRefused
from coindcx_feed.exchange.rest_routes import READS, checked_pair, route_of

PACKAGE = Path(__file__).parents[2] / "coindcx_feed"
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "simulator" not in path.relative_to(PACKAGE).parts]
POSTS = {"orders", "positions", "fills", "ledger"}
"""The only reads by POST. Every action of the exchange is a POST to a path of its own."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _texts(path: Path) -> list[str]:
    """Return every piece of text of a module but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spoken = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken
    ]


def _called(path: Path) -> set[str]:
    """Return the dotted names of everything a module calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_C9_table_holds_exactly_the_known_reads() -> None:
    """A new path must be added here too: by hand, after reading what it does."""
    paths = {route.path.removeprefix("/exchange/v1/derivatives/futures") for route in READS.values()}
    assert paths == {
        "/orders",
        "/positions",
        "/wallets",
        "/trades",
        "/positions/transactions",
        "/wallets/transactions",
        "/positions/cross_margin_details",
        "/data/active_instruments",
        "/data/instrument",
        "/api/v1/derivatives/futures/data/conversions",
        "/market_data/v3/current_prices/futures/rt",
        "/market_data/v3/orderbook/{pair}-futures/{depth}",
        "/market_data/candlesticks",
    }


def test_C9_only_the_documented_lists_are_read_by_post() -> None:
    """Everything else is a GET, which changes nothing."""
    assert {name for name, route in READS.items() if route.method == "POST"} == POSTS
    assert {route.method for route in READS.values()} == {"GET", "POST"}


def test_C9_no_path_is_named_like_an_action() -> None:
    """Whatever the method."""
    verbs = r"create|cancel|edit|exit|tpsl|add_|remove_|update|margin_type|leverage|transfer|withdraw"
    assert [route.path for route in READS.values() if re.search(verbs, route.path)] == []


def test_C9_no_other_module_builds_an_address_of_the_exchange() -> None:
    """The beginnings of the exchange's paths are written in the table and nowhere else outside the simulator."""
    begins = re.compile(r"/?(exchange/v1|api/v1/derivatives|derivatives/futures|market_data)\b")
    found = {_name(path) for path in SOURCES if any(begins.search(text) for text in _texts(path))}
    assert found == {"exchange/rest_routes.py"}


def test_C9_one_function_sends_requests() -> None:
    """No other module has an HTTP client, but for the two that open a WebSocket, webhooks, and a follower's first look
    at another sidecar, which only gets.
    """
    makers = {_name(path) for path in SOURCES if "aiohttp.ClientSession" in _called(path)}
    sockets = {"exchange/session.py", "client/subscribe.py"}
    assert makers == {"exchange/rest_http.py", *sockets, "alerts/webhook.py", "feed/follow_start.py"}
    verbs = {f"http.{verb}" for verb in ("request", "post", "put", "patch", "delete")}
    senders = {(_name(path), call) for path in SOURCES for call in _called(path) & verbs}
    assert senders == {("exchange/rest_http.py", "http.request")}


@pytest.mark.parametrize("module", ["requests", "httpx", "http.client", "urllib3", "urllib.request.urlopen"])
def test_C9_no_second_way_to_the_network_is_imported(module: str) -> None:
    """Only the reviewed client speaks HTTP."""
    words = re.compile(rf"^\s*(import|from) {re.escape(module)}\b|{re.escape(module)}\(", re.MULTILINE)
    assert [_name(path) for path in SOURCES if words.search(path.read_text(encoding="utf-8"))] == []


def test_signed_and_public_reads_are_told_apart() -> None:
    """The account's lists are signed; prices, books and candles come from the other host."""
    signed = {name for name, route in READS.items() if route.is_signed}
    assert signed == {"orders", "positions", "wallets", "fills", "ledger", "wallet_log", "cross_margin"}
    assert {name for name, route in READS.items() if route.is_on_public_host} == {"current_prices", "book", "candles"}


def test_unknown_read_is_refused_before_anything_is_sent() -> None:
    """The message names what there is."""
    with pytest.raises(
        RequestRefused, match=r"expected one of the reads orders.*was 'orders/create'.*nothing was sent"
    ):
        route_of("orders/create")


@pytest.mark.parametrize("text", ["../../exchange/v1", "B-ETH_USDT/..", "a.b", "", "a b", "a%2Fb", "x" * 41, "é"])
def test_C9_placeholder_cannot_lead_to_another_path(text: str) -> None:
    """Slashes, dots and escapes never reach the address."""
    with pytest.raises(RequestRefused, match="nothing was sent"):
        route_of("book", pair=text, depth="20")


def test_placeholders_are_filled() -> None:
    """The futures suffix is part of the path: without it the spot book would answer."""
    assert route_of("book", pair="B-ETH_USDT", depth="20").path.endswith("/orderbook/B-ETH_USDT-futures/20")


@pytest.mark.parametrize("pair", ["ETHUSDT", "b-eth_usdt", "", "B-ETH_USDT,B-BTC_USDT"])
def test_misspelt_pair_is_refused(pair: str) -> None:
    """The exchange would answer it with another instrument."""
    with pytest.raises(RequestRefused, match="like B-BTC_USDT"):
        checked_pair("fills", pair)
