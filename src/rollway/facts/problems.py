"""What is wrong in a release file: place, path, words, suggestion, and the error that carries them."""

from __future__ import annotations

import bisect
import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rollway.errors import InputError

Where = tuple[str | int, ...]

SHOWN_PROBLEMS = 50
_SNIPPET_WIDTH = 96
_LONGEST_TEXT = 500
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a text: line and column count characters from 1; line 0 stands for the whole text."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class SourceText:
    """A text with its name and the starts of its lines (as editors count them: CR, LF, CRLF)."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]

    @property
    def line_count(self) -> int:
        return len(self._starts)

    def place(self, index: int) -> Place:
        """The place of the character at `index` (0-based)."""
        line = bisect.bisect_right(self._starts, index)
        return Place(self.name, line, index - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line (1-based) without its line break; "" where there is none."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")

    def problem(self, place: Place, message: str, suggestion: str = "", *, where: Where = ()) -> Problem:
        line = self.line(place.line) if place.file == self.name else ""
        return Problem(place.file, place.line, place.column, dotted(where), message, suggestion, line)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what may be meant instead.

    `line` and `column` count from 1 and are 0 where there is no place (a file that is not there, a
    value from the command line). `path` is dotted, such as `kpis.0.kind`, and "" for the whole file.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str = ""
    source_line: str = ""

    def __post_init__(self) -> None:
        # Keys, anchors and the parser's own words end up in messages: no terminal shall obey them.
        for name in ("path", "message", "suggestion"):
            object.__setattr__(self, name, _visible(getattr(self, name)[:_LONGEST_TEXT]))

    @property
    def headline(self) -> str:
        """`release.yaml:3:9: kpis.0.kind: what is wrong; what may be meant`."""
        place = _visible(str(Place(self.file, self.line, self.column)))
        told = "; ".join(part for part in (self.message, self.suggestion) if part)
        return ": ".join(part for part in (place, self.path, told) if part)

    @property
    def snippet(self) -> str:
        """The line of the file with a caret under the column; "" where there is no line."""
        if not self.source_line.strip():
            return ""
        start = max(0, self.column - _SNIPPET_WIDTH * 3 // 4)
        shown = _visible(self.source_line[start : start + _SNIPPET_WIDTH])
        before = _visible(self.source_line[start : self.column - 1])
        mark = "…" if start else ""
        indent = " " * (len(mark) + sum(_cells(character) for character in before))
        return f"{self.line:>5} | {mark}{shown}\n      | {indent}^"

    def __str__(self) -> str:
        return "\n".join(part for part in (self.headline, self.snippet) if part)


class ReleaseFileError(InputError):
    """A release file cannot be used. `problems` holds every finding, in the order of the file."""

    def __init__(self, name: str, problems: Sequence[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(only.headline, hint=hint, details=(only.snippet,) if only.snippet else ())
            return
        blocks = [str(problem) for problem in self.problems[:SHOWN_PROBLEMS]]
        if len(self.problems) > SHOWN_PROBLEMS:
            blocks.append(f"… and {len(self.problems) - SHOWN_PROBLEMS} more")
        super().__init__(f"{_visible(name)}: {len(self.problems)} problems", hint=hint, details=tuple(blocks))

    def to_json(self) -> list[dict[str, Any]]:
        """The problems as plain values: file, line, column, path, message, suggestion, source_line."""
        return [asdict(problem) for problem in self.problems]


def dotted(where: Where) -> str:
    """A path as people write it: `kpis.0.kind`."""
    return ".".join(_quoted_if_odd(part) for part in where)


def shown(value: Any) -> str:
    """A value as a message quotes it: short, on one line, with nothing a terminal would obey."""
    if isinstance(value, str):
        clipped = value if len(value) <= 40 else value[:39] + "…"
        return repr(clipped)
    return json.dumps(value, default=str)


def closest(word: str, options: Iterable[str], *, likeness: float = 0.6) -> str:
    """The option that `word` was most likely meant to be, or ""; `likeness` is 0..1, 1 for equal."""
    plain = {_plain(option): option for option in options}
    wanted = _plain(word)
    near = difflib.get_close_matches(wanted, plain, n=1, cutoff=likeness)
    # "monday" is far from "mon" by letters, yet everybody sees what is meant.
    begun = [option for option in plain if len(option) >= 3 and wanted.startswith(option)]
    return plain[(begun or near)[0]] if begun or near else ""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    near = closest(word, options)
    return f"did you mean '{near}'?" if near else ""


def _plain(word: str) -> str:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word[:80])
    return re.sub(r"[\s-]+", "_", snake.strip()).lower()


def _quoted_if_odd(part: str | int) -> str:
    text = str(part)
    return text if re.fullmatch(r"[\w-]{1,60}", text) else shown(text)


def _visible(text: str) -> str:
    return "".join("→" if c == "\t" else c if c.isprintable() else "·" for c in text)


def _cells(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
