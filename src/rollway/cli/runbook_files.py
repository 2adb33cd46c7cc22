"""Runbooks from files: YAML, a workbook, or the plan that holds one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.planning.runbooks import Finding, Runbook

MOST_BYTES = 50_000_000


def read_runbook(file: Path) -> tuple[Runbook, tuple[Finding, ...]]:
    """The runbook of a file, and the warnings about it. Raises InputError, RunbookError with places."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        hint = "examples/runbook/cutover.yaml is one to start from"
        raise InputError(f"{file}: {error.strerror}", hint=hint) from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{file}: larger than {MOST_BYTES / 1e6:.0f} MB")
    if data.startswith(b"PK\x03\x04"):
        from rollway.planning.runbooks.xlsx_in import read_xlsx

        return read_xlsx(data, str(file))
    if _is_plan(data):
        return _of_plan(file)
    from rollway.facts.reading import decode
    from rollway.planning.runbooks import read_yaml

    return read_yaml(decode(data, str(file)).text, str(file))


def _is_plan(data: bytes) -> bool:
    """A plan is JSON that names its format; YAML may begin with a brace too."""
    if not data.lstrip().startswith(b"{"):
        return False
    try:
        body = json.loads(data)
    except ValueError:
        return False
    return isinstance(body, dict) and str(body.get("format", "")).startswith("rollway.plan/")


def _of_plan(file: Path) -> tuple[Runbook, tuple[Finding, ...]]:
    from rollway.cli.common import read_plan
    from rollway.planning.runbooks import check
    from rollway.planning.runbooks.plan_parts import runbook_of

    book = runbook_of(read_plan(file))
    return book, check(book)
