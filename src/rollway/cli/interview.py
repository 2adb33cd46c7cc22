"""init --ask: an interview that writes each answer down at once."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import heading
from rollway.cli.files import with_facts, write_atomically
from rollway.errors import RefusedError

if TYPE_CHECKING:
    from rollway.facts import Release
    from rollway.readiness import Question

HELP = """\
  yes                            known
  yes (Jo, platform team)        known, and who says so
  assume yes because as in 2.3   assumed, and why
  ?                              you don't know: asked again next time
  ? ask Jo                       you don't know, and who may
  back                           the question before this one
  quit                           leave; what is answered is in the file\
"""
_QUIT = ("q", "quit", "exit", ":q", "stop")
_BACK = ("b", "back", "undo")
_HELP = ("h", "help")
_PATH = re.compile(r"\(([a-z_]+(?:\.[a-z_]+)+)\)")
_LISTS = {
    "kpis": "which figures decide about going on; the file holds two examples",
    "backlog.items": "stories: or `rollway import` an export of your tracker",
    "done.criteria": "the lines of the Definition of Done",
    "risks.items": "the risk register: or `rollway import` the spreadsheet",
    "stakeholders.groups": "who gets it together: or `rollway import groups.csv`",
    "agreements.windows": "when a change may happen",
    "agreements.freezes": "when it may not: or `rollway import freezes.ics`",
}


class _Left(Exception):  # noqa: N818 - travels within this file only
    """The person has left, or the input has ended."""


def interview(path: Path) -> None:
    """Ask for open facts, what matters most first, until none is open or the person leaves.

    The file is read again before each question, and written in one step after each answer: nothing is
    lost when the terminal goes away, and it may be edited meanwhile. Raises `ReleaseFileError` where it is
    not sound.
    """
    heading(f"What is known about this release? Each answer goes into {path} at once.")
    click.echo(HELP)
    session = _Session(path)
    try:
        while session.ask_next():
            pass
        click.echo("\nNothing is left to ask.")
    except (_Left, KeyboardInterrupt):
        click.echo()
    session.tell_end()


def line(prompt: str = "> ") -> str:
    """What somebody types, or a line of what is piped in. Raises `EOFError` at the end of it."""
    typed = input(prompt)
    if not sys.stdin.isatty():
        click.echo(typed)  # so that the record of a piped interview can be read
    return typed.strip()


class _Session:
    """One sitting: what was asked in it, in order, and what is to be asked again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked: list[str] = []
        self._again: list[str] = []
        self._answered: set[str] = set()

    def ask_next(self) -> bool:
        """Settle one question, or go back by one. False where nothing is left to ask."""
        release = self._release()
        question = self._next(release)
        if question is None:
            return False
        self._show(question, release)
        if self._settle(question, release):
            self._asked.append(question.path)
        else:
            self._again += [question.path, *self._asked[-1:]]
            del self._asked[-1:]
        return True

    def _next(self, release: Release) -> Question | None:
        from rollway.readiness import is_asked_elsewhere, open_questions, question_of

        if self._again:
            return question_of(self._again.pop())
        first = _asked_by_choice(release)
        open_ = [one for one in open_questions(release, first) if one.path not in self._asked]
        at_once = [one for one in open_ if not is_asked_elsewhere(release, one.path)]
        return next(iter(at_once or open_), None)

    def _settle(self, question: Question, release: Release) -> bool:
        """Ask until an answer is written or put off; False where the person goes back."""
        from rollway.facts.answers import forms_of
        from rollway.facts.words import Misfit
        from rollway.readiness import is_stated

        while True:
            typed = _typed()
            if typed.lower() in _BACK:
                return False
            if typed.lower() in _HELP:
                click.echo(HELP)
                continue
            try:
                value = _value(question.path, typed, was_stated=is_stated(release, question.path))
                if value is None or self._write(question.path, value):
                    return True
            except Misfit as misfit:
                _tell(misfit.message, misfit.suggestion or f"asked for is {forms_of(question.path)}; or ?")

    def _show(self, question: Question, release: Release) -> None:
        from rollway.facts.answers import forms_of

        click.echo(f"\n{click.style(question.text, bold=True)}  [{forms_of(question.path)}]")
        click.echo(f"  {question.why} ({question.path})")
        if told := _said_so_far(release, question.path):
            click.echo(f"  so far: {told}")

    def _write(self, where: str, value: Any) -> bool:
        """Write an answer down; False where the file would not be sound with it."""
        from rollway.facts import ReleaseFileError
        from rollway.facts.yaml_text import after_key

        try:
            write_atomically(self._path, with_facts(self._path, _nested(where, value)))
        except ReleaseFileError as error:
            for problem in error.problems[:3]:
                _tell(problem.message, problem.suggestion)
            return False
        except RefusedError as error:
            _tell(error.message, f"write it there yourself: {where}: {after_key(value)}")
            return True
        self._answered.add(where)
        click.echo(f"  {click.style('written', fg='green')}: {where}: {after_key(value)}")
        return True

    def _release(self) -> Release:
        from rollway.facts import load_release

        return load_release(self._path)

    def tell_end(self) -> None:
        """How far this got, and what a terminal is no good place to ask for."""
        from rollway.readiness import is_stated, open_questions

        release = self._release()
        rest, number = len(open_questions(release)), len(self._answered)
        click.echo(f"{number} {'answer' if number == 1 else 'answers'} written; {rest} questions are open.")
        lists = [(path, how) for path, how in _LISTS.items() if not is_stated(release, path)]
        if lists:
            click.echo("Better written in the file than asked for here:")
        for path, how in lists:
            click.echo(f"  {path:<24}{how}")
        if rest:
            click.echo(f"go on later: `rollway init --ask {self._path}`")
        click.echo(f"next: `rollway assess {self._path}`")


def _typed() -> str:
    try:
        typed = line()
    except EOFError:
        raise _Left from None
    if typed.lower() in _QUIT:
        raise _Left
    return typed


def _value(path: str, typed: str, *, was_stated: bool) -> Any:
    """What is to be written; None where nothing is. `?` takes back what was said before."""
    from rollway.facts.answers import answer_from
    from rollway.facts.fact import UNKNOWN_WORD

    answer = answer_from(path, typed)
    takes_back = answer.value is None and bool(typed) and was_stated
    return (UNKNOWN_WORD if answer.is_fact else []) if takes_back else answer.value


def _nested(where: str, value: Any) -> dict[str, Any]:
    for key in reversed(where.split(".")):
        value = {key: value}
    nested: dict[str, Any] = value
    return nested


def _tell(message: str, suggestion: str) -> None:
    told = "; ".join(part for part in (message, suggestion) if part)
    click.echo(click.style(f"  {told}", fg="yellow"))


def _said_so_far(release: Release, path: str) -> str:
    """What the file says already, where a question is asked again, or who may know."""
    from operator import attrgetter

    from rollway.facts import Fact

    value = attrgetter(path)(release)
    if isinstance(value, Fact):
        return value.quote() if value.is_stated else f"unknown, {value.note}" if value.note else ""
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _asked_by_choice(release: Release) -> list[str]:
    """The paths of the facts that weigh most for the choice of the method."""
    from rollway.choice import choose

    found = (_PATH.search(question) for question in choose(release).next_questions)
    return [one[1] for one in found if one]
