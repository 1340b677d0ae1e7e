"""Run by tests as a child process: appends numbered events and says which numbers are durable, until it is killed.

Arguments: address, size of a group.
"""

import sys

from store.made import EPOCH, event, opened

from coindcx_feed.events import EventType

RECORD = b'{"id":"%d","status":"open","filler":"' + b"x" * 600 + b'"}'


def main(url: str, group: int) -> None:
    """Append for ever; each line on the standard output is a number that must never be lost."""
    store = opened(url)
    seq = store.last_seq
    print("ready", flush=True)
    while True:
        numbers = range(seq + 1, seq + 1 + group)
        store.append([event(n, EventType.ORDER, RECORD % n, key=f"o{n}", status="open") for n in numbers], EPOCH)
        seq += group
        sys.stdout.write(f"{seq}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
