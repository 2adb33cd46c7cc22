"""Where something stands in a runbook's file, what is wrong there, and the error that carries it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rollway.errors import InputError

SHOWN_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Spot:
    """A line and column of a text, or a cell of a sheet; both count from 1, and 0 and "" mean none."""

    file: str
    line: int = 0
    column: int = 0
    sheet: str = ""
    cell: str = ""

    def __str__(self) -> str:
        if self.sheet:
            return f"{self.file}: sheet '{self.sheet}'{f' cell {self.cell}' if self.cell else ''}"
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (`error`) or that somebody should look at (`warning`)."""

    level: Literal["error", "warning"]
    path: str
    message: str
    hint: str = ""
    spot: Spot | None = None

    def __str__(self) -> str:
        told = "; ".join(part for part in (self.message, self.hint) if part)
        text = ": ".join(part for part in (str(self.spot or ""), self.path, told) if part)
        return "".join(c if c.isprintable() else "·" for c in text)

    def to_json(self) -> dict[str, Any]:
        body = {key: value for key, value in asdict(self).items() if key != "spot"}
        spot = asdict(self.spot) if self.spot else {}
        return body | {key: value for key, value in spot.items() if value}


class RunbookError(InputError):
    """A runbook cannot be used. `findings` holds every error, in the order of the file."""

    def __init__(self, name: str, findings: Sequence[Finding], *, hint: str = "") -> None:
        self.findings = tuple(findings)
        if len(self.findings) == 1:
            super().__init__(str(self.findings[0]), hint=hint)
            return
        lines = [f"  {finding}" for finding in self.findings[:SHOWN_FINDINGS]]
        if len(self.findings) > SHOWN_FINDINGS:
            lines.append(f"  … and {len(self.findings) - SHOWN_FINDINGS} more")
        super().__init__(f"{name}: {len(self.findings)} problems", hint=hint, details=tuple(lines))


def refuse_errors(name: str, findings: Iterable[Finding]) -> None:
    """Raise `RunbookError` if any finding is an error."""
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise RunbookError(name, errors)
