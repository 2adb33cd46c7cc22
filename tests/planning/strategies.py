"""Releases of every kind that the release file allows, as far as plans depend on it."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from rollway.facts.model import During, MethodName, Release

METHODS: tuple[MethodName, ...] = get_args(MethodName)
DAY_OF_TRAFFIC = [2.0, 1, 1, 0, 0, 1, 4, 7, 9, 9, 9, 9, 8, 9, 9, 9, 8, 7, 6, 5, 5, 4, 3, 2]
WEEK_OF_TRAFFIC = [*DAY_OF_TRAFFIC * 5, *[0.5] * 48]
maybe = st.sampled_from([True, False, None])
levels = st.sampled_from(["low", "medium", "high", None])
durations = st.sampled_from(["0s", "1s", "20m", "3d", "52w", None])
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def stated(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A section in which whatever is None is left out."""
    return st.fixed_dictionaries(values).map(
        lambda section: {key: value for key, value in section.items() if value is not None}
    )


kpi = stated(
    kind=st.sampled_from(["rate", "rate", "rate", "latency", "latency", "mean", "check", "assignment"]),
    direction=st.sampled_from(["more_is_worse", "more_is_worse", "less_is_worse"]),
    baseline=st.sampled_from(["concurrent", "concurrent", "concurrent", "absolute", "history"]),
    aspect=st.sampled_from(["technical", "business", "human", None]),
    cycle=st.sampled_from(["1h", "7d", None]),
    on_harm=st.sampled_from(["rollback", "hold", None]),
    on_undecided=st.sampled_from(["rollback", "hold", "ask", "tell", None]),
    on_blind=st.sampled_from(["rollback", "hold", "ask", "tell", None]),
    say=st.sampled_from(["gate", "gate", "brake", "watch"]),
    during=st.lists(st.sampled_from(get_args(During)), max_size=2) | st.none(),
    tolerance=st.sampled_from([1.0, 1.1, 2.0, 7.0]),
    expected=st.sampled_from([0.0, 1e-9, 0.01, 0.5, 1.0, 3.0, None]),
    weight=st.sampled_from([0.1, 1.0, 5.0]),
    limit=st.sampled_from([0.01, 1.0, None]),
)
group = stated(
    name=names,
    users=st.sampled_from([0, 1, 40, 100_000, None]),
    representative=maybe,
    training_done=st.sampled_from([0.0, 0.9, 1.0, None]),
    informed=maybe,
)
sections: dict[str, st.SearchStrategy[Any]] = {
    "architecture": stated(
        requests_per_second=st.sampled_from([0.0, 1e-6, 0.5, 40.0, 1e5, None]),
        requests_by_hour=st.sampled_from([None, None, DAY_OF_TRAFFIC, WEEK_OF_TRAFFIC, [0.0] * 24]),
        requests_timezone=st.sampled_from([None, "UTC", "Asia/Kathmandu"]),
        incidents_showed_after=st.lists(st.sampled_from(["0s", "20m", "3d", "52w"]), max_size=5),
        feature_flags=maybe,
        traffic_split=maybe,
        per_version_telemetry=maybe,
        telemetry=levels,
        automation=levels,
    ),
    "stakeholders": stated(
        users=st.sampled_from([0, 7, 5000, None]),
        sites=st.sampled_from([1, 840, None]),
        training_needed=maybe,
        groups=st.lists(group, max_size=4),
    ),
    "migration": stated(
        needed=maybe, reversible=maybe, dual_run_feasible=maybe, parallel_exit_rule=st.none() | names
    ),
    "risks": stated(
        reversible=maybe,
        items=st.lists(st.fixed_dictionaries({"id": names, "title": names}), max_size=2),
    ),
    "done": st.fixed_dictionaries({"tests": stated(rollback_tested=maybe, rollback_duration=durations)}),
    "rollout": stated(
        shares=st.lists(st.floats(1e-6, 1) | st.sampled_from([0.1, 0.5]), max_size=4),
        hold_back=st.sampled_from([0.0, 0.05, 0.5, 1.0, None]),
        bake=durations,
        patience=durations,
        check_every=st.sampled_from(["1s", "5m", "2d", None]),
        false_rollback=st.sampled_from([0.001, 0.5, None]),
        effect=st.sampled_from([1.01, 1.5, 100.0, None]),
        harm_budget=st.sampled_from([0.1, 40.0, 1e6, None]),
        margin=st.sampled_from([1.05, 3.0, None]),
        control_group=st.sampled_from(["equal", None]),
    ),
}


window = st.fixed_dictionaries(
    {
        "days": st.lists(st.sampled_from(["mon", "wed", "sun"]), min_size=1, unique=True),
        "opens": st.sampled_from(["22:00", "00:00", "02:30"]),
        "closes": st.sampled_from(["06:00", "23:59"]),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
    }
)


def fitting(one: dict[str, Any], name: str) -> dict[str, Any]:
    """A KPI with what its kind can have, and a limit where its baseline asks for one."""
    found = {**one, "name": name, "signal": {"type": "x"}}
    kind = found.get("kind", "rate")
    if kind != "rate":
        found["baseline"] = "concurrent"
    if kind not in ("rate", "mean"):
        found["direction"] = "more_is_worse"
    if kind == "mean":
        found["bound"] = 5.0
        found.pop("limit", None)
    if found["baseline"] != "concurrent":
        found.setdefault("limit", 0.05)
    return found


@st.composite
def releases(draw: st.DrawFn) -> Release:
    body: dict[str, Any] = {key: draw(section) for key, section in sections.items()}
    body["release"] = {"name": "r", "version": "1"}
    kpis = draw(st.lists(kpi, max_size=3))
    body["kpis"] = [fitting(one, f"kpi-{number}") for number, one in enumerate(kpis)]
    body["agreements"] = {"windows": draw(st.lists(window, max_size=2))}
    body["target"] = draw(st.sampled_from([None, {"type": "flag", "flag": "f"}, {"type": "people"}]))
    return Release.model_validate(body)


sequences = st.lists(st.sampled_from(METHODS), min_size=1, max_size=3, unique=True)
