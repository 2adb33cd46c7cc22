"""The communication plan: who is told what, when, on whose clocks and in which language, bound to the stages.

Rollway translates nothing: a message says which language it must be written in, and carries the text that
people gave for it (`stakeholders.wordings`), or else the English one for somebody to put into that language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rollway.facts.model import Group, Release
from rollway.planning import roles
from rollway.planning.joining import ORGANISATIONAL, joining_groups, reaches_users
from rollway.planning.model import Message, Stage
from rollway.planning.parts import MessageKind
from rollway.planning.stages import DAY, NAMED
from rollway.planning.words import listing, sentence, slug

MOST_LETTERS = 8
"""With more groups than this in one stage there is a message for each language and time zone."""

LETTER_TIME = "09:00"
"""When letters go out, on the clocks of those who get them."""

ENGLISH = "en"


def make_messages(release: Release, stages: Sequence[Stage]) -> tuple[Message, ...]:
    """Messages in the order of the stages, then those that are prepared for a delay and a rollback."""
    post = _Post(release)
    joining = joining_groups(release, stages)
    reached = 0.0
    for stage in stages:
        rises = stage.exposure.live > reached
        _of_stage(post, stage, joining[stage.id], is_first=rises and reached == 0)
        reached = max(reached, stage.exposure.live)
    _prepared(post, stages)
    return tuple(post.sent)


@dataclass
class _Post:
    """The messages so far, with ids that differ."""

    release: Release
    sent: list[Message] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)

    def send(
        self,
        stage: Stage,
        when: str,
        audience: str,
        channel: str,
        text: str,
        *,
        kind: MessageKind = "news",
        offset: float | None = 0.0,
        group: Group | None = None,
        sender: str = roles.TRAINING_LEAD,
    ) -> None:
        wording, to_write = self._worded(kind, text, group)
        self.sent.append(
            Message(
                id=self._name(stage, kind, group),
                stage=stage.id,
                when=when,
                audience=audience,
                channel=channel,
                text=wording,
                kind=kind,
                group="" if group is None else group.name,
                language="" if group is None else group.language,
                timezone="" if group is None else group.timezone,
                local_time=LETTER_TIME if group is not None and offset else "",
                offset_seconds=offset,
                to_write=to_write,
                sender=sender,
            )
        )

    def _name(self, stage: Stage, kind: str, group: Group | None) -> str:
        name = "-".join([stage.id, kind, *([] if group is None else [slug(group.name)])])
        self.taken[name] = self.taken.get(name, 0) + 1
        return name if self.taken[name] == 1 else f"{name}-{self.taken[name]}"

    def _worded(self, kind: MessageKind, text: str, group: Group | None) -> tuple[str, bool]:
        """The text in the group's language, and whether somebody has still to write it."""
        language = ENGLISH if group is None else group.language
        for wording in self.release.stakeholders.wordings:
            if wording.message == kind and _same_language(wording.language, language):
                return wording.text, False
        return text, not _same_language(language, ENGLISH)


def _same_language(one: str, other: str) -> bool:
    """`de-CH` is served by a text in `de`."""
    return one.lower().split("-")[0] == other.lower().split("-")[0]


# --- in their order ---------------------------------------------------------------------------------


def _of_stage(post: _Post, stage: Stage, joining: Sequence[Group], *, is_first: bool) -> None:
    release = post.release
    if is_first:
        _to_support(post, stage)
    if _is_announced(release, stage):
        _to_users(post, stage, joining)
    if is_first:
        post.send(stage, "on entering", "stakeholders and support", "team channel", _begins(release))
    if stage.exposure.live >= 1 and stage.in_window:
        text = f"{_name(release)} now serves everyone. {_help(release)}"
        post.send(stage, "on entering", "everyone concerned", "status page", text)
    if stage.advance == "person":
        text = (
            f"{stage.title} of {_name(release)} waits for a decision: go on, wait or go back. "
            "The record shows the figures."
        )
        post.send(
            stage,
            "when the bake is over",
            "those who decide",
            "e-mail",
            text,
            kind="decision",
            offset=stage.bake_seconds,
            sender=roles.RELEASE_MANAGER,
        )


def _is_announced(release: Release, stage: Stage) -> bool:
    """Users are told beforehand where they notice: by the method, or because they need training."""
    if stage.method in ORGANISATIONAL:
        return stage.in_window
    return reaches_users(stage) and release.stakeholders.training_needed.is_true


