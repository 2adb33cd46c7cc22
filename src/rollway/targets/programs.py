"""Programs of the operators' own, run without a shell and within a time."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from rollway.errors import TemporaryError

log = logging.getLogger("rollway.targets.programs")


def run_program(
    words: Sequence[str], *, timeout: float, folder: str = ".", environment: Mapping[str, str] | None = None
) -> str:
    """Its standard output. Whatever it started ends with it where it takes longer than `timeout` seconds.

    `environment` is added to that of this process. Raises TemporaryError where it cannot be run, takes too
    long, or does not end with 0; then with the last line that it said.
    """
    told = " ".join(words)
    try:
        process = subprocess.Popen(  # noqa: S603 -- the operator's own command, and no shell
            words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise TemporaryError(f"`{told}` cannot be run: {error}") from error
    with process:
        try:
            out, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise TemporaryError(f"`{told}` took longer than {timeout:g} s and was ended") from error
    log.info("`%s` ended with %s: %s %s", told, process.returncode, out.strip(), complaint.strip())
    if process.returncode:
        last = (complaint.strip() or out.strip()).splitlines()
        raise TemporaryError(f"`{told}` ended with {process.returncode}: {last[-1][:300] if last else ''}")
    return out


def is_words(value: object) -> bool:
    """Whether this is a command as a list of words; the same word may stand in it twice."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(word, str) for word in value)
