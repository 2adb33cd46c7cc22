"""A rollout as a stream of events: every entry of its record once and in order, and what changed besides.

Each event is plain JSON with `event` (entry, verdict, waits, late, unheard or end), `rollout`, and `n`: the
number of the last entry of the record that was told by then, from which a stream can be taken up again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from rollway.app import words
from rollway.app.service import Rollway
from rollway.app.views import entry_json, rollout_view
from rollway.app.waiting import late_words, unheard_json, unheard_words

Json = dict[str, Any]
Because = Literal["ended", "reached", "timeout"]

_OF_GUARD = (
    *("kpi", "say", "state", "candidate_rate", "baseline_rate", "candidate_trials", "baseline_trials"),
    *("ratio", "ratio_low", "ratio_high", "margin", "harm_log_e", "safe_log_e"),
    *("needed_trials", "wait_seconds", "blind_reason"),
)
_OF_VERDICT = ("kind", "stage", "reason", "rule", "missing", "wait_seconds")
_OF_HARM = ("harm_log_e", "harm_threshold", "safe_threshold")


class Follower:
    """Looks at a rollout again and again; each look gives what is new since the one before.

    `after` is the number of the last entry that is known already. A look at a rollout that has not moved
    costs two small queries.
    """

    def __init__(self, rollway: Rollway, rollout: str, *, after: int = 0, entries: int = 12) -> None:
        self.view: Json = {}
        self.n = after
        self._rollway, self._rollout, self._entries = rollway, rollout, entries
        self._seq: int | None = None
        self._judged: object = None
        self._waits: object = None
        self._is_late = False
        self._unheard: dict[int, bool] = {}
        """What was unheard in the look before, by its number: whether it was told."""

    def look(self) -> Iterator[Json]:
        """What is new, oldest first: entries, then a changed verdict, then a change of what is waited for.

        Raises NotFoundError.
        """
        seq = self._rollway.rollouts.seq(self._rollout)
        if seq is not None and seq == self._seq:
            yield from self._late()
            yield from self._not_heard()
            return
        # The view before the record: so an end that was seen has its last entry in the record.
        self.view = rollout_view(self._rollway, self._rollout, entries=self._entries)
        self._seq, self._is_late = self.view["seq"], False
        for entry in self._rollway.rollouts.record(self._rollout, after=self.n):
            self.n = entry.n
            yield {**self._head("entry"), **entry_json(entry)}
        yield from self._verdict()
        yield from self._needs()

    def _late(self) -> Iterator[Json]:
        """Said once each time nobody seems to carry the rollout out."""
        text = late_words(self.view, self._rollway.clock())
        if text and not self._is_late:
            self._is_late = True
            yield {**self._head("late"), "at": self.view["late_at"], "text": text}

    def _not_heard(self) -> Iterator[Json]:
        """A command that two looks in a row found unheard, once; what is heard at once is not told."""
        pending = () if self.view["is_final"] else self._rollway.rollouts.pending(self._rollout)
        self.view["unheard"] = unheard_json(pending)
        before, self._unheard = self._unheard, {}
        for said in self.view["unheard"]:
            self._unheard[said["id"]] = said["id"] in before
            if before.get(said["id"]) is False:
                text = words.sentence(unheard_words(said, self._rollway.clock()))
                yield {**self._head("unheard"), **said, "text": text}

    def end(self, because: Because, exit_code: int) -> Json:
        """The last event of a stream."""
        keys = ("phase", "standing", "stage_id", "served_share")
        told = {key: self.view[key] for key in keys}
        return {**self._head("end"), "because": because, "exit_code": exit_code, **told}

    def _head(self, event: str) -> Json:
        return {"event": event, "rollout": self._rollout, "n": self.n}

    def _verdict(self) -> Iterator[Json]:
        said = self.view["verdict"]
        if said is None or self.view["is_final"]:
            return
        states = tuple((guard["kpi"], guard["state"]) for guard in said["guards"])
        judged = (said["kind"], said["stage"], said["mismatch"], states)
        if judged == self._judged:
            return
        self._judged = judged
        yield {
            **self._head("verdict"),
            "at": self.view["verdict_at"],
            **{key: said[key] for key in (*_OF_VERDICT, *_OF_HARM)},
            "guards": [{key: guard[key] for key in _OF_GUARD} for guard in said["guards"]],
        }

    def _needs(self) -> Iterator[Json]:
        needs = self.view["needs"]
        waits = tuple((need["kind"], need["subject"]) for need in needs)
        if waits == self._waits or self.view["is_final"]:
            return
        self._waits = waits
        yield {**self._head("waits"), "at": self.view["moved_at"], "needs": needs}


# --- when to stop -----------------------------------------------------------------------------------


def is_reached(view: Json, until: str) -> bool:
    """Whether a rollout has come as far as asked: `done`, `verdict`, or `stage:ID`.

    `verdict`: the judge has found the stage that is served healthy or harmful. `stage:ID`: that stage is
    served, as read back, or was.
    """
    if view["is_final"]:
        return True
    if until == "verdict":
        said = view["verdict"]
        is_here = said is not None and said["stage"] == view["stage_id"] and bool(view["served_share"])
        return is_here and said["kind"] in ("healthy", "harmful")
    if until.startswith("stage:"):
        ids = [stage["id"] for stage in view["stages"]]
        index = ids.index(until.removeprefix("stage:"))
        is_served = view["stage"] == index and view["entered_at"] is not None
        return view["phase"] in ("running", "paused") and (view["stage"] > index or is_served)
    return False


def waits_for_people(view: Json) -> bool:
    """Whether it goes on only when somebody says or does something."""
    return view["phase"] == "paused" or any(need["is_people"] for need in view["needs"])