def _to_support(post: _Post, stage: Stage) -> None:
    release = post.release
    changes = listing((item.note_for_users for item in release.backlog.items if item.note_for_users), 6)
    what = changes or release.release.summary or release.goals.objective or "see the release notes"
    told = sentence(f"What changes: {what}")
    text = f"{_name(release)} begins to reach users. {told} Please report what is unusual at once."
    post.send(stage, "1 day before", "support", "e-mail", text, offset=-DAY)


def _to_users(post: _Post, stage: Stage, joining: Sequence[Group]) -> None:
    if not joining:
        if not post.release.stakeholders.groups:
            _letters(post, stage, None, stage.exposure.audience.removeprefix(NAMED))
        return
    if len(joining) <= MOST_LETTERS:
        for group in joining:
            reached = f" ({group.contact})" if group.contact else ""
            _letters(post, stage, group, f"{group.name}{reached}")
        return
    alike: dict[tuple[str, str], list[Group]] = {}
    for group in joining:
        alike.setdefault((group.language, group.timezone), []).append(group)
    for (language, timezone), groups in alike.items():
        named = Group(name=f"{len(groups)} groups", language=language, timezone=timezone)
        _letters(post, stage, named, f"{len(groups)} groups: {listing((one.name for one in groups), 3)}")


def _letters(post: _Post, stage: Stage, group: Group | None, audience: str) -> None:
    """The announcement, and for those who are to be trained a reminder on the day before."""
    release = post.release
    days = 7 if stage.method in ("pilot", "phased") else 3
    language = "" if group is None or group.language == ENGLISH else f", in '{group.language}'"
    channel = f"e-mail{language}"
    text = _announcement(release, stage)
    post.send(
        stage, f"{days} days before", audience, channel, text, kind="notice", offset=-days * DAY, group=group
    )
    if not release.stakeholders.training_needed.is_false:
        text = _reminder(release, group)
        post.send(stage, "1 day before", audience, channel, text, kind="reminder", offset=-DAY, group=group)


def _announcement(release: Release, stage: Stage) -> str:
    summary = f" {sentence(release.release.summary)}" if release.release.summary else ""
    trained = "" if release.stakeholders.training_needed.is_false else " Training comes before the day."
    return f"You will soon work with {_name(release)}.{summary}{trained} {_help(release)}"


def _reminder(release: Release, group: Group | None) -> str:
    asked = "" if group is None or not group.champion else f" Ask {group.champion} first."
    return (
        f"Tomorrow you begin to work with {_name(release)}. If you were not trained yet, say so today."
        f"{asked} {_help(release)}"
    )


def _begins(release: Release) -> str:
    return (
        f"The rollout of {_name(release)} begins. Progress is on its page; operators can hold it at any time."
    )


def _prepared(post: _Post, stages: Sequence[Stage]) -> None:
    """What is written beforehand, once in each language of those who are told."""
    release = post.release
    first = next((stage for stage in stages if stage.exposure.live > 0), stages[-1])
    delay = f"{_name(release)} comes later than announced. Nothing changes for you until we write again."
    back = (
        f"We took {_name(release)} back. You work with the version you know; what you must do, if anything, "
        f"follows. {_help(release)}"
    )
    whom = "everyone who was told"
    kinds: tuple[tuple[MessageKind, str, str, str], ...] = (
        ("delay", "if it is delayed", "as announced", delay),
        ("rollback", "if it is rolled back", "status page, as announced", back),
    )
    for kind, when, channel, text in kinds:
        post.send(first, when, whom, channel, text, kind=kind, offset=None)
        for language in _other_languages(release):
            named = Group(name="", language=language)
            post.send(
                first,
                when,
                f"{whom} in '{language}'",
                f"{channel}, in '{language}'",
                text,
                kind=kind,
                offset=None,
                group=named,
            )


def _other_languages(release: Release) -> tuple[str, ...]:
    languages = (group.language for group in release.stakeholders.groups)
    return tuple(dict.fromkeys(one for one in languages if not _same_language(one, ENGLISH)))


def _name(release: Release) -> str:
    return f"{release.release.title or release.release.name} {release.release.version}"


def _help(release: Release) -> str:
    contact = release.stakeholders.support_contact
    return f"Help: {contact}." if contact else "Help: your usual support."
