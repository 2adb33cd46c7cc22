"""What the models expect at a path: sections, lists, facts and plain values."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel

from rollway.facts.fact import Fact
from rollway.facts.model import Release
from rollway.facts.problems import Where

Form = Literal["fact", "section", "list", "anything", "value", "value or unknown"]
Question = TypeVar("Question", bound=Callable[..., Any])


def _remembered(question: Question) -> Question:
    """What is asked of every value of every file, and of a few hundred annotations, is worked out once."""
    return cast(Question, cache(question))


@_remembered
def bare(annotation: Any) -> Any:
    """The annotation without `Annotated[...]` and `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [option for option in get_args(annotation) if option is not type(None)]
        return bare(inner[0]) if len(inner) == 1 else annotation
    return annotation


@_remembered
def may_be_none(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


@_remembered
def model_of(annotation: Any) -> type[BaseModel] | None:
    """The section, specification or fact that is expected, if it is one of these."""
    kind = bare(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


@_remembered
def fact_value(annotation: Any) -> Any | None:
    """The type of the value inside, if a fact is expected."""
    model = model_of(annotation)
    return model.model_fields["value"].annotation if model and issubclass(model, Fact) else None


@_remembered
def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section or specification (not a fact) that is expected, if it is one."""
    model = model_of(annotation)
    return None if model is None or issubclass(model, Fact) else model


@_remembered
def item_of(annotation: Any) -> Any | None:
    """The type of the items, if a list is expected."""
    kind = bare(annotation)
    return get_args(kind)[0] if get_origin(kind) is tuple else None


@_remembered
def words_of(annotation: Any) -> tuple[str, ...]:
    """The words to choose from, if the value is one of a few."""
    kind = bare(annotation)
    return get_args(kind) if get_origin(kind) is Literal else ()


@_remembered
def form_of(annotation: Any) -> tuple[Form, Any]:
    """Which of the forms is expected, and what is inside: of a fact its value, of a list its items."""
    if (inner := fact_value(annotation)) is not None:
        return "fact", inner
    if (section := section_of(annotation)) is not None:
        return "section", section
    if (item := item_of(annotation)) is not None:
        return "list", item
    if annotation is Any:
        return "anything", Any
    return "value or unknown" if may_be_none(annotation) else "value", annotation


def takes_any_key(section: type[BaseModel]) -> bool:
    return section.model_config.get("extra") == "allow"


def expected_at(where: Where) -> Any | None:
    """The annotation at a path of the release file; None where the models know no such path.

    Below a fact, and below the free keys of a signal or a target, everything is `Any`.
    """
    annotation: Any = Release
    for part in where:
        section, item = section_of(annotation), item_of(annotation)
        if annotation is Any or fact_value(annotation) is not None:
            annotation = Any
        elif section is not None and part in section.model_fields:
            annotation = section.model_fields[str(part)].annotation
        elif section is not None and takes_any_key(section):
            annotation = Any
        elif item is not None and isinstance(part, int):
            annotation = item
        else:
            return None
    return annotation


@cache
def homes_of_keys() -> dict[str, tuple[str, ...]]:
    """Every key of the top-level sections, with the dotted paths where it belongs."""
    homes: dict[str, tuple[str, ...]] = {}

    def visit(section: type[BaseModel], prefix: str) -> None:
        for name, field in section.model_fields.items():
            homes[name] = (*homes.get(name, ()), prefix + name)
            if (inner := section_of(field.annotation)) and not takes_any_key(inner):
                visit(inner, f"{prefix}{name}.")

    visit(Release, "")
    return homes
