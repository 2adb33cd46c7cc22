"""The labels and questions of facts."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from rollway.facts.fact import Fact
from rollway.facts.model import Release
from rollway.readiness import WORDINGS, ask_for, cite, fact_at
from support.releases import release_with


def _fact_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Fact):
            yield prefix + name
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fact_paths(kind, f"{prefix}{name}.")


def test_every_fact_of_the_release_file_has_a_label_and_a_question() -> None:
    """A new fact cannot be added without saying how it is cited and asked for."""
    assert set(_fact_paths(Release)) == set(WORDINGS)


def test_a_fact_is_found_cited_and_asked_for_by_its_path() -> None:
    """One path serves all three, and the question says where the answer belongs."""
    release = release_with({"stakeholders.sites": 840})
    assert fact_at(release, "stakeholders.sites").value == 840
    assert cite(release, "stakeholders.sites", "risks.regulated") == (
        "sites: 840 (facts.yaml:stakeholders.sites), regulated: unknown (not stated)"
    )
    assert ask_for("stakeholders.sites") == "How many sites get the release? (stakeholders.sites)"
