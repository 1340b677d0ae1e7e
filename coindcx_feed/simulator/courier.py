"""Account frames on their way: repeated, doubled, delayed, merged and lost, all by seed and on the exchange's clock."""

import heapq
import random
import re
from typing import Final

import msgspec

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.emissions import NUMBER_FIELD, Emissions
from coindcx_feed.simulator.topics import TWIN_EVENT, Frame

_IS_TERMINAL: Final = re.compile(r'"status":"(?:filled|cancelled|partially_cancelled|rejected)"')
_NUMBER: Final = re.compile(rf',"{NUMBER_FIELD}":\d+')
_UPDATED: Final = re.compile(r'"updated_at":(\d+)')

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Courier:
    """Carries frames from the engine to the sockets.

    Without any fault switched on, frames come out as they went in. With the same seed, switches and frames the same
    frames come out, however the time is cut.
    """

    def __init__(self, behaviour: Behaviour, emissions: Emissions) -> None:
        self._behaviour = behaviour
        self._emissions = emissions
        self._rng = random.Random(f"faults {behaviour.fault_seed}")
        self._due: list[tuple[int, int, Frame]] = []
        self._batches: dict[str, list[Frame]] = {}
        self._count = 0

    def carry(self, frames: list[Frame], now_ms: int) -> list[Frame]:
        """Take the frames made up to now and return those that leave by now, in order.

        Args:
            frames: In order of time.
            now_ms: Time of the engine.
        """
        for frame in frames:
            self._close_batches(frame.at_ms - 1)
            self._take(frame._replace(data=self._emissions.number(frame.event, frame.data)))
        self._close_batches(now_ms)
        leaving: list[Frame] = []
        while self._due and self._due[0][0] <= now_ms:
            at_ms, _, frame = heapq.heappop(self._due)
            leaving.append(frame._replace(at_ms=at_ms))
        return leaving

    def _take(self, frame: Frame) -> None:
        if self._behaviour.batch_ms or frame.event in self._batches:
            self._batches.setdefault(frame.event, []).append(frame)
        else:
            self._send(frame)

    def _close_batches(self, now_ms: int) -> None:
        ready = {
            event: frames[0].at_ms + self._behaviour.batch_ms
            for event, frames in self._batches.items()
            if frames[0].at_ms + self._behaviour.batch_ms <= now_ms
        }
        for event in sorted(ready, key=ready.__getitem__):
            frames = self._batches.pop(event)
            records = [bytes(record).decode() for frame in frames for record in _split(frame.data)]
            self._send(frames[0]._replace(at_ms=ready[event], data=f"[{','.join(records)}]"))

    def _send(self, frame: Frame) -> None:
        behaviour = self._behaviour
        is_balance, is_order = frame.event == wire.BALANCE_EVENT, frame.event == wire.ORDER_EVENT
        if self._draws(behaviour.drop_share) or (is_balance and self._draws(behaviour.drop_balance_share)):
            self._emissions.note(frame.event, frame.data, "dropped")
            return
        delay_ms = self._rng.randint(0, behaviour.jitter_ms) if behaviour.jitter_ms else 0
        if self._draws(behaviour.late_share):
            delay_ms += behaviour.late_ms
        at_ms = frame.at_ms + delay_ms
        self._push(at_ms, frame)
        if self._draws(behaviour.repeat_share):
            self._push(at_ms + behaviour.repeat_ms, self._repetition(frame))
        if is_order and self._draws(behaviour.twin_share):
            self._push(at_ms, frame._replace(event=TWIN_EVENT))
        if is_order and behaviour.terminal_repeats and _IS_TERMINAL.search(frame.data):
            for number in range(behaviour.terminal_repeats):
                self._push(at_ms + behaviour.repeat_ms * (number + 1), frame)

    def _draws(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share

    def _repetition(self, frame: Frame) -> Frame:
        if self._behaviour.repeat_kind == "identical":
            return frame
        later_ms = self._behaviour.repeat_ms
        data, count = _UPDATED.subn(lambda found: f'"updated_at":{int(found[1]) + later_ms}', frame.data)
        # With another time it is another record; a balance has no time and stays the same one.
        again = self._emissions.number(frame.event, _NUMBER.sub("", data)) if count else frame.data
        return frame._replace(data=again)

    def _push(self, at_ms: int, frame: Frame) -> None:
        self._count += 1
        heapq.heappush(self._due, (at_ms, self._count, frame))
