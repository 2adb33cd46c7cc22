"""What an evaluation answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Reason = Literal["STATIC", "DEFAULT", "TARGETING_MATCH", "DISABLED", "ERROR"]
ErrorCode = Literal["FLAG_NOT_FOUND", "GENERAL"]


class Missing(enum.Enum):
    """The type of MISSING."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""In place of a value: the caller uses the default that stands in its own code. (None is no flag value.)"""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer for one flag and one context.

    `variant` is None wherever `value` is MISSING: for a disabled flag, for one without a default, and
    for an error. `error_code` is set exactly when `reason` is ERROR.
    """

    key: str
    value: Any
    variant: str | None
    reason: Reason
    metadata: Mapping[str, str | int | float | bool]
    error_code: ErrorCode | None = None
    error_details: str = ""
