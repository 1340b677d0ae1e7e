"""The rules of a user: one JSON file in the data folder, written whole or not at all, for its owner only."""

import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from coindcx_feed.alerts.quiet import DEFAULT_GROUP_S, MAX_GROUP_S, QuietHours
from coindcx_feed.alerts.rules import BUILT_IN, BUILT_IN_IDS, Rule, parse_rule
from coindcx_feed.errors import BadRequest, ConfigError

FILE_NAME: Final = "alerts.json"
VERSION: Final = 1
MAX_RULES: Final = 200
MAX_BYTES: Final = 1_000_000


class Content(NamedTuple):
    """All that a book holds. Immutable: a reader takes it once and sees no half of a change."""

    rules: tuple[Rule, ...] = BUILT_IN
    group_s: int = DEFAULT_GROUP_S
    quiet: QuietHours | None = None


class Book:
    """Rules and quiet hours. Threads: any.

    Args:
        folder: Where the file is; made when something is first changed.
        locked: Why nothing may be changed here, or ``None``. The file is read when it is first asked for something.

    Attributes:
        note: One line about what was wrong with the file, or ``None``.
    """

    def __init__(self, folder: Path, locked: str | None = None) -> None:
        self.path = folder / FILE_NAME
        self.locked = locked
        self.note: str | None = None
        self._lock = threading.RLock()
        self._known: Content | None = None

    @property
    def content(self) -> Content:
        if self._known is None:
            with self._lock:
                if self._known is None:
                    self._known = self._load()
        return self._known

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.content.rules if rule.id == rule_id), None)

    def save(self, rule: Rule) -> None:
        """Put a rule in the place of the one with its id, or at the end.

        Raises:
            BadRequest: If the book is full, or not to be changed here.
            ConfigError: If the file cannot be written.
        """
        with self._lock:
            rules = self.content.rules
            if all(known.id != rule.id for known in rules):
                if len(rules) >= MAX_RULES:
                    raise BadRequest(f"rules: expected at most {MAX_RULES}, was one more: delete another first")
                rules = (*rules, rule)
            self._write(self.content._replace(rules=tuple(rule if known.id == rule.id else known for known in rules)))

    def remove(self, rule_id: str) -> None:
        """Delete a rule of the user; one that was built in becomes again what it was."""
        with self._lock:
            kept = tuple(rule for rule in self.content.rules if rule.id != rule_id)
            self._write(self.content._replace(rules=_complete(kept, self.content.rules)))

    def set_quiet(self, group_s: int, quiet: Mapping[str, object] | None) -> None:
        """Set the time within which repeats are grouped, and the quiet hours.

        Raises:
            BadRequest: One line that says what was not understood.
        """
        hours = _quiet(quiet)
        with self._lock:
            self._write(self.content._replace(group_s=_group(group_s), quiet=hours))

    def free_id(self) -> str:
        """Return an id that no rule has."""
        taken = {rule.id for rule in self.content.rules}
        return next(name for number in range(1, MAX_RULES + 2) if (name := f"own-{number}") not in taken)

    def _write(self, content: Content) -> None:
        if self.locked is not None:
            raise BadRequest(f"rules cannot be changed here: {self.locked}")
        data = {
            "version": VERSION,
            "group_s": content.group_s,
            "quiet": None if content.quiet is None else content.quiet.model_dump(),
            "rules": [rule.to_mapping() for rule in content.rules],
        }
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self.path, json.dumps(data, indent=1, ensure_ascii=False))
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigError(f"{FILE_NAME}: expected a folder that can be written ({why}): look at it") from None
        self._known = content

    def _load(self) -> Content:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                return self._set_aside(f"it is larger than {MAX_BYTES:,} bytes", Content())
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Content()
        except (OSError, UnicodeDecodeError) as error:
            return self._set_aside(f"it cannot be read ({type(error).__name__})", Content())
        try:
            return self._understood(json.loads(text))
        except (ValueError, RecursionError):
            return self._set_aside("it is no JSON", Content())
        except BadRequest as error:
            return self._set_aside(str(error), Content())

    def _understood(self, data: Any) -> Content:
        if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("rules"), list):
            raise BadRequest(f"expected an object with version {VERSION} and a list of rules")
        content = Content((), _group(data.get("group_s")), _quiet(data.get("quiet")))
        rules: dict[str, Rule] = {}
        refused = []
        for raw in data["rules"]:
            try:
                rule = parse_rule(raw)
            except BadRequest as error:
                refused.append(str(error))
                continue
            rules.setdefault(rule.id, rule)
        content = content._replace(rules=_complete(tuple(rules.values())[:MAX_RULES], BUILT_IN))
        return self._set_aside(f"{len(refused)} left out: {refused[0]}", content) if refused else content

    def _set_aside(self, why: str, content: Content) -> Content:
        aside = self.path.with_name(f"alerts-refused-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json")
        try:
            if self.locked is None:
                os.replace(self.path, aside)
            kept = f"; it is kept as {aside.name}" if self.locked is None else ""
        except OSError:
            kept = "; it could not be moved aside"
        self.note = f"{FILE_NAME} was not understood: {' '.join(why.split())[:300]}{kept}"
        if content.rules != BUILT_IN and self.locked is None:
            self._try_write(content)
        return content

    def _try_write(self, content: Content) -> None:
        # What was understood stays the book, also when the process ends before the next change.
        try:
            self._write(content)
        except ConfigError as error:
            self.note = f"{self.note}; {error}"


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _complete(rules: tuple[Rule, ...], order: Iterable[Rule]) -> tuple[Rule, ...]:
    """Add what was built in and is missing, in its place."""
    known = {rule.id: rule for rule in BUILT_IN} | {rule.id: rule for rule in rules}
    places = [rule.id for rule in order if rule.id in known]
    return tuple(known[name] for name in dict.fromkeys([*places, *known]))


def _group(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_GROUP_S:
        raise BadRequest(f"group_s: expected seconds from 0 to {MAX_GROUP_S}, was {value!r:.40}: correct it")
    return value


def _quiet(value: object) -> QuietHours | None:
    if value is None:
        return None
    try:
        return QuietHours.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = ".".join(["quiet", *map(str, first["loc"])])
    raise BadRequest(f"{place[:60]}: {first['msg'].removeprefix('Value error, ')}: correct it")


def is_built_in(rule: Rule) -> bool:
    return rule.id in BUILT_IN_IDS
