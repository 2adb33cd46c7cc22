"""What was found before a start, and whether it may start with that. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from rollway.errors import RollwayError
from rollway.judge.words import seconds
from rollway.planning import Guard, Plan
from rollway.rollout import Entry
from rollway.rollout.rules import rules_of
from rollway.rollout.serving import Check

TARGET = "target"
"""What a finding is about where it is about no KPI."""
PREFLIGHT = "preflight"
"""The kind of the record's entry that holds what was found."""
SKIPPED = "preflight_skipped"
WAY_BACK = "way back"
FROM_NOBODY = "starts from nobody"
CANDIDATE_READY = "candidate ready"
SOURCE = "source"
OLD_VERSION = "old version"
BAD_EVENTS = "bad events"
"""What is doubtful about the bad ones among the trials; only there where something is."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, and what it is about: a KPI's name, or `target`."""

    about: str
    check: Check


@dataclass(frozen=True, slots=True)
class Proof:
    """A preflight as it is kept: when it began, how long it looked (seconds), and what it found."""

    at: datetime
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def way_back(self) -> Check | None:
        """The target's finding on its way back; None where it was not asked for it."""
        return self._of(TARGET, WAY_BACK)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is not proven; in a rollout that was started, none of it stands against that."""
        return tuple(one for one in self.findings if one.check.state != "ok")

    def is_ok(self, about: str, name: str) -> bool:
        check = self._of(about, name)
        return check is not None and check.state == "ok"

    def _of(self, about: str, name: str) -> Check | None:
        return next(
            (one.check for one in self.findings if (one.about, one.check.name) == (about, name)), None
        )


class NotProvenError(RollwayError):
    """What a rollout depends on was looked at first, and something does not work; nothing was changed."""

    code = "not-proven"
    exit_code = 15


def proven(plan: Plan, proof: Proof) -> tuple[str, ...]:
    """The KPIs whose numbers came, of the old version where it is compared with that; in the plan's order."""
    return tuple(guard.kpi for guard in plan.guards if _is_read(guard, proof))


def is_telemetry_proven(plan: Plan, proof: Proof) -> bool:
    """Whether the numbers of every KPI were seen, their bad ones are in no doubt, and of no gate or brake a
    planted fault would be missed."""
    doubtful = any(one.about != TARGET and _is_doubtful(one.check) for one in proof.findings)
    return bool(plan.guards) and len(proven(plan, proof)) == len(plan.guards) and not doubtful


def _is_doubtful(check: Check) -> bool:
    return check.state == "failed" or (check.name == BAD_EVENTS and check.state != "ok")


def _is_read(guard: Guard, proof: Proof) -> bool:
    has_old = guard.baseline != "concurrent" or proof.is_ok(guard.kpi, OLD_VERSION)
    return has_old and proof.is_ok(guard.kpi, SOURCE)


def refusals(plan: Plan, proof: Proof, waited: float) -> tuple[Finding, ...]:
    """What stands against starting: all that failed, and gates of which no numbers came in `waited` seconds.

    Where the judge itself would wait longer for numbers than that, their absence shows nothing; nor does that
    of a gate that is not asked in the first stage.
    """
    is_long, first = waited >= rules_of(plan).blind_seconds, plan.stages[0].id
    gates = (guard for guard in plan.guards if guard.say == "gate" and guard.counts_in(first))
    silent = {guard.kpi for guard in gates if not _is_read(guard, proof)}
    return tuple(
        one
        for one in proof.findings
        if one.check.state == "failed"
        or (is_long and one.about in silent and one.check.state == "unknown" and _is_data(one.check))
    )


def _is_data(check: Check) -> bool:
    return check.name in (SOURCE, OLD_VERSION)


def needed_later(plan: Plan, guard: Guard, check: Check) -> Check:
    """The check of a KPI that does not count in the first stage: its numbers may still be to come."""
    if guard.counts_in(plan.stages[0].id) or check.state != "failed" or not _is_data(check):
        return check
    first = next(stage.title for stage in plan.stages if guard.counts_in(stage.id))
    return replace(check, state="unknown", hint=f"it is asked from '{first}' on; look again before that")


def refusal(found: Sequence[Finding], again: str) -> NotProvenError:
    """What stands against it, each point with what to do; `again` is how to start all the same."""
    lines = tuple(line for one in found for line in _lines(one))
    points = f"{len(found)} points stand" if len(found) > 1 else "1 point stands"
    return NotProvenError(
        f"not started: {points} against it, and nobody was exposed",
        details=lines,
        hint=f"mend this and start again; or, in your own name: {again}",
    )


def _lines(one: Finding) -> Iterator[str]:
    yield f"  {one.about}, {one.check.name}: {one.check.told}"
    if one.check.hint:
        yield f"      {one.check.hint}"


# --- for the record ---------------------------------------------------------------------------------


def proof_entry(plan: Plan, proof: Proof) -> Entry:
    """All that was found, for the record of the rollout that is started with it."""
    return Entry(kind=PREFLIGHT, text=f"Preflight: {summary(plan, proof)}", data=_data(plan, proof))


def skipped_entry(actor: str, reason: str) -> Entry:
    text = f"Started without a preflight, on the word of {actor}: {reason}"
    return Entry(kind=SKIPPED, text=text, actor=actor, data={"reason": reason, "is_override": True})


def _data(plan: Plan, proof: Proof) -> dict[str, Any]:
    back = proof.way_back
    return {
        "looked_at": proof.at.isoformat(),
        "seconds": round(proof.seconds, 3),
        "way_back": None if back is None else back.state,
        "way_back_seconds": None if back is None else back.seconds,
        "proven": list(proven(plan, proof)),
        "is_telemetry_proven": is_telemetry_proven(plan, proof),
        "checks": [{"about": one.about, **asdict(one.check)} for one in proof.findings],
    }


def summary(plan: Plan, proof: Proof) -> str:
    """`the way back was tried (0.02 s); numbers of errors came; not known: ...`, in one sentence."""
    parts = [_way_back_words(proof.way_back)]
    if plan.guards:
        read = proven(plan, proof)
        silent = [guard.kpi for guard in plan.guards if guard.kpi not in read]
        parts += [f"numbers of {_named(read)} came"] if read else []
        parts += [f"none were seen of {_named(silent)}"] if silent else []
        found = [
            one.about
            for one in proof.findings
            if one.check.name.startswith("fault ") and one.check.state == "ok"
        ]
        parts += [f"a planted fault is found by {_named(found)}"] if found else []
    took = f"{proof.seconds:.1f} s" if proof.seconds < 10 else seconds(proof.seconds)
    return f"looked for {took}; {'; '.join(parts)}."


def _way_back_words(back: Check | None) -> str:
    if back is None:
        return "the way back cannot be tried beforehand"
    if back.state != "ok":
        return f"the way back is not proven: {back.told}"
    took = "" if back.seconds is None else f" ({back.seconds:.2g} s)"
    return f"the way back was tried{took}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
