"""Exposes the new version through people: each step is an errand, and is served once a person says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Errand, ErrandShelf, Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.asking_people import answer_of, asked_of, checked_person, filled, person, words
from rollway.targets.options import Options
from rollway.targets.people_steps import LONGEST_GROUP, SAME, Course, Step, course_of, keys_of

_OPTIONS = {
    "owner": "eva",
    "backup": "tom",
    "owners": "{Oslo: kari, Rome: luca}",
    "candidate": "2.4.0",
    "up": "Install {candidate} for {groups} ({percent} % of all users have it then)",
    "down": "Take {candidate} back, until {percent} % of all users have it",
    "name": "back-office",
}
_NAMES = ("candidate", "percent", "share", "groups")
_EVERYONE = "everyone"


class PeopleTarget:
    """A share, or whole groups, that named people install and take back by hand.

    Options:

    - `owner`: who is asked; `backup`: who may do it instead; `owners`: who is asked for single groups;
    - `candidate`: the new version, for the texts;
    - `up`, `down`: what to do, with `{percent}`, `{groups}` and `{candidate}` filled in. Percent is what is
      reached, never what is added;
    - `name`: what is switched, where two plans are about the same thing.

    Each step up is asked for once: of groups one errand for each that joins, else one for the share. Nothing
    counts as served before its errand is answered. Going back is asked for at once and in one errand, open
    errands of the way up are withdrawn, and until it is answered the most that anybody may have is taken as
    served. Errands are rows in Rollway's database, so a restart forgets nothing; the number in a key is the
    fence of the call that asked.
    """

    serves_groups = True

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "people", _OPTIONS)
        given.text("owner")
        self.owner, self.backup = person(given, "owner"), person(given, "backup")
        self.owners = _owners(given)
        self.candidate = given.text("candidate")
        self.up, self.down = words(given, "up", _NAMES), words(given, "down", _NAMES)
        self.name = given.text("name", self.up)
        self._rollout = surroundings.rollout
        self._shelf = surroundings.errands
        self._told = -1
        self._refused = ""

    @property
    def identity(self) -> str:
        return f"people:{self.name}"

    def nearest(self, share: float) -> float:
        """The share itself: people are asked for exactly that."""
        return share

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int, groups: tuple[str, ...] = ()) -> None:
        """Ask for the step, unless it is asked for already. A step that failed is asked for once more when
        the rollout is resumed. Raises TemporaryError."""
        if mirrored:
            raise TemporaryError("people cannot send copies of requests to the new version")
        # Ticks that go on asking for the same follow each other; a gap means that the rollout was held.
        is_resumed, self._told = fence > self._told + 1, fence
        shelf = self._required()
        course = course_of(shelf.read())
        if course.steps and fence < course.steps[-1].number:
            return
        asked = self._asked_for(course, fence, share, groups, is_resumed)
        if asked:
            shelf.ask(asked)
            course = course_of(shelf.read())
        if course.superseded:
            shelf.withdraw(course.superseded)

    def observe(self) -> Served:
        """What people have confirmed. Raises TemporaryError."""
        course = course_of(self._shelf.read() if self._shelf else {})
        step = course.steps[-1] if course.steps else None
        failed = [errand for errand in step.errands if errand.state == "failed"] if step else []
        refusal = " ".join(f"{errand.key}: {answer_of(errand)}." for errand in failed)
        self._refused = refusal
        return Served(course.share, groups=course.groups, note=_note(step), refusal=refusal)

    def preflight(self) -> tuple[Check, ...]:
        """Who is asked, and who stands in. Nobody is asked anything beforehand."""
        reached = Check("reachable", "ok", f"{self.owner} will be asked for each step; nobody was asked yet")
        told = f"{self.backup} stands in for {self.owner}"
        backup = Check("backup named", "ok", told)
        if not self.backup:
            told = f"nobody stands in when {self.owner} cannot be reached"
            backup = Check("backup named", "unknown", told, "name one as target.backup")
        hint = "try it on something that nobody uses, and write down how long it takes"
        back = Check("way back", "unknown", f"{self.owner} goes back by hand: {self.down}", hint)
        return (reached, backup, back)

    def _required(self) -> ErrandShelf:
        if self._shelf is None:
            raise TemporaryError("nobody can be asked outside a rollout")
        return self._shelf

    def _asked_for(
        self, course: Course, fence: int, share: float, groups: tuple[str, ...], is_resumed: bool
    ) -> list[Errand]:
        """What is to be asked for now; nothing where the course leads there already."""
        last = course.steps[-1] if course.steps else None
        joining = tuple(group for group in groups if group not in course.groups)
        if last is None and share <= SAME and not joining:
            return []
        if last is not None and abs(last.to - share) < SAME and set(joining) <= set(last.groups):
            is_tried_again = is_resumed and self._refused and not last.is_done
            return self._again(fence, last) if is_tried_again else []
        if share < course.most - SAME:
            return self._errands(fence, "back", share, (), course.most)
        return self._errands(fence, "up", share, joining, 0.0)

    def _again(self, fence: int, last: Step) -> list[Errand]:
        pairs = zip(last.groups, last.errands, strict=False)
        missing = tuple(group for group, errand in pairs if errand.state != "done")
        return self._errands(fence, last.direction, last.to, missing, last.most)

    def _errands(
        self, number: int, direction: str, share: float, groups: tuple[str, ...], most: float
    ) -> list[Errand]:
        text = self.up if direction == "up" else self.down
        if any(len(group) > LONGEST_GROUP for group in groups):
            raise TemporaryError(f"people can be asked for groups of at most {LONGEST_GROUP} characters")
        errands = []
        for key, group in keys_of(number, direction, share, groups, most):
            values = {
                "candidate": self.candidate,
                "percent": f"{share * 100:.10g}",
                "share": f"{share:.10g}",
                "groups": group or _EVERYONE,
            }
            owner = asked_of(self.owners.get(group, self.owner), self.backup)
            errands.append(Errand(key, owner, filled(text, values)))
        return errands


def _note(step: Step | None) -> str:
    """Whom the rollout waits for, or what was said last."""
    if step is None:
        return ""
    open_ones = [errand for errand in step.errands if errand.state == "asked"]
    if open_ones:
        told = ", ".join(f"{errand.key} ({errand.owner})" for errand in open_ones[:5])
        more = f" and {len(open_ones) - 5} more" if len(open_ones) > 5 else ""
        return f"people are asked: {told}{more}"
    return "; ".join(f"{errand.key}: {answer_of(errand)}" for errand in step.errands[:5])


def _owners(given: Options) -> dict[str, str]:
    value = given.raw("owners")
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise given.error("owners", "is no list of groups with a name each")
    return {str(group): checked_person(given, "owners", name) for group, name in value.items()}
