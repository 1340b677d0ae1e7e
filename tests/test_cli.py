"""The console script in child processes: help, bad input, and the commands working together."""

import csv
import io
import json
import os
import re
import signal
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.commands import START_S, Child, Done, Here, environment, fetched, run
from fakes.frames import FIXTURES
from fakes.runtimes import is_free
from fakes.waiting import eventually_sync

COMMANDS = ["serve", "replay", "export", "rebuild", "simulate", "order", "cancel", "tail", "doctor"]
EXIT_S = 5.0
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str], Child]]:
    """One demo that serves for the tests which only talk to it."""
    folder = tmp_path_factory.mktemp("demo")
    env = environment(folder)
    child = Child(folder, env, "serve")
    try:
        eventually_sync(lambda: child.said("upstream state=live"), START_S)
        yield folder, env, child
    finally:
        child.kill()


def numbered(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the events: when a commit took two seconds, a message without a number tells of another epoch."""
    return [message for message in map(json.loads, lines) if "seq" in message]


def _one_line(done: Done) -> str:
    (line,) = done.stderr.splitlines()
    assert line.startswith("coindcx-feed: ")
    assert done.stdout == ""
    assert done.returncode not in (0, None)
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_succeeds_and_needs_no_valid_setting(tmp_path: Path, here: Here, command: str) -> None:
    """Somebody with a wrong setting needs help most."""
    done = here(tmp_path, environment(tmp_path, NONSENSE=1), command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f" {command} " in done.stdout.splitlines()[0]


def test_help_lists_the_commands_and_says_it_is_read_only(tmp_path: Path) -> None:
    """Also when called without anything, then with an exit code that is not zero."""
    asked, empty = run(tmp_path, "--help"), run(tmp_path)
    assert (asked.returncode, empty.returncode) == (0, 2)
    for done in (asked, empty):
        assert all(f"  {command} " in done.stdout for command in COMMANDS)
        assert "Read-only" in done.stdout
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        (["nonsense"], {}, "No such command"),
        (["--nonsense"], {}, "No such option"),
        (["order", "buy"], {}, "Missing argument"),
        (["order", "hold", "B-ETH_USDT", "--qty", "1"], {}, "'hold' is not one of 'buy', 'sell'"),
        (["order", "buy", "B-ETH_USDT", "--qty", "1"], {}, "expected the simulator on 127.0.0.1:"),
        (["cancel", "some-id"], {}, "expected the simulator on 127.0.0.1:"),
        (["tail", "--limit", "0"], {}, "--limit"),
        (["tail", "--since", "5"], {}, "--since: expected earliest or SEQ@EPOCH"),
        (["tail", "--url", "http://127.0.0.1/"], {}, "expected an address like ws://"),
        (["tail", "--format", "csv", "--types", "trade"], {}, "csv has columns for the account feed only"),
        (["serve"], {"SIDECAR_PROT": 1}, "COINDCX_SIDECAR_PROT is no setting: did you mean COINDCX_SIDECAR_PORT"),
        (["serve"], {"SIDECAR_PORT": "abc"}, "COINDCX_SIDECAR_PORT: "),
        (["serve"], {"API_KEY": "canary"}, "COINDCX_API_KEY is set without COINDCX_API_SECRET"),
        (["serve"], {"REPLAY_SPEED": "fast"}, "COINDCX_REPLAY_SPEED: expected a factor such as 1 or 10"),
        (["serve"], {"REPLAY_FROM": "2026-01-02", "REPLAY_TO": "2026-01-01"}, "COINDCX_REPLAY_TO: expected a time"),
        (["serve"], {"MODE": "replay"}, "expected a log, was nothing"),
        (["serve"], {"PAIRS": "BTCUSDT"}, "COINDCX_PAIRS: expected pairs like B-BTC_USDT"),
        (["serve"], {"SIDECAR_HOST": "0.0.0.0"}, "COINDCX_SIDECAR_TOKEN"),
        (["serve"], {"MODE": "live", "STREAM_URL": "wss://example.com"}, "COINDCX_ALLOW_CUSTOM_UPSTREAM"),
        (["serve"], {"DATA_DIR": os.devnull}, "cannot be written"),
        (["order", "buy", "B-ETH_USDT", "--qty", "1"], {"MODE": "nonsense"}, "COINDCX_MODE: "),
    ],
)
def test_bad_input_is_answered_with_one_line(
    tmp_path: Path, here: Here, arguments: list[str], settings: dict[str, object], expected: str
) -> None:
    """What was expected, what came, what to do; no traceback, no value of a secret."""
    line = _one_line(here(tmp_path, environment(tmp_path, **settings), *arguments))
    assert expected in line
    assert "canary" not in line


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"),
    [
        (["simulate", "--frames", "missing.jsonl"], {}, "missing.jsonl: expected a readable file"),
        (["simulate", "missing.jsonl"], {}, "expected --frames before missing.jsonl"),
        (["simulate", "--speed", "nan", "--frames", "x"], {}, "speed"),
        (["tail", "--limit", "x"], {}, "Invalid value for '--limit'"),
        (["serve"], {"API_KEY": "canary"}, "COINDCX_API_KEY is set without COINDCX_API_SECRET"),
    ],
)
def test_bad_input_ends_a_process_of_its_own_with_one_line(
    tmp_path: Path, arguments: list[str], settings: dict[str, object], expected: str
) -> None:
    """The same through the interpreter: nothing is added at exit."""
    line = _one_line(run(tmp_path, *arguments, env=environment(tmp_path, **settings)))
    assert expected in line
    assert "canary" not in line


def test_engineio_script_is_refused_by_name(tmp_path: Path) -> None:
    """Those fixtures are not frames."""
    script = FIXTURES / "scenarios" / "engineio-session-public.constructed.jsonl"
    assert "Engine.IO script" in _one_line(run(tmp_path, "simulate", "--frames", str(script)))


@pytest.mark.parametrize("name", ["SIDECAR_PORT", "SIMULATOR_PORT"])
def test_busy_port_ends_serve_with_one_line_that_names_the_setting(tmp_path: Path, name: str) -> None:
    """The other port is free again."""
    env = environment(tmp_path)
    with socket.create_server(("127.0.0.1", int(env[f"COINDCX_{name}"]))):
        done = run(tmp_path, "serve", env=env)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("coindcx-feed: ")
    assert "in use" in line
    assert f"COINDCX_{name}" in line
    assert all(is_free(int(env[f"COINDCX_{port}"])) for port in ("SIDECAR_PORT", "SIMULATOR_PORT"))


def test_F23_second_serve_ends_with_one_line_that_names_the_owner(demo: tuple[Path, dict[str, str], Child]) -> None:
    """It does not connect."""
    folder, env, child = demo
    line = _one_line(run(folder, "serve", env=env))
    assert f"owned by serve (process {child.process.pid} on " in line
    assert "stop it first" in line
    assert child.process.poll() is None


def test_tail_prints_the_events_of_the_demo_as_json_lines(demo: tuple[Path, dict[str, str], Child]) -> None:
    """From the earliest kept: dense numbers, simulated history first."""
    folder, env, _ = demo
    done = run(folder, "tail", "--since", "earliest", "--limit", "50", env=env)
    assert done.returncode == 0, done.stderr
    found = numbered(done.stdout.splitlines())
    assert len(found) > 40
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert {event["type"] for event in found} >= {"order", "position", "balance"}


def test_tail_filters_types_and_pairs(demo: tuple[Path, dict[str, str], Child]) -> None:
    """As the sidecar's query does."""
    folder, env, _ = demo
    arguments = ["--types", "order", "--pairs", "B-ETH_USDT", "--since", "earliest", "--limit", "5"]
    found = numbered(run(folder, "tail", *arguments, env=env).stdout.splitlines())
    assert {(event["type"], event["data"]["pair"]) for event in found} == {("order", "B-ETH_USDT")}


def test_tail_writes_csv_with_one_header(demo: tuple[Path, dict[str, str], Child]) -> None:
    """The columns of an export."""
    folder, env, _ = demo
    done = run(folder, "tail", "--format", "csv", "--since", "earliest", "--limit", "5", env=env)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    numbers = [row["seq"] for row in rows if row["seq"]]
    assert len(rows) == 5
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert {row["mode"] for row in rows} == {"demo"}
    assert list(rows[0])[:3] == ["seq", "epoch", "timestamp"]


def test_tail_resumes_behind_a_position(demo: tuple[Path, dict[str, str], Child]) -> None:
    """SEQ@EPOCH of any event leads to the next one; another epoch is told as a gap."""
    folder, env, _ = demo
    first = run(folder, "tail", "--format", "csv", "--since", "earliest", "--limit", "12", env=env)
    row = [row for row in csv.DictReader(io.StringIO(first.stdout)) if row["seq"]][-1]
    done = run(folder, "tail", "--since", f"{row['seq']}@{row['epoch']}", "--limit", "3", env=env)
    seen = [event["seq"] for event in numbered(done.stdout.splitlines())]
    assert seen[:2] == [int(row["seq"]) + 1, int(row["seq"]) + 2]
    other = run(folder, "tail", "--since", "10@another-epoch", "--limit", "1", env=env)
    assert json.loads(other.stdout)["data"]["message"] == "resume_gap"


def test_unknown_type_is_answered_by_the_running_sidecar_with_one_line(
    demo: tuple[Path, dict[str, str], Child],
) -> None:
    """And tail does not try again."""
    folder, env, _ = demo
    assert "nonsense" in _one_line(run(folder, "tail", "--types", "nonsense", env=env))


def test_order_and_cancel_reach_the_simulator_and_come_back_as_events(
    demo: tuple[Path, dict[str, str], Child], children: list[Child]
) -> None:
    """The way around: command, simulated exchange, wire, feed, sidecar, tail."""
    folder, env, _ = demo
    tail = Child(folder, env, "tail", "--types", "order", "--since", "earliest")
    children.append(tail)
    eventually_sync(tail.lines, START_S)
    current = json.loads(fetched(env["COINDCX_SIMULATOR_PORT"], "/market_data/v3/current_prices/futures/rt"))
    price = str(int(current["prices"]["B-ETH_USDT"]["mp"] * 0.98))  # rests in the book, inside the price band
    placed = run(folder, "order", "buy", "B-ETH_USDT", "--qty", "0.1", "--price", price, env=env)
    assert placed.returncode == 0, placed.stderr
    order_id, status = placed.stdout.split()
    assert status in ("initial", "open")

    def statuses() -> list[str]:
        found = [event["data"] for event in numbered(tail.lines())]
        return [data["status"] for data in found if data["id"] == order_id]

    eventually_sync(lambda: statuses()[-1:] == ["open"], START_S)
    cancelled = run(folder, "cancel", order_id, env=env)
    assert (cancelled.returncode, cancelled.stdout) == (0, f"{order_id} cancelled\n")
    eventually_sync(lambda: statuses()[-1:] == ["cancelled"], START_S)


def test_order_that_is_refused_is_one_line(demo: tuple[Path, dict[str, str], Child], here: Here) -> None:
    """The exchange's reason, or what was expected; nothing in an id leads to another address."""
    folder, env, _ = demo
    for arguments in (
        ["order", "buy", "ETHUSDT", "--qty", "1"],
        ["order", "buy", "B-ETH_USDT", "--qty", "abc"],
        ["order", "buy", "B-ETH_USDT", "--qty", "0"],
        ["order", "sell", "B-ETH_USDT", "--qty", "1", "--price", "-5"],
        ["order", "sell", "B-ETH_USDT", "--qty", "1", "--leverage", "1e9"],
        ["cancel", "no-such-order"],
        ["cancel", "../../simulator"],
    ):
        _one_line(here(folder, env, *arguments))


def test_doctor_names_the_running_owner(demo: tuple[Path, dict[str, str], Child]) -> None:
    """Its ports are not called busy: the owner holds them."""
    folder, env, child = demo
    done = run(folder, "doctor", env=env)
    assert done.returncode == 1
    assert re.search(rf"^bad +owner lock: .*serve \(process {child.process.pid} ", done.stdout, re.M)
    assert "cannot be bound" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_F27_signal_ends_serve_in_time_with_ports_and_lock_free(
    tmp_path: Path, children: list[Child], number: int
) -> None:
    """With a client connected and in the middle of its life; the next start succeeds at once."""
    env = environment(tmp_path)
    serve = Child(tmp_path, env, "serve")
    children.append(serve)
    eventually_sync(lambda: serve.said("upstream state=connecting"), START_S)
    tail = Child(tmp_path, env, "tail", "--since", "earliest")
    children.append(tail)
    eventually_sync(tail.lines, START_S)
    code, seconds = serve.end(number)
    assert (code, seconds < EXIT_S) == (0, True), serve.err.read_text("utf-8")
    assert is_free(int(env["COINDCX_SIDECAR_PORT"]))
    assert is_free(int(env["COINDCX_SIMULATOR_PORT"]))
    assert "Traceback" not in serve.err.read_text(encoding="utf-8")
    assert run(tmp_path, "doctor", env=env).returncode == 0
    code, seconds = tail.end()
    assert (code, seconds < EXIT_S) == (0, True), tail.err.read_text("utf-8")
    assert "Traceback" not in tail.err.read_text(encoding="utf-8")
