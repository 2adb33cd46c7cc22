"""Files that a load balancer reads: put in place as a whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from rollway.errors import TemporaryError


def put(path: Path, text: str) -> None:
    """Write beside the file, then rename: whoever reads sees the old text or the new one, never half of it.

    Mode and owner stay those of the file that was there. Raises TemporaryError where it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _like(path, name)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TemporaryError(
            f"{path} cannot be written: {error}", hint="see who may write in its folder"
        ) from error


def _like(path: Path, name: str) -> None:
    if not path.exists():
        Path(name).chmod(0o644)
        return
    was = path.stat()
    Path(name).chmod(was.st_mode & 0o7777)
    if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
        os.chown(name, was.st_uid, was.st_gid)
