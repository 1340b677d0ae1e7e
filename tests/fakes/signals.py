"""Signals of child processes."""

import signal


def heeds_ctrl_c() -> None:
    """Runs in a child before its program: a shell that tests run behind may have told all its children to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
