"""Risk responses: each risk of the register under this plan, and the risks that the method itself brings."""

from __future__ import annotations

from collections.abc import Sequence

from rollway.facts.model import MethodName, Release, Risk
from rollway.planning.model import RiskResponse, Stage
from rollway.planning.words import METHOD_WORDS, listing, percent

CREATED: dict[MethodName, tuple[tuple[str, str, str], ...]] = {
    "canary": (
        (
            "Two versions serve the same users' data at the same time",
            "Keep formats readable by both versions until the old one is gone (expand, then contract).",
            "Errors of the old version rise together with the new one's share.",
        ),
        (
            "A small share hides rare or slow faults",
            "The hold-back keeps a group for comparison; absolute limits watch after it.",
            "A KPI worsens only at larger shares or after hours.",
        ),
    ),
    "pilot": (
        (
            "The pilot groups are friendlier or simpler than the rest",
            "Name what the pilot does not cover, and look at that first when everyone follows.",
            "Requests for help per user rise when everyone follows.",
        ),
        (
            "The pilot never ends, or is called a success because time is up",
            "How it is judged is written down before it starts; a named person signs the verdict.",
            "The bake is over and nobody has decided.",
        ),
    ),
    "phased": (
        (
            "Old and new processes must exchange data for as long as the waves last",
            "List the temporary interfaces with an owner and a day on which each is removed.",
            "A wave is postponed twice.",
        ),
        (
            "Support is worn out by one wave after another",
            "A wave starts only when requests for help from the one before are falling.",
            "Open requests at the planned start are above those of the wave before.",
        ),
    ),
    "parallel": (
        (
            "People tire of double work and stop comparing",
            "Fix the end by rule beforehand; compare by machine where possible; plan the extra hours.",
            "Differences stay unexplained for more than two days.",
        ),
        (
            "A side effect happens twice (a payment, a shipment, a message)",
            "Suppress the new version's side effects, and prove it before the run starts.",
            "A recipient reports a duplicate.",
        ),
    ),
    "blue_green": (
        (
            "Both environments share a database, and the switch meets what only one of them understands",
            "Separate the change of the schema from the switch; test that the old version reads new data.",
            "Errors on reading data after the switch, or after going back.",
        ),
        (
            "Sessions, jobs and cold caches fail at the moment of the switch",
            "Warm up with real requests; let the old environment drain before it is stopped.",
            "Errors or latency jump in the minutes after the switch.",
        ),
    ),
    "big_bang": (
        (
            "A fault meets everyone at once, with nothing to compare with",
            "Rehearse the whole runbook; watch absolute limits; keep those who can mend it at hand.",
            "A limit is broken after the switch.",
        ),
        (
            "The change window is over before the work is",
            "Fix the latest moment of turning back: end of window, less the tested rollback, less an hour.",
            "A step of the runbook is later than in the rehearsal by a quarter.",
        ),
    ),
}


def make_responses(
    release: Release, methods: Sequence[MethodName], stages: Sequence[Stage]
) -> tuple[RiskResponse, ...]:
    """First the register's risks, then those created by each method of the sequence."""
    register = tuple(_of_register(release, risk, stages) for risk in release.risks.items)
    created = tuple(
        RiskResponse(
            id=f"{method.replace('_', '-')}-{number}",
            title=f"{title} ({METHOD_WORDS[method]})",
            response=response,
            trigger=trigger,
            created_by_plan=True,
        )
        for method in dict.fromkeys(methods)
        for number, (title, response, trigger) in enumerate(CREATED[method], 1)
    )
    return (*register, *created)


def _of_register(release: Release, risk: Risk, stages: Sequence[Stage]) -> RiskResponse:
    owner = f" Owner: {risk.owner}." if risk.owner else ""
    return RiskResponse(
        id=risk.id,
        title=f"{risk.title} ({risk.probability} probability, {risk.impact} impact)",
        response=f"{risk.response or _default_response(risk, stages)}{owner}",
        trigger=risk.trigger or _default_trigger(release),
    )


def _default_response(risk: Risk, stages: Sequence[Stage]) -> str:
    first = next((stage for stage in stages if stage.exposure.live > 0), stages[-1])
    few = f"Only {percent(first.exposure.live)} of users meet it first, in the stage '{first.title}'"
    return f"{few}; go back when it shows." if first.exposure.live < 1 else "Go back when it shows."


def _default_trigger(release: Release) -> str:
    names = listing(kpi.title or kpi.name for kpi in release.kpis if kpi.say != "watch")
    return f"A harmful verdict on {names}." if names else "A report by users or support."
