"""Code and style of our components as files of their own."""

import json

from coindcx_feed.ui import scripts


def test_address_moves_with_the_content() -> None:
    """A browser keeps a file for ever, so another content has another name."""
    names = [scripts.address(name) for name in scripts.COMPONENTS]
    assert len(set(names)) == len(names)
    assert all(name.startswith(scripts.PREFIX) and name.endswith(".js") for name in names)


def test_file_holds_code_and_style() -> None:
    """One module: it draws by default, and its style is a text in it."""
    for name, (_, sheets) in scripts.COMPONENTS.items():
        text = scripts.module(name).decode()
        assert text.count("export default function") == 1, name
        style = text.rpartition("export const css = ")[2].strip().removesuffix(";")
        assert json.loads(style) == "".join(scripts.asset(sheet) for sheet in sheets)


def test_message_holds_little_of_a_component() -> None:
    """What stands in each message is the address and how to use it."""
    assert len(scripts.asset("shim.js")) < 700
    assert sum(map(len, scripts.served().values())) > 30_000


def test_T13_half_a_character_does_not_stop_a_page() -> None:
    """A text of the feed may hold what UTF-8 cannot; a browser gets it as JavaScript writes it."""
    assert scripts._encoded({"text": "\u2026 \U0001f600"}) == '{"text":"\u2026 \U0001f600"}'.encode()
    assert json.loads(scripts._encoded({"text": "\ud83d"})) == {"text": "\ud83d"}
