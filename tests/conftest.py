"""Options of the whole suite: ``--benchmark`` runs the measurements, ``--long`` the heavy forms of fault rows.

``--soak SECONDS`` sets the length of the random soak, ``--seed`` repeats one that was printed.
"""

import gc
import os
from collections.abc import Generator
from typing import Any

import anyio
import pytest
from xdist.scheduler import LoadFileScheduling

# Each process that a test starts would compile the whole package again: 0.7 s of a serve's 1.7 s of loading.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# pytest rewrites it as a plugin of its own, each part when it is first used: two threads at once are more than Python
# 3.11 can parse ("AST constructor recursion depth mismatch").
for _name in dir(anyio):
    getattr(anyio, _name, None)
gc.disable()  # while tests are collected: little of that is garbage

pytest_plugins = ["fakes.commands"]
MISSED_DEADLINE = ["TimeoutError", r"within [\d.]+ s"]
MISSED_BAR = r"assert \(?[\d.(]+[^=]*<"
"""Of tests marked ``timed``: a figure that is not below its limit. What was lost or doubled is never tried again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--benchmark", action="store_true", help="run the benchmarks (tests/benchmarks)")
    parser.addoption("--long", action="store_true", help="run heavy rows in their long form")
    parser.addoption("--soak", type=float, default=20.0, metavar="SECONDS", help="length of the random soak")
    parser.addoption("--seed", type=int, default=None, help="seed of the soak, as it printed it")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for the whole suite, which often waits; none beside a measurement or for a file by name."""
    is_whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    is_measured = config.getoption("--benchmark") or config.getoption("--long")
    return 2 if is_whole and not is_measured else 0


class Scheduling(LoadFileScheduling):
    """Keeps files whole, and the browser's in one process: two browsers would take the machine from each other."""

    def _split_scope(self, nodeid: str) -> str:
        path: str = super()._split_scope(nodeid)
        return "tests/browser" if path.startswith("tests/browser/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # Somebody else may have had the machine: what was late is tried again, at most twice, and told in the summary.
        forgiven = [*MISSED_DEADLINE, MISSED_BAR] if item.get_closest_marker("timed") else MISSED_DEADLINE
        item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=forgiven))
    if config.getoption("--benchmark"):
        return
    skip = pytest.mark.skip(reason="a measurement: run with --benchmark")
    for item in items:
        if item.get_closest_marker("benchmark"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Take what is loaded by now out of garbage collection: it would be looked at again and again, for nothing."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A report goes to another process as UTF-8; what a test logged on purpose may be none."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Whether heavy rows run in their long form."""
    return bool(request.config.getoption("--long"))
