"""The use cases: what the command line and the web both call."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rollway import judge
from rollway.app.authority import NEEDS_REASON, check_operator, check_speaker
from rollway.app.busy import holder_of
from rollway.app.connectors import PluginConnectors
from rollway.app.errands import check_answer
from rollway.app.own_words import OwnWord, expected, own_gates, own_words
from rollway.app.proof import PREFLIGHT, Proof, proof_entry, skipped_entry
from rollway.approvals import Approval, ApprovalState, approval_state, check_approval
from rollway.choice import Choice, choose
from rollway.errors import ConflictError, InputError, NotFoundError, RefusedError
from rollway.facts import Release, without_places
from rollway.judge import Reading, Rules
from rollway.judge.evidence_file import Course, Look
from rollway.planning import Plan, make_plan
from rollway.planning.calendar.in_plan import plan_state
from rollway.planning.calendar.model import Calendar
from rollway.planning.runbooks import Runbook
from rollway.readiness import Readiness, assess
from rollway.rollout import (
    CommandGiven,
    CommandKind,
    Entry,
    Errand,
    ErrandState,
    Loaded,
    Target,
    live_share,
    rules_of,
)
from rollway.store import (
    SqlChannels,
    SqlErrands,
    SqlFlags,
    SqlOutbox,
    SqlPlans,
    SqlPushed,
    SqlRollouts,
    close_engine,
    faults,
    open_engine,
)

LONGEST_NAME = 200
LONGEST_REASON = 2000


def checked_name(name: str) -> str:
    """A person's name, fit for the record. Raises InputError."""
    told = " ".join(name.split())
    if not told or len(told) > LONGEST_NAME or not told.isprintable():
        raise InputError(
            f"{name[:40]!r} is no name to put in the record",
            hint=f"give 1 to {LONGEST_NAME} printable characters, such as --as ana",
        )
    return told


def checked_reason(reason: str) -> str:
    """A reason on one line, fit for the record. Raises InputError."""
    told = " ".join(reason.split())
    if len(told) > LONGEST_REASON or not told.isprintable():
        raise InputError(
            "a reason is at most 2000 printable characters", hint="put the rest where others can read it"
        )
    return told


def utc_now() -> datetime:
    return datetime.now(UTC)


