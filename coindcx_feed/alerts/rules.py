"""Rules as data: what to look for, how often to say it, and by which ways. A rule holds no code."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from coindcx_feed.alerts.fields import FIELDS, OP_WORDS, OPS, Op, Subject
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import BadRequest

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
WAYS: Final = ("toast", "browser", "sound")
"""Ways inside the dashboard; any other channel is a destination named in the settings."""

MAX_S: Final = 7 * 86_400
MAX_WITHIN_S: Final = 3_600
MAX_CHANNELS: Final = 12
MAX_DIGITS: Final = 30
_PAIRED: Final = ("position", "balance")
_number = re.compile(r"-?(\d+(\.\d*)?|\.\d+)", re.ASCII).fullmatch
_channel = re.compile(r"toast|browser|sound|(telegram|webhook):[a-z0-9-]{1,20}").fullmatch


def _exact(value: object) -> Decimal:
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    try:
        number = Decimal(text) if len(text) <= MAX_DIGITS and _number(text) else None
    except InvalidOperation:
        number = None
    if number is None:
        raise ValueError("expected a plain number as text, such as 2.5")
    return number


def _words(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("expected a name of printable characters")
    return " ".join(text.split())


def _known_channels(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(_channel, names)):
        raise ValueError(f"expected {', '.join(WAYS)}, telegram:NAME or webhook:NAME")
    return tuple(dict.fromkeys(names))


Seconds = Annotated[int, Field(ge=0, le=MAX_S, strict=True)]
_DATA: Final = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Condition(BaseModel):
    """One comparison. ``within_s`` is the time that a move is looked for in; other fields have none."""

    model_config = _DATA

    field: Annotated[str, Field(max_length=40)]
    op: Op
    value: Annotated[Decimal, BeforeValidator(_exact)]
    within_s: Annotated[int, Field(ge=1, le=MAX_WITHIN_S, strict=True)] | None = None

    def holds(self, found: Decimal | None) -> bool:
        """Say whether a value fulfils it; what is unknown never does."""
        return found is not None and _COMPARE[self.op](found, self.value)


_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "below": lambda found, value: found < value,
    "at_most": lambda found, value: found <= value,
    "at_least": lambda found, value: found >= value,
    "above": lambda found, value: found > value,
    "beyond": lambda found, value: abs(found) >= abs(value),
    "is": lambda found, value: found == value,
}


class Rule(BaseModel):
    """One rule.

    ``filter`` is the filter language of the event tables; positions and balances take ``pairs`` of it (for a balance,
    its currency). An event rule without condition speaks of every match. The condition of any other subject must hold
    for ``hold_s`` and speaks once until it no longer holds. Nothing is said again within ``cooldown_s``.
    """

    model_config = _DATA

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(max_length=60), AfterValidator(_words)]
    subject: Subject
    filter: dict[str, Any] = {}
    condition: Condition | None = None
    hold_s: Seconds = 0
    cooldown_s: Seconds = 0
    severity: Severity = "info"
    channels: Annotated[tuple[str, ...], Field(max_length=MAX_CHANNELS), AfterValidator(_known_channels)] = ("toast",)
    enabled: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        parts = set(self.wanted().to_mapping())
        if self.subject != "event" and parts - ({"pairs"} if self.subject in _PAIRED else set()):
            only = "only pairs in the filter" if self.subject in _PAIRED else "no filter"
            raise ValueError(f"filter: expected {only} for a {self.subject} rule")
        if self.condition is None:
            if self.subject != "event":
                raise ValueError(f"condition: expected one for a {self.subject} rule, was none")
            return self
        if self.subject == "event" and self.hold_s:
            raise ValueError("hold_s: expected 0 for an event rule: an event does not last")
        _check_condition(self.subject, self.condition)
        return self

    def wanted(self) -> EventFilter:
        """Return the filter as the event tables use it.

        Raises:
            ValueError: In words of the filter, if it is not understood.
        """
        try:
            return EventFilter.from_mapping(self.filter)
        except BadRequest as error:
            raise ValueError(f"filter: {error}") from None

    def to_mapping(self) -> dict[str, Any]:
        """Return plain data that ``parse_rule`` reads back."""
        return {**self.model_dump(mode="json"), "filter": self.wanted().to_mapping()}


def _check_condition(subject: Subject, condition: Condition) -> None:
    field = FIELDS[subject].get(condition.field)
    if field is None:
        raise ValueError(f"condition.field: expected one of {', '.join(FIELDS[subject])} for a {subject} rule")
    if condition.op not in OPS[field.kind]:
        raise ValueError(f"condition.op: expected one of {', '.join(OPS[field.kind])} for {condition.field}")
    if (condition.within_s is not None) != (field.kind == "move"):
        wanted = "the seconds to look back" if field.kind == "move" else "nothing"
        raise ValueError(f"condition.within_s: expected {wanted} for {condition.field}")
    if field.kind == "flag" and condition.value not in (0, 1):
        raise ValueError("condition.value: expected 1 for yes or 0 for no")


def parse_rule(raw: object) -> Rule:
    """Read one rule from plain data.

    Raises:
        BadRequest: One line that says which part was not understood, and what was expected.
    """
    if not isinstance(raw, Mapping):
        raise BadRequest(f"rule: expected an object, was {_kind(raw)}: write it as the book does")
    try:
        return Rule.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        said, place = first["msg"], ".".join(str(part) for part in first["loc"])
    except RecursionError:
        said, place = "expected plain data, was nested too deeply", ""
    what = " ".join(said.removeprefix("Value error, ").replace("Input should be", "expected").split())
    name = raw.get("id")
    shown = f"rule {name!r:.44}" if isinstance(name, str) else "rule"
    raise BadRequest(f"{shown}: {f'{place[:60]}: ' if place else ''}{what[:300]}: correct it")


def _kind(raw: object) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(raw), f"a {type(raw).__name__}")


def describe(rule: Rule) -> str:
    """Say in one line what a rule looks for."""
    condition = rule.condition
    shown = rule.wanted().describe()
    where = shown if rule.subject == "event" or rule.filter else f"every {rule.subject}"
    if rule.subject in ("feed", "quirk"):
        where = "the connection" if rule.subject == "feed" else "a slip of the exchange"
    if condition is None:
        return where
    field = FIELDS[rule.subject][condition.field]
    unit = f" {field.unit}" if field.unit else ""
    if field.kind == "flag":
        what = field.label if condition.value else f"not: {field.label}"
    else:
        what = f"{field.label} {OP_WORDS[condition.op]} {condition.value:f}{unit}"
    within = f" within {condition.within_s} s" if condition.within_s else ""
    hold = f", for {rule.hold_s} s" if rule.hold_s else ""
    return f"{where}: {what}{within}{hold}"


def _built_in(rule_id: str, name: str, subject: Subject, **more: Any) -> Rule:
    return Rule(id=rule_id, name=name, subject=subject, **more)


_LOUD: Final = ("toast", "browser", "sound")
BUILT_IN: Final[tuple[Rule, ...]] = (
    _built_in(
        "fill",
        "Order filled",
        "event",
        filter={"types": ["order"], "statuses": ["filled", "partially_filled"]},
        channels=("toast", "browser"),
    ),
    _built_in(
        "rejection",
        "Order rejected",
        "event",
        filter={"types": ["order"], "statuses": ["rejected"]},
        severity="warning",
        channels=_LOUD,
    ),
    _built_in(
        "liquidation-near",
        "Liquidation is near",
        "position",
        condition=Condition(field="liquidation_distance", op="below", value=Decimal(5)),
        cooldown_s=600,
        severity="critical",
        channels=_LOUD,
    ),
    _built_in(
        "margin-ratio",
        "Margin ratio is high",
        "position",
        condition=Condition(field="margin_ratio", op="at_least", value=Decimal(80)),
        cooldown_s=600,
        severity="critical",
        channels=_LOUD,
    ),
    _built_in(
        "pnl-move",
        "PnL moved",
        "position",
        condition=Condition(field="pnl_move", op="beyond", value=Decimal(100), within_s=300),
        cooldown_s=900,
        severity="warning",
        channels=("toast", "browser"),
        enabled=False,
    ),
    _built_in(
        "balance-move",
        "Balance moved",
        "balance",
        condition=Condition(field="total_move_percent", op="beyond", value=Decimal(5), within_s=300),
        cooldown_s=900,
        severity="warning",
        channels=("toast", "browser"),
    ),
    _built_in(
        "no-stop",
        "Position without stop",
        "position",
        condition=Condition(field="stop_missing", op="is", value=Decimal(1)),
        hold_s=120,
        cooldown_s=3_600,
        severity="warning",
    ),
    _built_in(
        "not-live",
        "Feed is not live",
        "feed",
        condition=Condition(field="not_live_s", op="at_least", value=Decimal(30)),
        cooldown_s=60,
        severity="critical",
        channels=_LOUD,
    ),
    _built_in(
        "quirk",
        "Exchange broke a rule of its own",
        "quirk",
        condition=Condition(field="total", op="at_least", value=Decimal(1)),
    ),
)
"""The rules that everybody begins with. They can be changed and switched off, not deleted."""
BUILT_IN_IDS: Final = frozenset(rule.id for rule in BUILT_IN)
