"""Releases for tests: from dotted paths, and any release that hypothesis can think of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from rollway.facts.fact import Fact
from rollway.facts.model import Release

IDENTITY = {"name": "till", "version": "2.0"}
UNKNOWN = {"state": "unknown"}


def release_with(facts: dict[str, Any] | None = None, **sections: Any) -> Release:
    """`release_with({"risks.regulated": True}, kpis=[...])`; the source of a fact is `facts.yaml:<path>`.

    A value that is a dict is taken as the whole fact, such as {"assume": 3, "because": "last year"}.
    """
    raw: dict[str, Any] = {"release": dict(IDENTITY), **sections}
    for path, value in (facts or {}).items():
        stated = value if isinstance(value, dict) else known(value, f"facts.yaml:{path}")
        put(raw, path, stated)
    return Release.model_validate(raw)


def known(value: Any, source: str = "facts.yaml") -> dict[str, Any]:
    return {"state": "known", "value": value, "source": source}


def put(raw: dict[str, Any], path: str, value: Any) -> None:
    """Writes a value at a dotted path, making the sections on the way."""
    *sections, last = path.split(".")
    for key in sections:
        raw = raw.setdefault(key, {})
    raw[last] = value


def fact_types(model: type[BaseModel] = Release, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every fact of the release file: its dotted path and the type of its value."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Fact):
            yield prefix + name, kind.model_fields["value"].annotation
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fact_types(kind, f"{prefix}{name}.")


def values_of(kind: Any) -> list[Any]:
    """A few telling values of a fact's type, among them the extremes."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return [value for part in parts if part is not type(None) for value in values_of(part)]
    if origin is Annotated:
        return values_of(parts[0])
    if origin is Literal:
        return list(parts)
    if kind is float:
        return [0.0, 0.5, 1.0]
    if issubclass(kind, timedelta):
        return ["0s", "4m", "3h", "30d"]
    pools: dict[type, list[Any]] = {
        bool: [True, False],
        int: [1, 2, 90, 10**9],
        str: ["", "none", "two weeks"],
        date: ["2026-01-01", "2027-06-30"],
    }
    return pools[kind]


TYPES = dict(fact_types())
_maybe = st.sampled_from([True, False, None])
_share = st.sampled_from([None, 0.0, 0.1, 0.86, 1.0])

_kpis = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["errors", "refusals", "slow"]),
            "kind": st.sampled_from(["rate", "latency"]),
            "say": st.sampled_from(["gate", "brake", "watch"]),
            "tolerance": st.sampled_from([1.0, 1.1, 3.0, 1e300]),
            "weight": st.sampled_from([1e-300, 1.0, 1e300]),
            "expected": st.sampled_from([None, 0.0, 1e-300, 1e-4, 0.01, 0.5, 0.9, 1.0, 7.0]),
            "signal": st.just({"type": "scrape"}),
        }
    ),
    max_size=3,
)
_groups = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["Leeds", "York", "Hull"]),
            "representative": _maybe,
            "training_done": _share,
            "informed": _maybe,
        }
    ),
    max_size=4,
)
_parties = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.just("Card network"),
            "kind": st.sampled_from(["integration", "licence"]),
            "ready": _maybe,
            "valid_until": st.sampled_from([None, "2026-06-30", "2028-01-01"]),
        }
    ),
    max_size=2,
)
_items = st.lists(
    st.fixed_dictionaries(
        {"id": st.just("A-1"), "title": st.just("a"), "accepted": _maybe, "touches": st.just(["workflow"])}
    ),
    max_size=2,
)
_levels = st.lists(
    st.fixed_dictionaries({"name": st.just("up"), "objective": st.just("99%"), "error_budget_left": _share}),
    max_size=2,
)
_windows = st.lists(
    st.fixed_dictionaries(
        {
            "opens": st.sampled_from(["00:00", "22:00", "24:00"]),
            "closes": st.sampled_from(["00:00", "06:00", "24:00"]),
        }
    ),
    max_size=2,
)
_wishes = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["pilot", "phased", "parallel", "big_bang", "blue_green", "canary"]),
        "because": st.sampled_from(["", "we always do"]),
        "shares": st.sampled_from([[], [1e-9, 1.0], [0.05, 0.5, 1.0]]),
        "bake": st.sampled_from(["10m", "1d", "14d"]),
        "false_rollback": st.sampled_from([1e-300, 0.01, 0.999]),
    },
)
_weights = st.fixed_dictionaries(
    dict.fromkeys(
        ("value", "risk", "compliance", "user_readiness"),
        st.sampled_from([0.0, 1.0, 3.0, 1e308, float("inf")]),
    )
)


@st.composite
def release_files(draw: st.DrawFn) -> dict[str, Any]:
    """The plain content of a release file: every fact known, assumed or absent; every list short."""
    raw: dict[str, Any] = {"release": dict(IDENTITY)}
    states = draw(st.lists(st.integers(0, 5), min_size=len(TYPES), max_size=len(TYPES)))
    for (path, kind), state in zip(TYPES.items(), states, strict=True):
        values = values_of(kind)
        if state == 0:
            put(raw, path, {"assume": values[-1], "because": "so it was"})
        elif state <= len(values):
            put(raw, path, known(values[state - 1]))
    lists = {
        "kpis": _kpis,
        "stakeholders.groups": _groups,
        "architecture.third_parties": _parties,
        "backlog.items": _items,
        "agreements.service_levels": _levels,
        "agreements.windows": _windows,
        "rollout": _wishes,
        "goals.weights": _weights,
    }
    for path, rows in lists.items():
        put(raw, path, draw(rows))
    return raw


def releases() -> st.SearchStrategy[Release]:
    """Any release."""
    return release_files().map(Release.model_validate)
