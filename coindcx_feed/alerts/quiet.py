"""Against fatigue: the hours in which nothing but the critical makes a noise, in a named zone."""

from datetime import UTC, datetime, time
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_GROUP_S: Final = 3_600
DEFAULT_GROUP_S: Final = 60


def _clock_time(text: str) -> str:
    try:
        parsed = datetime.strptime(text, "%H:%M")
    except ValueError:
        raise ValueError("expected a time of day such as 22:30") from None
    return f"{parsed:%H:%M}"


def _zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected the name of a zone such as Asia/Kolkata") from None
    return name


ClockTime = Annotated[str, Field(max_length=5), AfterValidator(_clock_time)]


class QuietHours(BaseModel):
    """From ``start`` until before ``end``, times of day in ``zone``; over midnight when the end is the earlier one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    start: ClockTime
    end: ClockTime
    zone: Annotated[str, Field(max_length=60), AfterValidator(_zone_name)] = "UTC"

    def covers(self, at_ns: int) -> bool:
        """Say whether a time, Unix ns, is a quiet one; equal ends mean never."""
        now = datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone(ZoneInfo(self.zone)).time()
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= now < end if start <= end else now >= start or now < end
