"""What the outside is told of a rollout: from the record's entries to notifications, and who wants which.

Pure. A notification's kind is the kind of the record's entry that it tells of, and its key, `rollout:number`,
is the entry's place in the record: the same entry is the same notification, however often it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from rollway.planning import Message, Plan, Stage
from rollway.rollout.model import Entry, State
from rollway.rollout.ports import Errand
from rollway.rollout.steps import live_share

Mood = Literal["info", "success", "warning", "failure"]
MessagesFor = Literal["", "own", "all"]
"""Which prepared messages a channel gets: none; those that the plan sends by a channel of its name; all, to
be forwarded."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of notification is called, and how it looks. `{stage}` stands for the stage's title."""

    title: str
    mood: Mood = "info"
    is_quiet: bool = False


MESSAGE = "message"
ERRAND = "errand"
TO_FORWARD = ":forward"
MOST_ERRANDS = 8
"""How many errands of one person one notification names."""
TEST = "test"

KINDS: Mapping[str, Kind] = {
    "started": Kind("started"),
    "preflight": Kind("looked at beforehand", is_quiet=True),
    "preflight_skipped": Kind("started without a preflight", "warning"),
    # --- stages ---
    "gates_open": Kind("people are waited for before {stage}", "warning"),
    "turn": Kind("it is the turn of {stage}"),
    "stage_entered": Kind("entering {stage}"),
    "exposure_verified": Kind("{stage} is served", is_quiet=True),
    "exposure_kept": Kind("the exposure stays", is_quiet=True),
    "stage_passed": Kind("{stage} passed", "success"),
    "no_return": Kind("no way back from here", "warning"),
    "closing": Kind("everyone has it, and tasks are left"),
    # --- what people said ---
    "promote": Kind("promoted by a person"),
    "pause": Kind("paused", "warning"),
    "resume": Kind("resumed"),
    "roll_forward": Kind("rolling forward", "warning"),
    "override_window": Kind("change windows overridden", "warning"),
    "refused": Kind("a command was refused", is_quiet=True),
    "begin": Kind("a person begins", is_quiet=True),
    "confirm": Kind("a person confirms", is_quiet=True),
    "repeat": Kind("a person has it repeated", is_quiet=True),
    "go": Kind("go", "success"),
    "no_go": Kind("no go", "warning"),
    "waive": Kind("a gate was waived", "warning"),
    "skip": Kind("a task was skipped", "warning"),
    "fail": Kind("a person says that it failed", "failure"),
    # --- tasks ---
    "task_ready": Kind("a task is ready"),
    "task_began": Kind("a task began", is_quiet=True),
    "task_ran": Kind("a command ended", is_quiet=True),
    "task_done": Kind("a task is done", is_quiet=True),
    "task_cut_off": Kind("a task was cut off", "warning"),
    "task_failed": Kind("a task failed", "failure"),
    ERRAND: Kind("somebody is asked to do something"),
    # --- the evidence and the world ---
    "asked": Kind("a person is asked", "warning"),
    "told": Kind("no answer yet", "warning"),
    "held": Kind("held", "warning"),
    "mismatch": Kind("users are not split as planned", "warning"),
    "drift": Kind("somebody else moved the target", "warning"),
    "clock_jumped": Kind("the clock jumped", "warning"),
    "not_watched": Kind("nobody looked for a while", "warning"),
    "verdict": Kind("the verdict changed", is_quiet=True),
    "signal": Kind("a signal says", is_quiet=True),
    "target": Kind("the target says", is_quiet=True),
    "target_failed": Kind("the target failed", "failure"),
    "target_back": Kind("the target answers again", "success"),
    "version_dead": Kind("the new version is not ready", "failure"),
    "version_back": Kind("the new version is ready again", "success"),
    "target_refuses": Kind("the target refuses", "warning"),
    # --- the way back, and the end ---
    "rollback": Kind("rolling back", "failure"),
    "rollback_waits": Kind("the way back waits", "failure"),
    "told_unwritten": Kind("taken back while nothing could be written", "failure"),
    "traffic_back": Kind("the old version serves everyone, and there is more to undo", "failure"),
    "undo_ready": Kind("an undo step is ready", "warning"),
    "rolled_back": Kind("rolled back", "failure"),
    "done": Kind("done", "success"),
}
"""The kinds that have words of their own. One that is not here is told all the same, by its name."""

