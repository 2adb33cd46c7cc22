"""Plays a page of the documentation in a folder, and gives it back as it ought to be.

The fences of a page that is played say what they are after the language:

    ```console                 commands, each after `$ `, with what they print (output and errors)
    ```console exit=12         the same; the last command must end with this exit code
    ```console head=9          only the first nine lines of each answer are shown, then `...`
    ```console under=Ranking   only what an answer tells under this heading is shown: its indented lines
    ```csv file=risks.csv      a file that is made
    ```yaml edit=release.yaml  facts that are written into a file, each where it belongs

All other fences are left alone. The first command of a page is run by the real program, all others in this
process, because starting it takes longer than most answers.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from ruamel.yaml import YAML

from rollway.cli.main import main
from rollway.facts.edit import lay_over

_FENCE = re.compile(r"^```(\w+)((?: [a-z]+=[^`\n]+)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CUT = "..."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit code."""

    text: str
    code: int


def told_again(page: str, folder: Path) -> str:
    """The page with the answers that its commands give now. Plays it in `folder`, which begins empty."""
    is_first = True

    def play(found: re.Match[str]) -> str:
        nonlocal is_first
        language, said, body = found[1], found[2].strip(), found[3]
        option, _, value = said.partition("=")
        if option == "file":
            (folder / value).write_text(body, encoding="utf-8")
        elif option == "edit":
            _edit(folder / value, body)
        elif language == "console":
            body = "".join(_answers(body, option, value, folder, is_program=is_first))
            is_first = False
        return f"```{language}{found[2]}\n{body}```"

    return _FENCE.sub(play, page)


def _edit(file: Path, body: str) -> None:
    facts = YAML(typ="safe").load(body)
    file.write_text(lay_over(file.read_text(encoding="utf-8"), facts, file.name), encoding="utf-8")


def _answers(body: str, option: str, value: str, folder: Path, *, is_program: bool) -> Iterator[str]:
    commands = [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
    for number, command in enumerate(commands, 1):
        answer = (_by_program if is_program else _in_process)(shlex.split(command), folder)
        wanted = int(value) if option == "exit" and number == len(commands) else None
        if wanted is not None and answer.code != wanted:
            raise AssertionError(f"{command}: exit code {answer.code}, not {wanted}:\n{answer.text}")
        if answer.code not in {0, 11, 12} and wanted is None:
            raise AssertionError(f"{command}: exit code {answer.code}:\n{answer.text}")
        yield f"$ {command}\n"
        yield from (f"{line}\n" for line in _shown(answer.text.rstrip().splitlines(), option, value))


def _shown(lines: list[str], option: str, value: str) -> list[str]:
    if option == "head" and len(lines) > int(value):
        return [*lines[: int(value)], CUT]
    if option == "under":
        start = next((n for n, line in enumerate(lines) if line.startswith(value)), None)
        if start is None:
            raise AssertionError(f"nothing is told under {value!r}:\n" + "\n".join(lines))
        end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
        return [*([CUT] if start else []), *lines[start:end], *([CUT] if end < len(lines) else [])]
    return lines


def _by_program(command: list[str], folder: Path) -> Answer:
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return Answer(done.stdout + done.stderr, done.returncode)


def _in_process(command: list[str], folder: Path) -> Answer:
    said = io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", command),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as end:
            return Answer(said.getvalue(), int(end.code or 0))
    raise AssertionError("the program did not end")
