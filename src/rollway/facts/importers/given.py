"""From a path to what an importer is given; text in the encodings that office programs write."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from rollway.facts.importers.model import Given, UnreadableError

MAX_BYTES = 100_000_000
LONGEST_TEXT = 300
STDIN = "-"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")


def read_given(path: str) -> Given:
    """The file, the folder of a git repository, or standard input (`-`). Raises `UnreadableError`."""
    if path == STDIN:
        return Given("stdin", _bounded(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin"))
    if not path or "\0" in path:
        raise UnreadableError(f"{path!r} is not the name of a file")
    try:
        if os.path.isdir(path):
            return _repository(path)
        with Path(path).open("rb") as file:
            return Given(path, _bounded(file.read(MAX_BYTES + 1), path))
    except FileNotFoundError:
        raise UnreadableError(f"{path}: there is no such file") from None
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from None


def _repository(path: str) -> Given:
    folder = Path(path)
    inside = folder.parent if folder.name == ".git" else folder
    if not (inside / ".git").exists():
        hint = "name a file, or the folder of a git repository"
        raise UnreadableError(f"{path}: this folder is no git repository", hint=hint)
    return Given(path, folder=str(inside))


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        message = f"{name}: this is larger than {MAX_BYTES // 1_000_000} MB, the most that is imported"
        raise UnreadableError(message, hint="export less of it")
    return data


def text_of(given: Given) -> tuple[str, str]:
    """The text, and the encoding it was read as: Unicode with or without its mark, else Windows-1252."""
    for mark, encoding in _MARKS.items():
        if given.data.startswith(mark):
            try:
                return given.data.decode(encoding), encoding.upper().removesuffix("-SIG")
            except UnicodeDecodeError as error:
                raise UnreadableError(f"{given.name}: this is not {encoding} text: {error.reason}") from None
    if b"\0" in given.data:
        raise UnreadableError(f"{given.name}: this is not a text file")
    try:
        return given.data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return given.data.decode("cp1252", "replace"), "Windows-1252"


def beginning(given: Given, size: int = 4096) -> str:
    """The first characters, for a look at what this may be; never raises."""
    head = given.data[:size]
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return head.decode(encoding, "replace")
    return head.decode("utf-8", "replace")


def clean(value: object, longest: int = LONGEST_TEXT) -> str:
    """A text on one line, without what a terminal would obey, and no longer than a title may be."""
    text = " ".join(_CONTROL.sub(" ", str(value if value is not None else "")).split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def slug(text: str, longest: int = 40) -> str:
    """A short name made from a title, the same for the same title."""
    told = re.sub(r"[^\w]+", "-", text.lower()).strip("-_")
    return told if len(told) <= longest else told[:longest].rpartition("-")[0] or told[:longest]