GROUPS: Mapping[str, frozenset[str]] = {
    "stages": frozenset({"stage_entered", "exposure_verified", "stage_passed", "promote", "no_return"}),
    "people": frozenset(
        {
            "gates_open",
            "turn",
            "closing",
            "task_ready",
            ERRAND,
            "task_cut_off",
            "task_failed",
            "undo_ready",
            "asked",
            "held",
            "version_dead",
            "mismatch",
            "drift",
        }
    ),
    "trouble": frozenset(kind for kind, told in KINDS.items() if told.mood in ("warning", "failure")),
    "ends": frozenset({"rolled_back", "done"}),
}
"""Words for several kinds at once; `people`: somebody has to do something. Besides them there are `main` (all
but the quiet ones) and `all`."""

WORDS: frozenset[str] = frozenset({*KINDS, *GROUPS, "main", "all"})


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that channels are told. `data` is plain JSON: rollout, number, stage, share, verdict, ..."""

    key: str
    kind: str
    at: datetime
    title: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


def mood(kind: str) -> Mood:
    """How a notification of this kind looks where a channel has colours."""
    return KINDS[kind].mood if kind in KINDS else "info"


def is_wanted(kind: str, words: Iterable[str]) -> bool:
    """Whether somebody who asked for these words (kinds and groups) is told of this kind."""
    is_quiet = kind in KINDS and KINDS[kind].is_quiet
    return any(
        word in (kind, "all") or (word == "main" and not is_quiet) or kind in GROUPS.get(word, ())
        for word in words
    )


def notifications_of(
    rollout: str, plan: Plan, state: State, at: datetime, entries: Sequence[tuple[int, Entry]]
) -> tuple[Notification, ...]:
    """What is told of entries that were recorded together, in their order.

    `state` is where the rollout stands after them; entries come with their numbers in the record. Each of
    the plan's messages that is bound to an entry follows it.
    """
    told: list[Notification] = []
    for (number, entry), (index, share) in zip(entries, _standings(plan, state, entries), strict=True):
        stage = _named_stage(plan, entry) or plan.stages[index]
        key = f"{rollout}:{number}"
        data = _data(rollout, number, plan, state, stage, share, entry)
        title = f"{plan.name} {plan.version}: {_title(entry, state, stage)}"
        told.append(Notification(key, entry.kind, at, title, entry.text, data))
        for name, message in _bound(plan, state, stage, entry):
            told.append(_letter(key, name, message, plan, at, data))
    return tuple(told)


def for_channel(
    told: Notification, name: str, words: Iterable[str], messages: MessagesFor
) -> Notification | None:
    """What a channel of this name gets to see of a notification; None where it wants none of it.

    A prepared message goes as it stands to the channel that the plan sends it by, unless somebody has still
    to put it into another language; elsewhere it is for people to forward.
    """
    if told.kind != MESSAGE:
        return told if is_wanted(told.kind, words) else None
    is_own = same_channel(told.data["channel"], name) and not told.data["to_write"]
    if messages == "own":
        return told if is_own else None
    if messages == "all":
        return told if is_own else _to_forward(told)
    return None


def same_channel(one: str, other: str) -> bool:
    """Whether two names mean the same channel: `status page` is `Status-Page`."""
    return _plain(one) == _plain(other)


def message_of_key(rollout: str, key: str) -> str:
    """Which message of the plan went to its own channel under this key; empty for one that people forward."""
    _, _, message = key.removeprefix(f"{rollout}:").partition(":")
    return "" if message.endswith(TO_FORWARD) else message


def errand_notifications(
    rollout: str, plan: Plan, state: State, at: datetime, errands: Sequence[Errand]
) -> tuple[Notification, ...]:
    """What is told of people who are asked for something: one notification for each who is asked first.

    Errands are no entries of the record, so the moment stands in the key: what is asked anew is told anew.
    """
    stage = plan.stages[min(state.stage, len(plan.stages) - 1)]
    by_owner: dict[str, list[Errand]] = {}
    for errand in errands:
        by_owner.setdefault(errand.owner, []).append(errand)
    return tuple(
        _of_errands(rollout, plan, stage, state, at, owner, asked) for owner, asked in by_owner.items()
    )


# --- of one entry ---------------------------------------------------------------------------------


def _standings(
    plan: Plan, state: State, entries: Sequence[tuple[int, Entry]]
) -> tuple[tuple[int, float], ...]:
    """The stage's index and the share to which each entry belongs, found backwards from the last state."""
    index, share = min(state.stage, len(plan.stages) - 1), state.desired_share
    found = []
    for _, entry in reversed(entries):
        found.append((index, share))
        if entry.kind == "stage_entered":
            share = live_share(plan.stages[index - 1]) if index else 0.0
            index = max(index - 1, 0)
        elif entry.kind == "rollback":
            before = entry.data.get("from_share")
            share = float(before) if isinstance(before, int | float) else share
    return tuple(reversed(found))


