"""The document pack: what people read, sign and print, made from a release and all that follows from it.

Same pack, same bytes. It decides nothing and knows nothing that the pack does not hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rollway.documents import rollout_plan, strategy
from rollway.documents.pack import Pack
from rollway.errors import InputError

Format = Literal["md", "html"]


@dataclass(frozen=True, slots=True)
class Document:
    """One kind of document: its title, its template, and what the template is given."""

    title: str
    template: str
    values: Callable[[Pack], dict[str, Any]]


DOCUMENTS: Mapping[str, Document] = MappingProxyType(
    {
        "strategy": Document(strategy.TITLE, "strategy.md.j2", strategy.values),
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
    if fmt == "md":
        return markdown
    from rollway.documents.page import render_page

    plan = pack.plan
    return render_page(
        markdown,
        title=f"{document.title}: {plan.title or plan.name} {plan.version}",
        footer=f"Made by Rollway from plan {plan.hash} and facts {plan.facts_hash}.",
    )


__all__ = ["DOCUMENTS", "KINDS", "Document", "Format", "Pack", "render"]
