"""Lines that stay in their place in a terminal: only what changed is written, so nothing flickers."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.text import Text

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
CLEAR_LINE, CLEAR_BELOW, CLEAR_ALL = "\r\x1b[2K", "\x1b[J", "\x1b[2J\x1b[H"


class Canvas:
    """Draws lines over those it drew before, each picture in one write; the cursor is hidden meanwhile.

    It is left with the last picture on the screen and the cursor below it, whatever ended it.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[str] = []
        self._size = console.size

    def __enter__(self) -> Canvas:
        self._write(HIDE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write(SHOW)

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines. Those that are as before are not written again."""
        rows = [self._ansi(line) for line in lines]
        if self._console.size != self._size:
            # A terminal that changed its width has broken the old lines anew.
            self._size, self._rows = self._console.size, []
            self._write(CLEAR_ALL)
        before = self._rows
        if rows == before:
            return
        known = [*before, *[None] * len(rows)]
        body = "".join(
            "\n" if row == old else f"{CLEAR_LINE}{row}\n" for row, old in zip(rows, known, strict=False)
        )
        up = f"\x1b[{len(before)}A\r" if before else ""
        self._write(f"{up}{body}{CLEAR_BELOW if len(before) > len(rows) else ''}")
        self._rows = rows

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="", soft_wrap=True)
        return captured.get()

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
