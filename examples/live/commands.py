"""Rollway's commands as one types them: printed with a prompt, run, and what they say shown in short."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.app import Rollway
from rollway.cli.main import cli
from rollway.errors import RefusedError, RollwayError

if TYPE_CHECKING:
    from rollway.rollout import CommandKind

WIDTH = 118


class Shell:
    """Runs `rollway ...` on one data folder; what it prints goes to `say`, or stays in `unsaid`."""

    def __init__(self, data: Path, *, quiet: bool = False) -> None:
        self._data, self._quiet = data, quiet
        self.unsaid: list[str] = []

    def say(self, text: str = "") -> None:
        if self._quiet:
            self.unsaid.append(text)
        else:
            click.echo(text)

    def run(self, *words: str, lines: int = 4, last: int = 0) -> tuple[int, str]:
        """Exit code and output of a command. Its first and `last` lines are shown."""
        self.say(click.style(f"  $ rollway {shlex.join(words)}", fg="cyan"))
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            try:
                code = cli.main(["--data", str(self._data), *words], standalone_mode=False) or 0
            except RollwayError as error:
                code = error.exit_code
                print("\n".join((error.message, *error.details, error.hint)))
            except click.ClickException as error:
                code = error.exit_code
                error.show()
        text = told.getvalue().rstrip()
        for line in _in_short(text.splitlines(), lines, last):
            self.say(f"    {line}")
        return int(code), text

    def leave(self, rollout: str, kind: CommandKind, actor: str, reason: str, subject: str = "") -> None:
        """Say something and do not wait until it was heard; Rollway may be down, the rollout at its end."""
        rollway = Rollway(str(self._data))
        try:
            with contextlib.suppress(RefusedError):
                rollway.say(rollout, kind, actor, reason, subject)
        finally:
            rollway.close()

    def must(self, *words: str, lines: int = 4, last: int = 0) -> str:
        """As `run`. Raises RuntimeError with the whole output where the command does not end well."""
        code, text = self.run(*words, lines=lines, last=last)
        if code:
            raise RuntimeError(f"rollway {shlex.join(words)} ended with {code}:\n{text}")
        return text


def _in_short(lines: Sequence[str], first: int, last: int) -> list[str]:
    cut = [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]
    if len(cut) <= first + last + 1:
        return cut
    left = len(cut) - first - last
    return [*cut[:first], f"… ({left} more lines)", *(cut[-last:] if last else [])]
