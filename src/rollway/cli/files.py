"""Files that people own: changed as a whole or not at all, and nothing in them but what was asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollway.errors import InputError

_MARK = "\ufeff"


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step: whoever reads it sees the old text or the new one. Raises `InputError`.

    A link stays a link, and the file's permissions stay what they were.
    """
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, real.stat().st_mode & 0o7777 if real.exists() else 0o666 & ~_umask())
            os.replace(name, real)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def with_facts(path: Path, facts: Mapping[str, Any]) -> str:
    """The text of a release file with facts laid over it, found sound; the file itself stays as it is.

    Raises `RefusedError` where that cannot be done without touching anything else in the file, and
    `ReleaseFileError` where the file would not be sound.
    """
    from rollway.facts.edit import lay_over
    from rollway.facts.extends import read_written
    from rollway.facts.load import load_written
    from rollway.facts.reading import read_source

    mark = _MARK if path.exists() and path.read_bytes().startswith(_MARK.encode()) else ""
    changed = lay_over(read_source(path).text, facts, str(path))
    load_written(read_written([path], {str(path): changed}))
    return mark + changed
