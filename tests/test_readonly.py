"""C9, T23, T25: nothing here can change a real account, and the rooms know only whom they may know. Static."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coindcx_feed.exchange import rest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "coindcx_feed"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *ROOT.glob("*.py"), *(ROOT / "pages").rglob("*.py")])
WRITING = ("orders/create", "orders/cancel", "orders/edit", "positions/exit")
TEXT_SUFFIXES = {".py", ".js", ".json", ".toml", ".cfg", ".sh", ".css", ".html", ".txt", ""}
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _room(path: Path) -> str:
    """Return ``ui`` for ``coindcx_feed/ui/tables.py``, ``pages`` for ``pages/feed.py``, ``cli.py`` for itself."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "coindcx_feed" else parts[0]


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Return every module a file imports, also inside functions, with the imported names as modules."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (module, *(f"{module}.{alias.name}" for alias in node.names))


def _importers(prefix: str) -> set[str]:
    return {
        _name(path)
        for path in SOURCES
        if any(name == prefix or name.startswith(f"{prefix}.") for name in _imports(path))
    }


def _importing_rooms(prefix: str) -> set[str]:
    return {_room(ROOT / name) for name in _importers(prefix)}


def test_C9_paths_that_change_an_account_occur_in_the_simulator_only() -> None:
    """Every text file of the tree but tests and documents is searched."""
    found = set()
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if parts[0] in ("tests", ".git") or (parts[0].startswith(".") and parts[0] not in (".ci", ".streamlit")):
            continue
        if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            found |= {_name(path) for words in WRITING if words in text}
    assert all(name.startswith("coindcx_feed/simulator/") for name in found)


def test_the_search_finds_what_it_looks_for() -> None:
    """The simulator serves these paths: if they were not found there, the test above would prove nothing."""
    text = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "simulator").glob("*.py"))
    assert "orders/create" in text
    assert len(SOURCES) > 50


def test_C9_demo_runtime_is_the_only_door_to_the_simulator() -> None:
    """No other module can reach its order routes."""
    outside = {name for name in _importers("coindcx_feed.simulator") if not name.startswith("coindcx_feed/simulator/")}
    assert outside == {"coindcx_feed/feed/demo.py"}


def test_C9_demo_runtime_is_imported_inside_functions_only() -> None:
    """A live process must not load the simulator by importing something else."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top for alias in node.names} | {getattr(node, "module", None) for node in top}
        assert not names & {"coindcx_feed.feed.demo", "DemoExchange"}, _name(path)


def test_C9_live_process_does_not_load_the_simulator() -> None:
    """Importing runtime, service, sidecar, client and command line leaves it on the disk."""
    script = (
        "import sys\n"
        "import coindcx_feed.cli, coindcx_feed.doctor, coindcx_feed.feed.service, coindcx_feed.client\n"
        "print([name for name in sys.modules if name.startswith('coindcx_feed.simulator')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_T23_signed_calls_are_reads_from_one_table() -> None:
    """Methods and paths this package may call on the exchange with a signature."""
    assert rest.READS
    for method, path in rest.READS.values():
        assert method in ("GET", "POST")
        assert not re.search(r"create|cancel|edit|exit|update|add_|remove_|leverage|transfer|withdraw", path), path
    users = {name for name in _importers("coindcx_feed.exchange.signing") if "/simulator/" not in name}
    assert users == {"coindcx_feed/exchange/rest.py", "coindcx_feed/exchange/supervisor.py"}


def test_T23_outgoing_socket_events_are_join_and_leave() -> None:
    """The session emits nothing else to the exchange."""
    tree = ast.parse((PACKAGE / "exchange" / "session.py").read_text(encoding="utf-8"))
    emitted = [
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "emit"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert sorted(emitted) == ["join", "leave"]


def test_only_ui_app_and_pages_import_streamlit() -> None:
    """Everything else runs without a dashboard."""
    names = _importers("streamlit")
    assert all(re.match(r"coindcx_feed/ui/|app\.py|pages/", name) for name in names), names


@pytest.mark.parametrize("room", ["feed", "sidecar", "ui", "store", "alerts", "client", "views", "analysis"])
def test_exchange_room_knows_no_other_room(room: str) -> None:
    """It knows CoinDCX and nothing of who listens."""
    assert "exchange" not in _importing_rooms(f"coindcx_feed.{room}")


@pytest.mark.parametrize(("prefix", "stranger"), [
    ("coindcx_feed.ui", "feed"), ("coindcx_feed.ui", "sidecar"), ("coindcx_feed.ui", "analysis"),
    ("coindcx_feed.ui", "views"), ("coindcx_feed.ui", "client"), ("coindcx_feed.sidecar", "client"),
    ("coindcx_feed.feed.runtime", "ui"), ("coindcx_feed.feed.runtime", "sidecar"), ("socketio", "feed"),
    ("socketio", "ui"), ("socketio", "sidecar"), ("socketio", "client"),
])  # fmt: skip
def test_rooms_do_not_reach_around(prefix: str, stranger: str) -> None:
    """Dependencies point one way."""
    assert stranger not in _importing_rooms(prefix)


def test_nothing_imports_pages() -> None:
    """Pages are the last layer."""
    assert _importers("pages") == set()


@pytest.mark.skipif(not CONSTRAINTS.is_file(), reason="constraints are part of a checkout")
def test_T25_constraints_pin_exact_versions_and_name_no_index() -> None:
    """What CI installs is written down, package by package."""
    lines = [line.strip() for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    for line in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line
    names = [re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in pins]
    assert len(names) == len(set(names))
    for needed in ("aiohttp", "python-socketio", "streamlit", "pydantic", "msgspec", "pytest", "ruff", "mypy"):
        assert needed in names
