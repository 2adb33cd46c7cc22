"""A document's Markdown as one self-contained page: no scripts, no links, nothing loaded from anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rollway.documents.figures import Figure, in_page
from rollway.documents.markdown import TEMPLATES

_PAIRS = "<table>\n<thead>\n<tr>\n<th></th>\n<th></th>\n</tr>\n</thead>"
_SHARE = re.compile("([█░]{10}) (&lt;)?([0-9.]+)%")
_NO_LINKS = ("link", "image", "autolink", "html_inline", "html_block", "reference")


def render_page(markdown: str, *, title: str, footer: str, figures: Mapping[str, Figure]) -> str:
    """The page as HTML text: what stands before the first level-2 heading, the contents, the rest."""
    tokens = _parser().parse(markdown)
    contents = _number_headings(tokens)
    _label_cells(tokens)
    body = _parser().renderer.render(tokens, _parser().options, {})
    head, _, rest = in_page(_decorate(body), figures).partition("<h2")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            footer=footer,
            contents=contents,
            head=head,
            body=f"<h2{rest}" if rest else "",
        )
    )


def _number_headings(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give each level-2 heading an id, and return (id, text) of all."""
    found: list[tuple[str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            name = f"section-{len(found) + 1}"
            opening.attrSet("id", name)
            found.append((name, "".join(child.content for child in inline.children or ())))
    return found


def _label_cells(tokens: Sequence[Token]) -> None:
    """Give each cell the head of its column, which narrow screens show before it."""
    heads: list[str] = []
    column = 0
    for opening, inline in pairwise(tokens):
        if opening.type == "table_open":
            heads = []
        elif opening.type == "tr_open":
            column = 0
        elif opening.type == "th_open":
            heads.append("".join(child.content for child in inline.children or ()))
        elif opening.type == "td_open":
            if heads[column]:
                opening.attrSet("data-label", heads[column])
            column += 1


def _decorate(body: str) -> str:
    """Tables that may scroll on narrow screens, tables of pairs without a head, and bars that are drawn."""
    body = body.replace(_PAIRS, '<table class="pairs">')
    body = body.replace("<ul>\n<li>☐ ", '<ul class="checks">\n<li>☐ ')
    body = body.replace("<table", '<div class="table"><table').replace("</table>", "</table></div>")
    return _SHARE.sub(_drawn, body)


def _drawn(found: re.Match[str]) -> str:
    bar = f'<span class="bar" aria-hidden="true"><span style="width:{found[3]}%"></span></span>'
    return f'<span class="share">{bar}{found[2] or ""}{found[3]}%</span>'


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    options: dict[str, Any] = {"html": False, "linkify": False, "typographer": False}
    return MarkdownIt("commonmark", options).enable("table").disable(list(_NO_LINKS))


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
