"""One cursor per client over the ring. No queue per client: what a client has not read yet stays in the ring.

Clients that stand at the newest event share one piece of bytes per filter and turn of the loop (a lane). A client whose
socket is full leaves its lane and waits at its own number; it is served again, in small slices, when the socket drains.
All methods belong to the loop's thread.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from coindcx_feed.feed.ring import Ring
from coindcx_feed.sidecar import protocol
from coindcx_feed.sidecar.batch import Batch, MarketSource, market_newest, of_past
from coindcx_feed.sidecar.library import Library
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Wants
from coindcx_feed.sidecar.resume import Past, PastRow, continued, crossing, epoch_at, epochs, without_holes


class Lane:
    """Clients with equal filters at the newest event."""

    __slots__ = ("readers", "sent_at", "wants")

    def __init__(self, wants: Wants) -> None:
        self.wants = wants
        self.readers: dict[Reader, None] = {}
        self.sent_at = 0.0


class Reader:
    """One client's place. While it is in a lane, the lane's numbers are its numbers.

    Args:
        seq: Last number that is not to be sent.
        on_slow: Called once when the client does not read; must end the connection and call ``Fanout.remove``.
    """

    __slots__ = ("_sent_at", "full_since", "lane", "mseq", "on_slow", "seq", "transport", "wants")

    def __init__(self, transport: asyncio.Transport, wants: Wants, seq: int, on_slow: Callable[[], None]) -> None:
        self.transport = transport
        self.wants = wants
        self.seq = seq
        self.on_slow = on_slow
        self.mseq = 0
        self.lane: Lane | None = None
        self.full_since = 0.0
        self._sent_at = 0.0

    @property
    def sent_at(self) -> float:
        """When something was last written, in the loop's seconds."""
        return max(self._sent_at, self.lane.sent_at if self.lane else 0.0)

    def write(self, data: bytes, now: float) -> None:
        self.transport.write(data)
        self._sent_at = now


