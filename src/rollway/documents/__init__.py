"""The document pack: what people read, sign and print, made from a release and all that follows from it.

Same pack, same bytes. It decides nothing and knows nothing that the pack does not hold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rollway.documents import figures, rollout_plan, strategy
from rollway.documents.figures import Figure, methods_figure
from rollway.documents.pack import Pack
from rollway.errors import InputError

Format = Literal["md", "html"]


@dataclass(frozen=True, slots=True)
class Document:
    """One kind of document: its title, its template, what the template is given, and its figures by name."""

    title: str
    template: str
    values: Callable[[Pack], dict[str, Any]]
    figures: Callable[[Pack], Mapping[str, Figure]] = lambda pack: {}


DOCUMENTS: Mapping[str, Document] = MappingProxyType(
    {
        "strategy": Document(strategy.TITLE, "strategy.md.j2", strategy.values, strategy.figures),
        "rollout-plan": Document(rollout_plan.TITLE, "rollout-plan.md.j2", rollout_plan.values),
    }
)
KINDS: tuple[str, ...] = tuple(DOCUMENTS)


def render(kind: str, fmt: Format, pack: Pack) -> str:
    """One document as Markdown or as a self-contained page. Raises InputError for an unknown kind."""
    document = DOCUMENTS.get(kind)
    if document is None:
        raise InputError(f"there is no document '{kind}'", hint=f"choose one of {', '.join(KINDS)}")
    from rollway.documents.markdown import render_markdown

    markdown = render_markdown(document.template, document.values(pack))
    drawn = document.figures(pack)
    if fmt == "md":
        return figures.in_markdown(markdown, drawn)
    from rollway.documents.page import render_page

    plan = pack.plan
    return render_page(
        markdown,
        title=f"{document.title}: {plan.title or plan.name} {plan.version}",
        footer=f"Made by Rollway from plan {plan.hash} and facts {plan.facts_hash}.",
        figures=drawn,
    )


def files(pack: Pack, formats: Sequence[Format] = ("md", "html")) -> Iterator[tuple[str, str]]:
    """Name and text of every file of the pack: each document in each format, and what Markdown refers to."""
    for kind, document in DOCUMENTS.items():
        for fmt in formats:
            yield f"{kind}.{fmt}", render(kind, fmt, pack)
        if "md" in formats:
            for name, figure in document.figures(pack).items():
                yield f"{name}.svg", figure.file


__all__ = ["DOCUMENTS", "KINDS", "Document", "Figure", "Format", "Pack", "files", "methods_figure", "render"]
