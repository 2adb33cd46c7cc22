"""The sample files, as other tools write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rollway.facts.importers import Given, Imported, Options, UnreadableError, import_given, read_given

SAMPLES = Path(__file__).parent / "samples"
FIRST, LAST = date(2026, 11, 1), date(2027, 12, 31)


@pytest.fixture
def sample() -> Callable[..., Imported]:
    """Reads a sample file, its format guessed; other arguments are options."""

    def read(name: str, as_name: str = "", **options: Any) -> Imported:
        given = read_given(str(SAMPLES / name))
        return import_given(given, Options(**{"first": FIRST, "last": LAST, **options}), as_name)[1]

    return read


@pytest.fixture
def imported() -> Callable[..., Imported]:
    """Reads bytes or text as a file of a name."""

    def read(data: bytes | str, as_name: str = "", name: str = "file", **options: Any) -> Imported:
        given = Given(name, data.encode() if isinstance(data, str) else data)
        return import_given(given, Options(**{"first": FIRST, "last": LAST, **options}), as_name)[1]

    return read


@pytest.fixture
def refused(imported: Callable[..., Imported]) -> Callable[..., str]:
    """Why bytes or a text are not read: the message and the hint."""

    def read(data: bytes | str, as_name: str = "", **options: Any) -> str:
        with pytest.raises(UnreadableError) as caught:
            imported(data, as_name, **options)
        return f"{caught.value.message}; {caught.value.hint}"

    return read
