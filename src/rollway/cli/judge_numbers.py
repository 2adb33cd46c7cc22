"""What the judge's commands share: options that are numbers, and sentences that fit the screen."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import Any

import click

from rollway.cli.common import coloured, heading
from rollway.errors import InputError

SCREEN = 80


class Number(click.FloatRange):
    """A number within a range. `nan` and `inf` are none, though Python reads them as such."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a number that can be calculated with.", param, ctx)
        return found


PART = Number(1e-12, 1, max_open=True)
"""A probability such as alpha: not so small that its reciprocal overflows."""


def say(text: str, indent: str = "  ") -> None:
    """A sentence, broken into lines that fit the screen."""
    click.echo(textwrap.fill(text, SCREEN, initial_indent=indent, subsequent_indent=indent))


def headline(word: str, sentence: str) -> None:
    """A verdict in its colour, and a sentence after it that may go on for several lines."""
    first, *rest = textwrap.wrap(
        sentence, SCREEN, initial_indent=" " * (len(word) + 2), subsequent_indent="  "
    )
    heading("\n".join([coloured(word) + first[len(word) :], *rest]))


def read_text(path: Path, hint: str) -> str:
    """A text file. Raises InputError where it cannot be read, or is no UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - (error.object.rfind(b"\n", 0, error.start) + 1) + 1
        raise InputError(f"{path}:{line}:{column}: this is not UTF-8 text", hint=hint) from error
