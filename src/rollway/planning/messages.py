"""The communication plan: who is told what, when and how, bound to the stages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollway.facts.model import Group, Release
from rollway.planning.model import Message, Stage
from rollway.planning.stages import NAMED, pilot_groups
from rollway.planning.words import listing, sentence

ORGANISATIONAL = frozenset({"pilot", "phased", "parallel", "big_bang"})
"""Methods whose users must know beforehand; with the others the switch is meant to go unnoticed."""

MOST_LETTERS = 8
"""With more groups than this one line stands for all of them."""


def make_messages(release: Release, stages: Sequence[Stage]) -> tuple[Message, ...]:
    """Messages in the order of the stages, then those that are prepared for a delay and a rollback."""
    told: list[Message] = []
    reached = 0.0
    for stage in stages:
        rises = stage.exposure.share > reached
        told += _of_stage(release, stage, is_first=rises and reached == 0)
        reached = stage.exposure.share
    return (*told, *_prepared(release, stages))


def _of_stage(release: Release, stage: Stage, *, is_first: bool) -> Iterator[Message]:
    if is_first:
        yield _to_support(release, stage)
    if stage.method in ORGANISATIONAL and stage.in_window:
        yield from _to_users(release, stage)
    if is_first:
        yield _message(stage, "on entering", "stakeholders and support", "team channel", _begins(release))
    if stage.exposure.share >= 1 and stage.in_window:
        text = f"{_name(release)} now serves everyone. {_help(release)}"
        yield _message(stage, "on entering", "everyone concerned", "status page", text)
    if stage.advance == "person":
        text = (
            f"{stage.title} of {_name(release)} waits for a decision: go on, wait or go back. "
            "The record shows the figures."
        )
        yield _message(stage, "when the bake is over", "those who decide", "e-mail", text)


def _to_support(release: Release, stage: Stage) -> Message:
    changes = listing((item.note_for_users for item in release.backlog.items if item.note_for_users), 6)
    what = changes or release.release.summary or release.goals.objective or "see the release notes"
    told = sentence(f"What changes: {what}")
    text = f"{_name(release)} begins to reach users. {told} Please report what is unusual at once."
    return _message(stage, "1 day before", "support", "e-mail", text)


def _to_users(release: Release, stage: Stage) -> Iterator[Message]:
    groups = _addressed(release, stage)
    lead = "7 days before" if stage.method in ("pilot", "phased") else "3 days before"
    text = _announcement(release, stage)
    if len(groups) > MOST_LETTERS:
        yield _message(stage, lead, f"{len(groups)} groups, each in its own language", "e-mail", text)
        return
    for group in groups:
        language = f", in '{group.language}'" if group.language != "en" else ""
        reached = f" ({group.contact})" if group.contact else ""
        yield _message(stage, lead, f"{group.name}{reached}", f"e-mail{language}", text)
    if not groups:
        yield _message(stage, lead, stage.exposure.audience.removeprefix(NAMED), "e-mail", text)


def _addressed(release: Release, stage: Stage) -> tuple[Group, ...]:
    """The groups for whom this stage is the beginning; empty where they have no names."""
    groups = release.stakeholders.groups
    if stage.method == "phased":
        return tuple(group for group in groups if group.name in stage.title)
    if stage.method == "pilot":
        first, _ = pilot_groups(release)
        return tuple(group for group in groups if (group in first) is (stage.exposure.share < 1))
    return groups


def _announcement(release: Release, stage: Stage) -> str:
    summary = f" {sentence(release.release.summary)}" if release.release.summary else ""
    return (
        f"You will soon work with {_name(release)}.{summary} Training comes before the day. {_help(release)}"
    )


def _begins(release: Release) -> str:
    return (
        f"The rollout of {_name(release)} begins. Progress is on its page; operators can hold it at any time."
    )


def _prepared(release: Release, stages: Sequence[Stage]) -> Iterator[Message]:
    first = next((stage for stage in stages if stage.exposure.share > 0), stages[-1])
    yield _message(
        first,
        "if it is delayed",
        "everyone who was told",
        "as announced",
        f"{_name(release)} comes later than announced. Nothing changes for you until we write again.",
    )
    yield _message(
        first,
        "if it is rolled back",
        "everyone who was told",
        "status page, as announced",
        f"We took {_name(release)} back. You work with the version you know; what you must do, if anything, "
        f"follows. {_help(release)}",
    )


def _message(stage: Stage, when: str, audience: str, channel: str, text: str) -> Message:
    return Message(stage=stage.id, when=when, audience=audience, channel=channel, text=text)


def _name(release: Release) -> str:
    return f"{release.release.title or release.release.name} {release.release.version}"


def _help(release: Release) -> str:
    contact = release.stakeholders.support_contact
    return f"Help: {contact}." if contact else "Help: your usual support."
