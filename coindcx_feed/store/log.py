"""One open durable log: the only class of this room that others use."""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from filelock import FileLock
from sqlalchemy import delete, insert, select, update

from coindcx_feed.errors import ConfigError, StoreCorrupt, StoreError, StoreGone
from coindcx_feed.events import Event
from coindcx_feed.store import files, opening
from coindcx_feed.store.commits import Commits
from coindcx_feed.store.engines import EngineName, Place, parse_place, reader_engine, writer_engine
from coindcx_feed.store.pruning import Pruning
from coindcx_feed.store.questions import Questions
from coindcx_feed.store.reading import Reader, last_number, pruned_upto
from coindcx_feed.store.rows import insert_text, row_of, run_insert
from coindcx_feed.store.segments import Folding, forget_from, reopen_last, summed, write
from coindcx_feed.store.tables import epochs, events, marks
from coindcx_feed.store.writing import Writer


class EventStore(Questions):
    """A log of account events, opened for one mode and one account.

    Every method may raise ``StoreError``: one line, and nothing half-written.

    Attributes:
        note: One line about what opening had to do, such as a damaged file set aside, or ``None``.
        url_shown: Address without password.
        engine_name: ``sqlite`` or ``postgresql``.
        last_seq: Newest number, 0 when empty.
        last_epoch: Newest series of numbers, or ``None``.
        last_epoch_is_settled: Whether all of it is here; false after a crash in the middle of a flush.

    Threads: reads from any; writes from one.
    """

    def __init__(self, place: Place, *, synchronous: str = "full", is_read_only: bool = False) -> None:
        self._place = place
        self.is_read_only = is_read_only
        self.note: str | None = None
        self.url_shown = place.shown
        self.engine_name: EngineName = place.name
        self._synchronous = synchronous
        self._lock: FileLock | None = None
        self._epoch_ids: dict[str, int] = {}
        self._commits = Commits()
        self._folding: Folding | None = None
        self._summing = ThreadPoolExecutor(1, thread_name_prefix="coindcx-sums")
        self._identity = "", ""
        self.last_seq = 0
        self.last_epoch: str | None = None
        self.last_epoch_is_settled = True

    @classmethod
    def open(
        cls,
        url: str,
        *,
        mode: str,
        account: str,
        fresh: bool = False,
        synchronous: str = "full",
        read_only: bool = False,
    ) -> Self:
        """Open a log; begin or migrate it where needed.

        Args:
            url: ``sqlite:////path/name.sqlite`` or ``postgresql://…``.
            mode: Goes into the header; a log of another mode is refused.
            account: Only a digest of it is kept or shown.
            fresh: Begin an empty log; what was there is deleted, if it is of the same mode.
            synchronous: ``full``: an append is on the disk when it returns; ``normal``: a power cut may take the last
                ones, a crash of this process does not.
            read_only: For a second process: no lock, nothing created or migrated, writes fail.
        Raises:
            ConfigError: One line: what was expected, what was there, what to do; never a password.
        """
        store = cls(parse_place(url), synchronous=synchronous, is_read_only=read_only)
        digest = opening.account_digest(account)
        try:
            if read_only:
                store._open_to_read(mode, digest)
            else:
                store._open_to_write(mode, digest, is_fresh=fresh)
        except BaseException:
            store.close()
            raise
        return store

    def _open_to_read(self, mode: str, digest: str) -> None:
        opening.must_exist(self._place)
        with opening.refusing(self._place):
            self._connect()
            with self.reader.connection("store") as connection:
                opening.check_only(connection, self._place, mode, digest)
            self._look()

    def reopen(self) -> None:
        """Open the same log again: a damaged file is set aside and a removed one replaced, and ``note`` says so.

        Raises:
            StoreError: It cannot be opened now; the same call may succeed later.
        Threads: the writer.
        """
        self._forget_folding()
        self._disconnect()
        path = self._place.path
        is_removed = path is not None and not path.exists()
        try:
            self._open_file(*self._identity, is_fresh=False)
        except ConfigError as error:
            raise StoreGone(str(error)) from None
        if is_removed and path is not None:
            self.note = f"store: {path.name} was removed: a new log was begun"

    def _open_to_write(self, mode: str, digest: str, *, is_fresh: bool) -> None:
        self._lock = opening.lock_file(self._place)
        self._identity = mode, digest
        self._open_file(mode, digest, is_fresh=is_fresh)

    def _open_file(self, mode: str, digest: str, *, is_fresh: bool) -> None:
        self.note = opening.prepare_file(self._place)
        try:
            self._begin(mode, digest, is_fresh=is_fresh)
        except StoreCorrupt as error:
            path = self._place.path
            assert path is not None
            self._disconnect()
            self.note = files.set_aside(path, str(error.__cause__ or error).splitlines()[0])
            files.create(path)
            self._begin(mode, digest, is_fresh=is_fresh)

    def _begin(self, mode: str, digest: str, *, is_fresh: bool) -> None:
        with opening.refusing(self._place):
            self._connect()
            with self._writer.transaction("store") as connection:
                opening.begin_or_check(connection, self._place, mode, digest, is_fresh=is_fresh)
                reopen_last(connection)
                self._folding = Folding.load(connection)
            self._writer.checkpoint()
            self._look()

    def _connect(self) -> None:
        self._ask(Reader(reader_engine(self._place), self._place.path))
        engine = writer_engine(self._place, self._synchronous)
        self._writer = Writer(engine, self._place, is_read_only=self.is_read_only)
        self._insert = insert_text(events, self._writer.dialect)

    def _disconnect(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.close()
            self.reader.close()

    def _look(self) -> None:
        with self.reader.connection("store") as connection:
            self.last_seq = last_number(connection)
            rows = connection.execute(
                select(epochs.c.id, epochs.c.name, epochs.c.is_settled).order_by(epochs.c.id)
            ).all()
        self._epoch_ids = {row.name: row.id for row in rows}
        if rows:
            self.last_epoch, self.last_epoch_is_settled = rows[-1].name, bool(rows[-1].is_settled)

    def begin_epoch(self, epoch: str, first_seq: int, *, settled: bool = True) -> None:
        """Begin a series of numbers; one that is known already stays as it is.

        Args:
            settled: False while events of it are still to be flushed from elsewhere.
        """
        if epoch in self._epoch_ids:
            return
        row = {"name": epoch, "first_seq": first_seq, "started_ns": time.time_ns(), "is_settled": int(settled)}
        with self._writer.transaction("begin an epoch") as connection:
            connection.execute(insert(epochs), row)
            number = connection.execute(select(epochs.c.id).where(epochs.c.name == epoch)).scalar_one()
        self._epoch_ids[epoch] = number
        self.last_epoch, self.last_epoch_is_settled = epoch, settled

    def settle_epoch(self, epoch: str) -> None:
        """Note that all events of a series up to now are here."""
        with self._writer.transaction("settle an epoch") as connection:
            connection.execute(update(epochs).where(epochs.c.name == epoch).values(is_settled=1))
        if epoch == self.last_epoch:
            self.last_epoch_is_settled = True

    def append(self, events_: Sequence[Event], epoch: str) -> None:
        """Store a group of events in one transaction, durable on return. Numbers that are here already are skipped.

        Raises:
            StoreError: The group is not here, or, when the connection was lost during the commit, it may be whole.
        """
        if not events_:
            return
        began = time.perf_counter()
        number = self._id_of(epoch)
        rows = [row_of(event, number) for event in events_]
        folding = self._folding
        is_new = folding is None or folding.is_dead or rows[0][0] <= folding.last_seq
        try:
            with self._writer.transaction("append") as connection:
                run_insert(connection, self._insert, rows)
                if is_new or folding is None:
                    self._forget_folding()
                    forget_from(connection, rows[0][0])
                    folding = Folding.load(connection)
                else:
                    folding.take(rows)
        except BaseException:
            self._forget_folding()
            raise
        self._folding = folding
        if is_new:
            self._forget_rest()
        if folding.full:
            self._summing.submit(self._sum_up, folding)
        self.last_seq = max(self.last_seq, rows[-1][0])
        self._commits.add(time.perf_counter() - began)

    def append_marks(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Store marks: Unix second, pair, price as the exchange wrote it."""
        if rows:
            statement = insert_text(marks, self._writer.dialect)
            with self._writer.transaction("append marks") as connection:
                run_insert(connection, statement, [(pair, second, price) for second, pair, price in rows])

    def drop_from(self, seq: int) -> None:
        """Delete a number and all after it: a group whose commit may or may not have happened."""
        self._forget_folding()
        with self._writer.transaction("drop events") as connection:
            connection.execute(delete(events).where(events.c.seq >= seq))
            forget_from(connection, seq)
        self._forget_rest()
        _, self.last_seq = self.reader.bounds()

    def rebuild(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Make all segments anew from the events; a segment is a transaction. Threads: the writer.

        Args:
            progress: Told how many numbers are done, and of how many.
        """
        self._forget_folding()
        with self._writer.transaction("rebuild") as connection:
            forget_from(connection, pruned_upto(connection) + 1)
        while self._folding is None:
            with self._writer.transaction("rebuild") as connection:
                self._folding, done = Folding.step(connection)
            progress(done, self.last_seq)

    def prune(self, *, older_than_ns: int | None, max_bytes: int | None) -> int:
        """Forget the oldest whole segments: a day of a quiet account, ten thousand events of a busy one.

        Args:
            older_than_ns: Forget what was received before, Unix ns.
            max_bytes: Forget until about so much is left.
        Returns:
            How many events were forgotten.
        Threads: any one; appends go on between slices of a few milliseconds.
        """
        self.wait_summed()
        return Pruning(self.reader, self._writer).run(older_than_ns, max_bytes)

    def status(self) -> dict[str, object]:
        """Return plain data about the log for a status page."""
        return {
            "engine": self.engine_name,
            "url": self.url_shown,
            "note": self.note,
            "bytes": self.size_bytes(),
            **self.reader.totals(),
            **self._commits.figures(),
        }

    def size_bytes(self) -> int:
        """Return what the log takes on the disk, with what its engine keeps beside it."""
        return self.reader.size_bytes()

    def close(self) -> None:
        """End cleanly: what is in no segment yet is summed up, and so is the state. A second call does nothing."""
        self._summing.shutdown()
        folding, self._folding = self._folding, None
        if folding is not None and not folding.is_dead:
            with contextlib.suppress(StoreError), self._writer.transaction("close") as connection:
                folding.close(connection)
        self._disconnect()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def give_up(self) -> None:
        """Stop waiting for a server that does not answer: every call in progress fails at once. ``close`` it then.

        Threads: any.
        """
        self._writer.give_up()
        self.reader.cut()

    def wait_summed(self) -> None:
        """Return when every full segment so far is summed up."""
        self._summing.submit(lambda: None).result()

    def _forget_folding(self) -> None:
        if self._folding is not None:
            self._folding.is_dead = True
            self._folding = None

    def _sum_up(self, folding: Folding) -> None:
        # In a thread of its own: nobody waits for an event because ten thousand others are summed up.
        try:
            while folding.full and not folding.is_dead:
                made = summed(folding.full[0], folding.latest)
                with self._writer.transaction("sum up") as connection:
                    if folding.is_dead:
                        return
                    write(connection, made)
                folding.full.popleft()
        except StoreError:
            folding.is_dead = True  # the next append, or the next opening, makes what is missing

    def _id_of(self, epoch: str) -> int:
        number = self._epoch_ids.get(epoch)
        if number is None:
            raise StoreError(f"append: expected an epoch that was begun, was {epoch}: begin it first")
        return number
