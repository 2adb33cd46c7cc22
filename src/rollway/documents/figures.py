"""Pictures in documents: a file beside the Markdown, and the drawing itself inside the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from rollway.choice.model import Choice
from rollway.choice.outcomes import Outcomes
from rollway.choice.picture import NARROW, TITLE, WIDE, description, svg_chart, svg_file

_MARK = "\x02{}\x02"
"""Stands for a figure until the format is known. Values cannot hold it: `as_text` drops such characters."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture in both of its forms: `file` is SVG text, `inline` HTML with a drawing for each width."""

    title: str
    file: str
    inline: str
    alt: str


def methods_figure(outcomes: Outcomes, choice: Choice) -> Figure:
    """The six methods, days to full value against users harmed."""
    wide = svg_chart(outcomes, choice, form=WIDE)
    narrow = svg_chart(outcomes, choice, form=NARROW, name="-narrow")
    inline = (
        f'<figure class="chart-of-methods">\n<div class="on-wide">\n{wide}</div>\n'
        f'<div class="on-narrow">\n{narrow}</div>\n</figure>'
    )
    return Figure(TITLE, svg_file(outcomes, choice), inline, description(outcomes, choice))


def mark_of(name: str) -> Markup:
    """What a template writes, on a line of its own, where the figure is to stand."""
    return Markup(_MARK.format(name))  # noqa: S704 a name of ours


def in_markdown(markdown: str, figures: Mapping[str, Figure]) -> str:
    """Each mark as a reference to `NAME.svg` in the same folder."""
    from rollway.documents.markdown import as_text

    for name, figure in figures.items():
        reference = f"![{as_text(f'{figure.title}. {figure.alt}')}]({name}.svg)"
        markdown = markdown.replace(_MARK.format(name), reference)
    return markdown


def in_page(body: str, figures: Mapping[str, Figure]) -> str:
    """Each mark as the drawing itself."""
    for name, figure in figures.items():
        body = body.replace(f"<p>{_MARK.format(name)}</p>", figure.inline)
    return body