class Fanout:
    """Move every client's cursor forward. Create it on the loop that appends to the ring."""

    def __init__(self, ring: Ring, market: MarketSource, limits: Limits, past: Past | None = None) -> None:
        self._ring = ring
        self._library = Library(past, limits, self._take_past) if past is not None else None
        self._past = past
        self._market = market
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[Wants, Lane] = {}
        self._catching_up: deque[Reader] = deque()
        self._full: dict[Reader, None] = {}
        self._head = ring.version
        self._market_head = market.version
        self._turn_handle: asyncio.Handle | None = None
        self._poll_handle: asyncio.TimerHandle | None = None
        self.sent = 0
        """Events written, counted once per client."""

    def notify(self) -> None:
        """Say that there are new events. Cheap: all calls of one turn of the loop become one write per client."""
        if self._turn_handle is None:
            self._turn_handle = self._loop.call_soon(self._turn)

    def add(self, reader: Reader) -> None:
        """Serve a client from ``reader.seq`` on; market data begin now."""
        reader.mseq = self._market_head
        self._place(reader)

    def change(self, reader: Reader, wants: Wants) -> int:
        """Serve a client by another filter; account and market data that are new to it begin now.

        Returns:
            The last number that the former filter was asked about: the new one holds from the next.
        """
        if wants == reader.wants:  # who only asks where it stands must not lose its turn at the log
            return reader.seq if reader.lane is None else self._head
        self._leave_lane(reader)
        former, reader.wants = reader.wants, wants
        if not former.is_account:
            reader.seq = self._head
        if not former.is_market:
            reader.mseq = self._market_head
        self._go_on(reader)
        return reader.seq

    def move(self, reader: Reader, seq: int) -> None:
        """Serve a client from another place on, also one that it has passed."""
        self._leave_lane(reader)
        reader.seq = seq
        self._go_on(reader)

    def remove(self, reader: Reader) -> None:
        """Forget a client; harmless when it is not known."""
        self._leave_lane(reader)
        self._full.pop(reader, None)
        if reader in self._catching_up:
            self._catching_up.remove(reader)
        if self._library is not None:
            self._library.forget(reader)

    def close(self) -> None:
        """Stop all turns."""
        for handle in (self._turn_handle, self._poll_handle):
            if handle is not None:
                handle.cancel()
        if self._library is not None:
            self._library.close()

    def _turn(self) -> None:
        self._turn_handle = None
        self._advance_lanes()
        if self._catching_up:
            self._catch_up(self._catching_up.popleft())
        if self._catching_up or self._head != self._ring.version or self._market_head != self._market.version:
            self.notify()

    def _advance_lanes(self) -> None:
        if not self._lanes:
            self._head, self._market_head = self._ring.version, self._market.version
            return
        if self._head == self._ring.version and self._market_head == self._market.version:
            return
        start, gap = continued(self._ring, self._head)
        notice, upto = crossing(self._ring.epochs[1:], start)
        wanted = [lane.wants for lane in self._lanes.values()]
        batch = Batch.read(self._ring, self._market, start, self._market_head, wanted, self._limits, upto)
        now = self._loop.time()
        for lane in list(self._lanes.values()):
            data, events = batch.cut(lane.wants, gap, notice)
            if data:
                self._write_lane(lane, data, events, now)
        self._head, self._market_head = batch.seq, batch.mseq

    def _write_lane(self, lane: Lane, data: bytes, events: int, now: float) -> None:
        most = self._limits.behind_bytes
        full = []
        for reader in lane.readers:
            transport = reader.transport
            if transport.get_write_buffer_size() > most:
                full.append(reader)
            else:
                transport.write(data)
        lane.sent_at = now
        self.sent += events * (len(lane.readers) - len(full))
        for reader in full:
            self._leave_lane(reader)
            self._wait_for(reader)

    def _catch_up(self, reader: Reader) -> None:
        """Send one slice to a client that stands before the newest event."""
        limits = self._limits
        if reader.transport.get_write_buffer_size() > limits.behind_bytes:
            self._wait_for(reader)
            return
        is_behind = reader.wants.is_account and reader.seq < self._head
        if is_behind and self._library is not None and reader.seq + 1 < self._ring.oldest:
            self._library.ask(reader, self._ring.oldest - 1)
            return
        if is_behind:
            start, gap = continued(self._ring, reader.seq)
            notice, end = crossing(epochs(self._ring, self._past)[1:], start)
            upto = self._head if end is None else min(end, self._head)
            batch = Batch.read(self._ring, None, start, reader.mseq, [reader.wants], limits, upto)
            reader.seq = batch.seq
            data, events = batch.cut(reader.wants, gap, notice)
        else:
            if not reader.wants.is_account:
                reader.seq = self._head
            data, events, reader.mseq = market_newest(self._market, reader.mseq, self._market_head, reader.wants)
        if data:
            reader.write(data, self._loop.time())
            self.sent += events
        self._place(reader)

    def _take_past(self, reader: Reader, rows: Sequence[PastRow], upto: int) -> None:
        """Send what was read of the log for a client; nothing means that there is nothing up to ``upto``."""
        known, gap, notice = epochs(self._ring, self._past), None, None
        if rows:
            rows, gap = without_holes(rows, reader.seq)
            first = rows[0][0]
            notice, end = crossing(known[1:], first - 1)
            began = epoch_at(known, first)
            if gap is not None and notice is None and began is not None and began[0] > reader.seq:
                notice = protocol.epoch_changed(began[1], began[0])
            rows = [row for row in rows if end is None or row[0] <= end]
            reader.seq = rows[-1][0]
        else:
            gap = protocol.resume_gap(
                reader.seq + 1, upto, "not kept: removed by the limits of the log, or not readable"
            )
            reader.seq = upto
        data, events = of_past(rows, reader.wants, gap, notice)
        if data:
            reader.write(data, self._loop.time())
            self.sent += events
        self._place(reader)

    def _go_on(self, reader: Reader) -> None:
        # Who waits for its socket waits on: a change must not begin its time to read anew.
        if reader in self._full or reader in self._catching_up:
            return
        if self._library is not None:
            self._library.forget(reader)
        self._place(reader)

    def _place(self, reader: Reader) -> None:
        """Put a client into its lane when it stands where the lane stands, else in line for its next slice."""
        if reader.seq != self._head or reader.mseq != self._market_head:
            self._catching_up.append(reader)
            self.notify()
            return
        lane = self._lanes.get(reader.wants)
        if lane is None:
            lane = self._lanes[reader.wants] = Lane(reader.wants)
        lane.readers[reader] = None
        reader.lane = lane

    def _leave_lane(self, reader: Reader) -> None:
        lane = reader.lane
        if lane is None:
            return
        reader.seq, reader.mseq = self._head, self._market_head
        reader._sent_at = lane.sent_at
        reader.lane = None
        del lane.readers[reader]
        if not lane.readers:
            del self._lanes[lane.wants]

    def _wait_for(self, reader: Reader) -> None:
        self._full[reader] = None
        reader.full_since = self._loop.time()
        if self._poll_handle is None:
            self._poll_handle = self._loop.call_later(self._limits.poll_s, self._poll)

    def _poll(self) -> None:
        """Look at the clients whose socket was full: go on, wait on, or give up."""
        self._poll_handle = None
        now = self._loop.time()
        for reader in list(self._full):
            self._look_at(reader, now)
        if self._full:
            self._poll_handle = self._loop.call_later(self._limits.poll_s, self._poll)

    def _look_at(self, reader: Reader, now: float) -> None:
        limits = self._limits
        unsent = reader.transport.get_write_buffer_size()
        if unsent <= limits.behind_bytes:
            del self._full[reader]
            self._place(reader)
        elif unsent > limits.unsent_bytes or now - reader.full_since > limits.behind_s:
            del self._full[reader]
            reader.on_slow()
