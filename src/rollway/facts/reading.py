"""From a file on disk to its text: everything that can be wrong before YAML is looked at."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rollway.facts.problems import Problem, ReleaseFileError, SourceText

MAX_BYTES = 10_000_000
MAX_LINES = 20_000
_START_HINT = "`rollway init` writes a release file to start from"
_UTF8_HINT = "save it as UTF-8"
# Marks at the start of a file that say which Unicode encoding an editor used.
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def read_source(path: str | os.PathLike[str]) -> SourceText:
    """The file's text under the name it was given by, or a `ReleaseFileError` that says why not."""
    name = os.fspath(path)
    return decode(_read_bytes(name), name)


def decode(raw: bytes, name: str) -> SourceText:
    """The text of UTF-8 bytes. Refuses other encodings, binary files and more than `MAX_LINES` lines."""
    for mark, encoding in _OTHER_MARKS.items():
        if raw.startswith(mark):
            raise _refusal(name, f"this file is {encoding} text", _UTF8_HINT)
    if b"\0" in raw:
        raise _refusal(name, "this is not a text file", "name the release.yaml itself")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(raw, error, name) from None
    return checked(SourceText(name, text))


def checked(source: SourceText) -> SourceText:
    """The same text, if it is small enough to be read in a few seconds."""
    if len(source.text) > MAX_BYTES:
        raise _too_big(source.name)
    if source.line_count > MAX_LINES + 1:
        message = f"this file has {source.line_count - 1:,} lines; a release file has at most {MAX_LINES:,}"
        raise _refusal(source.name, message, "keep long lists of data outside of it")
    return source


def _read_bytes(name: str) -> bytes:
    if "\0" in name or not name:
        raise _refusal(repr(name), "this is not the name of a file")
    try:
        status = Path(name).stat()
        if stat.S_ISDIR(status.st_mode):
            raise _refusal(name, "this is a directory", "name the release file inside it")
        if status.st_size > MAX_BYTES:
            raise _too_big(name)
        with Path(name).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)  # pipes and growing files tell no size beforehand
    except FileNotFoundError:
        raise _refusal(name, "there is no such file", _START_HINT) from None
    except PermissionError:
        raise _refusal(
            name, "this file may not be read by you", "ask its owner for leave to read it"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _refusal(name, f"this file cannot be read: {str(reason).lower()}") from None
    if len(raw) > MAX_BYTES:
        raise _too_big(name)
    return raw


def _not_utf8(raw: bytes, error: UnicodeDecodeError, name: str) -> ReleaseFileError:
    before = SourceText(name, raw[: error.start].decode("utf-8-sig", "replace"))
    line_end = raw.find(b"\n", error.start)
    rest = raw[error.start : line_end if line_end >= 0 else None][:200].decode("utf-8", "replace")
    place = before.place(len(before.text))
    line = before.line(place.line) + rest.rstrip("\r")
    message = f"the byte 0x{raw[error.start]:02x} is not UTF-8 text"
    return ReleaseFileError(name, [Problem(name, place.line, place.column, "", message, _UTF8_HINT, line)])


def _too_big(name: str) -> ReleaseFileError:
    message = f"this file is larger than {MAX_BYTES / 1e6:.0f} MB, the most that a release file may have"
    return _refusal(name, message, "keep long lists of data outside of it")


def _refusal(name: str, message: str, suggestion: str = "") -> ReleaseFileError:
    return ReleaseFileError(name, [Problem(name, 0, 0, "", message, suggestion)])
