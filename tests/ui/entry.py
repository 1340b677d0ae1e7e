"""A page as the entry opens it, without a browser, on a service of the test's own."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest
from ui.fake_service import ROOT, FakeService, install


def opened(page: str, service: FakeService, **query: str) -> AppTest:
    """Run the entry and one of its pages, with an address."""
    install(service)
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    _address(test, query)
    test.run()
    if page == "events":
        return test
    _address(test, query)  # the first page drops what it does not know
    return test.switch_page(f"pages/{page}.py").run()


def _address(test: AppTest, query: dict[str, str]) -> None:
    for name, value in query.items():
        test.query_params[name] = value


def nodes_of(test: AppTest) -> str:
    """Return the data of every component on the page, as the browser gets it."""
    return " ".join(json.dumps(data) for data in component_data(test))


def component_data(test: AppTest) -> list[dict[str, Any]]:
    """Return what each component on the page was given."""
    return [json.loads(element.proto.bytes) for element in test.get("bidi_component")]