def _named_stage(plan: Plan, entry: Entry) -> Stage | None:
    """The stage that the entry itself names."""
    return next((stage for stage in plan.stages if stage.id == entry.data.get("stage")), None)


def _title(entry: Entry, state: State, stage: Stage) -> str:
    if entry.kind == "rollback" and state.started_at is None:
        return "called off"
    known = KINDS.get(entry.kind)
    if known is None:
        return entry.kind.replace("_", " ")
    return known.title.replace("{stage}", stage.title)


def _data(
    rollout: str, number: int, plan: Plan, state: State, stage: Stage, share: float, entry: Entry
) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "number": number,
        "name": plan.name,
        "version": plan.version,
        "method": plan.method,
        "plan": plan.hash,
        "stage": stage.id,
        "stage_title": stage.title,
        "share": share,
        "phase": state.phase,
        "verdict": state.heard,
        "actor": entry.actor,
        "details": {name: value for name, value in entry.data.items() if _is_small(value)},
    }


def _is_small(value: Any) -> bool:
    """Whether a part of an entry's data goes along: all but what is nested; the record has that."""
    plain = (str, int, float, bool)
    return isinstance(value, plain) or (
        isinstance(value, list | tuple) and all(isinstance(one, plain) for one in value)
    )


# --- of errands -----------------------------------------------------------------------------------


def _of_errands(
    rollout: str, plan: Plan, stage: Stage, state: State, at: datetime, owner: str, errands: Sequence[Errand]
) -> Notification:
    lines = [f"{errand.key}: {errand.text}" for errand in errands[:MOST_ERRANDS]]
    if len(errands) > MOST_ERRANDS:
        lines.append(f"and {len(errands) - MOST_ERRANDS} more")
    first, *others = (name.strip() for name in owner.split(","))
    instead = f" (or {', '.join(others)})" if others else ""
    what = "this" if len(errands) == 1 else f"{len(errands)} things"
    text = f"{first}{instead} is asked for {what}; `rollway errands {rollout}` lists it.\n" + "\n".join(lines)
    entry = Entry(kind=ERRAND, text=text, data={"owner": owner, "errands": [one.key for one in errands]})
    data = _data(rollout, 0, plan, state, stage, state.desired_share, entry)
    key = f"{rollout}:{ERRAND}:{at.timestamp():.6f}:{errands[0].key}"
    title = f"{plan.name} {plan.version}: {first} is asked to do something"
    return Notification(key, ERRAND, at, title, text, data)


# --- the plan's messages --------------------------------------------------------------------------


def _bound(plan: Plan, state: State, stage: Stage, entry: Entry) -> Iterator[tuple[str, Message]]:
    """The messages that go out with an entry, with their names. A notice goes out as soon as its gate is
    asked for; other messages with a date of their own are not here: nothing is recorded when it comes."""
    asked = _asked_for(plan, entry)
    for index, message in enumerate(plan.communication):
        is_here = message.stage == stage.id
        match entry.kind:
            case "stage_entered":
                goes = is_here and message.kind == "news" and message.offset_seconds == 0
            case "gates_open":
                goes = is_here and message.kind == "notice" and message.id in asked
            case "asked":
                goes = is_here and message.kind == "decision"
            case "traffic_back":
                goes = message.kind == "rollback"
            case "rolled_back":
                goes = message.kind == "rollback" and state.back_at is None
            case _:
                goes = False
        if goes:
            yield message.id or f"message-{index}", message


def _asked_for(plan: Plan, entry: Entry) -> frozenset[str]:
    """The messages whose gates an entry asks for."""
    gates = entry.data.get("gates", ()) if entry.kind == "gates_open" else ()
    return frozenset(gate.of for gate in plan.gates if gate.kind == "message" and gate.id in gates)


def _letter(
    key: str, name: str, message: Message, plan: Plan, at: datetime, data: dict[str, Any]
) -> Notification:
    more = {
        "message": name,
        "audience": message.audience,
        "channel": message.channel,
        "sender": message.sender,
        "language": message.language,
        "to_write": message.to_write,
    }
    title = f"{plan.name} {plan.version}"
    return Notification(f"{key}:{name}", MESSAGE, at, title, message.text, {**data, **more})


def _to_forward(told: Notification) -> Notification:
    data = told.data
    by = f", from {data['sender']}" if data["sender"] else ""
    first = f", put into '{data['language']}' first" if data["to_write"] else ""
    title = f"{told.title}: to forward to {data['audience']} by {data['channel']}{by}{first}"
    return replace(told, key=f"{told.key}{TO_FORWARD}", title=title)


def _plain(name: str) -> str:
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())
