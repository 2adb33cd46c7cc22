"""Durations as people write them: elapsed time, with its unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_duration(raw: Any) -> timedelta:
    """`90s`, `15m`, `2h`, `3d`, `1w`, or several (`1h30m`). Elapsed time, not wall-clock time."""
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raise ValueError(f"write the unit too, such as '{raw:g}m' or '{raw:g}h'")
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw])", raw) if isinstance(raw, str) else []
    if not parts or "".join(a + b for a, b in parts) != str(raw).replace(" ", ""):
        raise ValueError("write a duration such as '90s', '15m', '2h', '3d' or '1h30m'")
    try:
        return timedelta(seconds=sum(float(amount) * _UNIT_SECONDS[unit] for amount, unit in parts))
    except OverflowError:
        raise ValueError("this is longer than can be counted; write a shorter duration") from None


def format_duration(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads back."""
    seconds, text = length.days * 86400 + length.seconds, ""
    for unit in ("w", "d", "h", "m"):
        whole, seconds = divmod(seconds, _UNIT_SECONDS[unit])
        text += f"{whole}{unit}" if whole else ""
    fraction = f".{length.microseconds:06d}".rstrip(".0")
    return text + (f"{seconds}{fraction}s" if seconds or fraction or not text else "")