class Rollway:
    """Rollway on one database. Opening it brings the schema up to date; it starts no work by itself."""

    def __init__(self, where: str | Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.where = str(where)
        self.clock = clock
        self.engine = open_engine(where)
        self.plans = SqlPlans(self.engine)
        self.rollouts = SqlRollouts(self.engine)
        self.flags = SqlFlags(self.engine, clock)
        self.pushed = SqlPushed(self.engine, clock)
        self.errands = SqlErrands(self.engine, clock)
        self.channels = SqlChannels(self.engine, clock)
        self.outbox = SqlOutbox(self.engine)
        self.connectors = PluginConnectors(self.flags, self.pushed, self.errands.of)

    def close(self) -> None:
        close_engine(self.engine)

    # --- from facts to approval ---

    def plan(
        self, release: Release, runbook: Runbook | None = None, calendar: Calendar | None = None
    ) -> Plan:
        """Choose, plan and keep the plan with the facts it was made from. Raises RefusedError.

        `runbook` is the team's own, which is put together with the generated one; of the organisation's
        `calendar` the plan keeps what concerns the release.
        The plan is made without the facts' places, so that a comment or a moved line is no new plan.
        """
        placeless = without_places(release)
        plan = make_plan(placeless, choose(placeless), runbook, calendar)
        self.plans.save(plan, self.clock(), release)
        return plan

    def find_plan(self, reference: str) -> Plan:
        """The plan with this hash, or with a hash that begins like this (at least 6 characters)."""
        if not re.fullmatch(r"[0-9a-f]{6,64}", reference):
            raise NotFoundError(f"{reference!r} is neither a plan file nor the hash of a plan")
        found = self.plans.find(reference)
        if len(found) == 1:
            return found[0]
        known = "no plan" if not found else f"{len(found)} plans"
        raise NotFoundError(
            f"{known} whose hash begins with {reference}", hint="`rollway status` lists plans"
        )

    def review(self, plan: Plan) -> tuple[Release, Readiness, Choice] | None:
        """The facts behind a plan, read again by today's rules; None where the plan came as a file alone."""
        release = self.plans.release_of(plan.hash)
        return None if release is None else (release, assess(release), choose(release))

    def approve(self, plan: Plan, actor: str, *, decision: str = "yes", reason: str = "") -> ApprovalState:
        """A person's yes or no to a plan. Raises RefusedError where that person may not decide."""
        answer: Literal["yes", "no"] = "yes" if decision == "yes" else "no"
        given = Approval(checked_name(actor), answer, self.clock(), checked_reason(reason))
        check_approval(plan, given)
        self.plans.save(plan, self.clock())
        self.plans.approve(plan.hash, given)
        return self.approval(plan)

    def approval(self, plan: Plan) -> ApprovalState:
        return approval_state(plan, self.plans.approvals(plan.hash))

    # --- the rollout ---

    def start(
        self,
        plan: Plan,
        actor: str,
        *,
        reason: str = "",
        override_window: str = "",
        reset_target: str = "",
        proof: Proof | None = None,
        unproven: str = "",
    ) -> str:
        """Start carrying out an approved plan; returns the rollout's id. Raises RefusedError, InputError.

        `override_window` is the reason to disregard change windows and freezes for the whole rollout,
        `reset_target` the reason to begin although the target serves the new version already, which takes
        it away from those who have it. `proof` is what was found beforehand, `unproven` why nothing was
        looked at; both are for the record. `rollway.app.starting` looks, and refuses.
        """
        return self._start(plan, actor, reason, override_window, reset_target, "", proof, unproven)

    def retry(
        self,
        rollout: str,
        actor: str,
        *,
        reason: str = "",
        override_window: str = "",
        proof: Proof | None = None,
        unproven: str = "",
    ) -> str:
        """Start the plan of a rollout that was taken back once more, unchanged and on its old approvals;
        returns the new rollout's id. Both records name the other. Raises RefusedError."""
        plan = self.check_retry(rollout, reason)
        return self._start(plan, actor, reason, override_window, "", rollout, proof, unproven)

    def check_retry(self, rollout: str, reason: str) -> Plan:
        """The plan that is tried once more. Raises RefusedError where it may not be."""
        loaded = self.load(rollout)
        if loaded.state.phase != "rolled_back":
            raise RefusedError(
                f"{rollout} is {loaded.state.phase.replace('_', ' ')}; only what was rolled back is retried",
                hint=f"`rollway explain {rollout}` says where it stands",
            )
        if loaded.state.heard == "harmful" and not reason.strip():
            raise RefusedError(
                f"{rollout} was taken back because the new version was harmful, so a retry needs a reason",
                hint="add --because TEXT: what is different this time, though the plan is the same",
            )
        return loaded.plan

    def check_start(self, plan: Plan, actor: str, *, again: str = "") -> tuple[str, Target]:
        """The id that a rollout of this plan would have, and its target. Raises RefusedError where this
        person may not start it now, InputError where the plan cannot run here."""
        self.plans.save(plan, self.clock())
        approval = self.approval(plan)
        if not approval.is_approved:
            raise RefusedError(
                f"plan {plan.hash[:12]} is not approved: {approval.missing}",
                hint=f"a second person runs: rollway approve {plan.hash[:12]} --as NAME",
            )
        check_operator(plan, "retry" if again else "start", checked_name(actor))
        rollout = self._new_id(plan)
        target = self._check_plan(rollout, plan)
        self._refuse_busy_target(target)
        return rollout, target

    def _start(
        self,
        plan: Plan,
        actor: str,
        reason: str,
        override_window: str,
        reset_target: str,
        again: str,
        proof: Proof | None,
        unproven: str,
    ) -> str:
        actor, reason = checked_name(actor), checked_reason(reason)
        override_window, reset_target = checked_reason(override_window), checked_reason(reset_target)
        rollout, target = self.check_start(plan, actor, again=again)
        approval = self.approval(plan)
        served = target.observe().share
        if served > live_share(plan.stages[0]) and not reset_target:
            raise RefusedError(
                f"the target serves the new version to {served:.0%} of the users already",
                hint="use a flag of its own for each release, or take it away: --reset-target REASON",
            )
        text = (
            f"{actor} started plan {plan.hash[:12]} ({plan.method}), approved by {', '.join(approval.yes)}."
        )
        data: dict[str, object] = {"plan": plan.hash, "approved_by": list(approval.yes), "reason": reason}
        if reset_target:
            text += f" It begins from nobody, and {served:.0%} of the users had it: {reset_target}"
            data |= {"reset_target": reset_target, "served_before": served}
        earlier = None
        if again:
            text += f" It tries again what {again} began{f': {reason}' if reason else ''}."
            data |= {"again": again}
            told = f"Tried again as {rollout} by {actor}{f': {reason}' if reason else ''}."
            earlier = (again, Entry(kind="retried", text=told, actor=actor, data={"as": rollout}))
        entries = [Entry(kind="started", text=text, actor=actor, data=data)]
        if unproven:
            entries.append(skipped_entry(actor, checked_reason(unproven)))
        if proof is not None:
            entries.append(proof_entry(plan, proof))
        self.rollouts.create(rollout, plan, self.clock(), *entries, target=target.identity, earlier=earlier)
        self._yield_to_others(rollout, target)
        self.say_own_words(rollout)
        if override_window:
            self.say(rollout, "override_window", actor, override_window)
        return rollout

    def say(self, rollout: str, kind: CommandKind, actor: str, reason: str = "", subject: str = "") -> int:
        """A person's command to a rollout; the next tick hears it at once. Raises RefusedError.

        `subject` is the gate, the task or the undo step that it is about, for the kinds that have one.
        """
        loaded = self.load(rollout)
        actor, reason = checked_name(actor), checked_reason(reason)
        if loaded.state.is_final:
            phase = loaded.state.phase.replace("_", " ")
            again = f"`rollway retry {rollout}` starts its plan once more; " if phase == "rolled back" else ""
            raise RefusedError(
                f"{rollout} is {phase} already; {kind.replace('_', '-')} changes nothing",
                hint=f"{again}`rollway explain {rollout}` says how it ended",
            )
        check_operator(loaded.plan, kind, actor)
        check_speaker(loaded.plan, loaded.state, kind, subject, actor)
        if kind in NEEDS_REASON and not reason:
            raise RefusedError(
                f"{kind.replace('_', '-')} overrides the plan and needs a reason", hint="add --because TEXT"
            )
        given = CommandGiven(at=self.clock(), kind=kind, actor=actor, reason=reason, subject=subject)
        return self.rollouts.say(rollout, given)

    def say_own_words(self, rollout: str) -> int:
        """Say of gates what Rollway knows itself: what a preflight proved, that a message was delivered.
        Returns how many words that were; one that is not heard yet is not said twice."""
        loaded = self.load(rollout)
        words = own_words(loaded, self.own_words_of(loaded), self.clock())
        for word in words:
            self.rollouts.say(rollout, word)
        return len(words)

    def own_words_of(self, loaded: Loaded) -> tuple[OwnWord, ...]:
        """What Rollway says of open gates itself, now or later."""
        if not own_gates(loaded.plan, loaded.state):
            return ()
        proofs = self.rollouts.entries(loaded.id, PREFLIGHT)
        proof = proofs[-1].data if proofs else {}
        return tuple(expected(loaded.plan, loaded.state, proof, self.outbox.delivered(loaded.id)))

    def answer_errand(self, rollout: str, key: str, state: ErrandState, actor: str, note: str = "") -> Errand:
        """A person says that what a target asked for is done, or has failed. Raises RefusedError where that
        person may not say so, ConflictError where somebody else has said something else."""
        actor, note = checked_name(actor), checked_reason(note)
        plan = self.load(rollout).plan
        check_answer(plan, self.errands.find(rollout, key).errand, actor, state, note)
        return self.errands.answer(rollout, key, state, actor, note)

    def load(self, rollout: str) -> Loaded:
        loaded = self.rollouts.load(rollout)
        if loaded is None:
            raise NotFoundError(f"there is no rollout {rollout!r}", hint="`rollway status` lists them")
        return loaded

    def newest_rollout(self) -> str:
        """The rollout that was started last."""
        rows = self.rollouts.summaries()
        if not rows:
            raise NotFoundError("there is no rollout yet", hint="start one with `rollway start PLAN`")
        return str(rows[0].id)

    def verify_record(self, rollout: str) -> tuple[int, tuple[str, ...]]:
        """How many entries a rollout's record has, and what is wrong with it (nothing, if it is whole)."""
        self.load(rollout)
        entries = self.rollouts.record(rollout)
        return len(entries), faults(rollout, entries)

    def evidence(self, rollout: str) -> tuple[Rules, Course]:
        """All that the rollout's verdicts depend on: the judge's rules, and what came, in its order.

        A verdict was asked at the share that was read back before its tick, which is the share that the
        tick's readings carry. Only a rollout's first tick has none, and then nobody was served. What came
        before the last time it was rolled forward is left out, because the judge began anew there.
        """
        loaded = self.load(rollout)
        came = self.rollouts.readings_by_tick(rollout)
        said = {row["seq"]: row["body"] for row in self.rollouts.verdicts(rollout)}
        mends = [entry.seq for entry in self.rollouts.record(rollout) if entry.kind == "roll_forward"]
        course: list[Reading | Look] = []
        for tick in sorted(one for one in came.keys() | said.keys() if one > max(mends, default=-1)):
            readings = came.get(tick, ())
            course += readings
            if tick in said:
                stage = said[tick]["stage"]
                share = next((one.share for one in readings if one.stage == stage), 0.0)
                course.append(Look(said[tick]["at"], stage, share))
        return rules_of(loaded.plan), tuple(course)

    # --- rules of this room ---

    def _refuse_busy_target(self, target: Target) -> None:
        holder = holder_of(target, self.rollouts, self.connectors)
        if holder is not None:
            raise RefusedError(holder.told, hint=holder.hint)

    def _yield_to_others(self, rollout: str, target: Target) -> None:
        """Two that share a part and were started at the same moment did not see each other before."""
        holder = holder_of(target, self.rollouts, self.connectors, besides=rollout)
        if holder is None:
            return
        off = CommandGiven(at=self.clock(), kind="rollback", actor="rollway", reason=holder.told)
        self.rollouts.say(rollout, off)
        raise ConflictError(f"{rollout} is called off: {holder.told}", hint=holder.hint)

    def _check_plan(self, rollout: str, plan: Plan) -> Target:
        """What would only fail once it runs, fails here: rules, windows, signals, target."""
        judge.begin(rules_of(plan))
        plan_state(plan, self.clock())
        for guard in plan.guards:
            self.connectors.signal(rollout, guard)
        return self.connectors.target(rollout, plan)

    def _new_id(self, plan: Plan) -> str:
        stem = re.sub(r"[^A-Za-z0-9._]+", "-", f"{plan.name}-{plan.version}").strip("-")
        numbers = [
            int(one)
            for known in self.rollouts.ids_of(stem)
            if (one := known.removeprefix(f"{stem}-")).isdigit()
        ]
        return f"{stem}-{max(numbers, default=0) + 1}"
