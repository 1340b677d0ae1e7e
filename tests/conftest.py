"""Options of the whole suite: ``--benchmark`` runs the measurements, ``--long`` the heavy forms of fault rows."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--benchmark", action="store_true", help="run the benchmarks (tests/benchmarks)")
    parser.addoption("--long", action="store_true", help="run heavy rows in their long form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--benchmark"):
        return
    skip = pytest.mark.skip(reason="a measurement: run with --benchmark")
    for item in items:
        if item.get_closest_marker("benchmark"):
            item.add_marker(skip)
