"""Run by tests: forks writers that append numbered events and say which numbers are durable, until they are killed.

A line of the standard input is the size of a group and the address of a log. Each line of the output is a number that
must never be lost, but for ``ready`` and the process's id before them and ``ended`` with the return code after them.
"""

import os
import sys

from store.made import EPOCH, event, opened

from coindcx_feed.events import EventType

RECORD = b'{"id":"%d","status":"open","filler":"' + b"x" * 600 + b'"}'


def append_for_ever(url: str, group: int) -> None:
    """Never return."""
    store = opened(url)
    seq = store.last_seq
    print("ready", os.getpid(), sep="\n", flush=True)
    while True:
        numbers = range(seq + 1, seq + 1 + group)
        store.append([event(n, EventType.ORDER, RECORD % n, key=f"o{n}", status="open") for n in numbers], EPOCH)
        seq += group
        sys.stdout.write(f"{seq}\n")
        sys.stdout.flush()


def main() -> None:
    """Have one writer at a time until the input ends. A line on a pipe is whole or not there."""
    for line in sys.stdin:
        group, url = line.split()
        pid = os.fork()
        if pid == 0:
            append_for_ever(url, int(group))
        _, status = os.waitpid(pid, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
