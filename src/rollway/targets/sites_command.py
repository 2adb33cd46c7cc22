"""Running a site's command so that it outlives Rollway, ends in time, and never runs twice at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# The keeper holds the site's lock for as long as the command runs, and ends it in time, whether or not
# Rollway is still there. The command itself does not get the lock: what it leaves running keeps nothing.
_KEEPER = """
import os, signal, sys
lock, seconds, words = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, seconds)
try:
    child = os.posix_spawnp(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, lock)])
except OSError as error:
    sys.exit(f"{words[0]} cannot be run: {error.strerror}")
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
"""
_LATE_SECONDS = 10.0
_TAIL = 2000
_LAST = 300


@dataclass(frozen=True, slots=True)
class Held:
    """A site that is ours for as long as this is open."""

    log: Path
    handle: IO[bytes]

    def release(self) -> None:
        self.handle.close()


def log_of(folder: Path, site: str) -> Path:
    """Where the output of a site's last command is, which is also what is locked."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", site)[:60]
    return folder / "logs" / f"{slug}-{hashlib.sha256(site.encode()).hexdigest()[:8]}.log"


def hold(folder: Path, site: str) -> Held | None:
    """Take the site; None where another worker, or a command of an earlier life, still works on it."""
    log = log_of(folder, site)
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = log.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return Held(log, handle)


def run_held(
    held: Held, words: Sequence[str], *, timeout: float, folder: str, environment: Mapping[str, str]
) -> tuple[bool, str]:
    """Run a site's command to its end, at most `timeout` seconds. Returns whether it ended with 0, and the
    last line that it said, or why it did not end well."""
    began = time.monotonic()
    keeper = [sys.executable, "-I", "-S", "-c", _KEEPER, str(held.handle.fileno()), f"{timeout:g}", *words]
    try:
        with (
            held.log.open("wb") as out,
            subprocess.Popen(  # noqa: S603 -- the operator's own command, and no shell
                keeper,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=(held.handle.fileno(),),
                start_new_session=True,
            ) as process,
        ):
            code = _ended(process, timeout)
    except (OSError, ValueError) as error:
        return False, f"it cannot be run: {error}"
    said = _last_line(held.log)
    if code == -signal.SIGKILL and time.monotonic() - began >= timeout:
        return False, f"it took longer than {timeout:g} s and was ended; it said: {said or 'nothing'}"
    if code:
        return False, f"it ended with {code}: {said}"
    return True, said


def _ended(process: subprocess.Popen[bytes], timeout: float) -> int:
    try:
        return process.wait(timeout + _LATE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    last = lines[-1].strip() if lines else ""
    return "".join(character if character.isprintable() else "·" for character in last)[:_LAST]
