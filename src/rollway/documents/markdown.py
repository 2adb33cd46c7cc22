"""Markdown from templates, in which every value is text: it cannot break a table, nor become a link."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
EMPTY = "–"

_MARKS = re.compile(r"([\\`*_\[\]<>|&~$])")
_LEADING = re.compile(r"^(?:([-+#=])(?=[-+#=\s]|$)|(\d{1,9})([.)])(?=\s|$))")
_TRAILING = re.compile(r"(?<!\\)#$")
_AUTOLINK = re.compile(r"(?i)(://)|\b(www)(\.)")
# Controls, and the marks that turn the direction of writing: what is read would not be what is written.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def as_text(value: Any) -> str:
    """A value as Markdown that shows it literally, on one line; an empty one as a dash.

    Escaped are the marks of Markdown, HTML and tables wherever they stand, what would begin a heading or
    a list at the start, and addresses that some readers turn into links by themselves.
    """
    text = _UNSEEN.sub("", str("" if value is None else value))
    text = " ".join(text.split())
    if not text:
        return EMPTY
    text = _MARKS.sub(r"\\\1", text)
    text = _TRAILING.sub(r"\#", _LEADING.sub(_escape_leading, text))
    return _AUTOLINK.sub(lambda found: ":\\/\\/" if found[1] else f"{found[2]}\\.", text)


def _escape_leading(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def render_markdown(template: str, values: dict[str, Any]) -> str:
    """A template with these values. Raises jinja2.UndefinedError for a name that is not given."""
    text = _environment().get_template(template).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else Markup(as_text(value))  # noqa: S704 as_text is what escapes


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    # Autoescape is on so that macros give Markup, which is left alone; every other value goes through
    # as_text before it could be escaped as HTML.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
