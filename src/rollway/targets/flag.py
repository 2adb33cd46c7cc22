"""Exposes the new version through a feature flag that Rollway serves itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from rollway.errors import InputError, TemporaryError
from rollway.flags import FlagError, exposure_definition, served_share
from rollway.flags.rules import shown
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.options import Options

_OPTIONS = {
    "flag": '"new-checkout"',
    "candidate": '"on"',
    "baseline": '"off"',
    "control": '"control"',
    "variants": "{on: true, off: false}",
    "salt": '"2026-11"',
}
_SWITCH = {"on": True, "off": False}


class FlagTarget:
    """A share of users, by their targetingKey, is served the candidate variant of one flag.

    Options:

    - `flag`: the flag's key; `candidate`, `baseline`: the names of its two variants;
    - `control`: the name of the variant that a plan's control group gets; `control` where it is left out, or
      `control-group` where that name means something else. It has the baseline's value, so the code does what
      it does for everyone with the old version, and its name tells the figures of the group apart;
    - `variants`: the value of each variant. Without it, `on` is true and `off` is false; variants of any
      other name have their name as value, so that the code asks which version to be;
    - `salt`: who comes first. Without it the flag's key says so, and a second try of a release starts with
      the same users; give the next release of the same flag its own salt to start with others.

    The flag is Rollway's own from the first `apply` on: its definition is replaced as a whole.
    """

    samples_control = True

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "flag", _OPTIONS)
        self.flag, self.candidate, self.baseline = (
            given.text(name) for name in ("flag", "candidate", "baseline")
        )
        if self.candidate == self.baseline:
            raise given.error("baseline", f'"{self.baseline}" is the candidate too')
        self.variants = _variants(options, self.candidate, self.baseline)
        self.control = given.text("control", self._free_name())
        if not self._may_be_control(self.control):
            raise given.error("control", f'"{self.control}" is not what users of "{self.baseline}" get')
        self.salt = f"{self.flag}:{given.text('salt')}:" if "salt" in given else self.flag
        self._rollout = surroundings.rollout
        self._shelf = surroundings.flags
        self._definition(0.5, 0.5)  # what cannot be served is told now, not at the first step

    def apply(self, share: float, *, mirrored: float = 0.0, control: float = 0.0, fence: int) -> None:
        """Serve the candidate to this share (0..1), and the control variant to so many of the others. Raises
        TemporaryError where another holds the flag.

        A flag sends no copies; `mirrored` is for the code behind it to do, and changes nothing here.

        A call that comes after a newer one of the same rollout changes nothing: the newer one is right.
        """
        done = self._shelf.write(
            self.flag, self._definition(share, control), owner=self._rollout, fence=fence
        )
        if done == "held":
            raise TemporaryError(
                f'flag "{self.flag}" was not changed to {share:.3%} for rollout {self._rollout}: another '
                "rollout that still runs holds it",
                hint="let the other rollout end, or plan this one with a flag of its own",
            )

    @property
    def identity(self) -> str:
        """The flag; two rollouts of one flag would fight, whatever variants they name."""
        return f"flag:{self.flag}"

    def nearest(self, share: float) -> float:
        """The share itself: a flag's weights are finer than any share that a plan names."""
        return share

    def observe(self) -> Served:
        """The share that the flag serves now; 0.0 where there is no such flag, for then nobody is exposed.

        Raises TemporaryError where what is stored cannot be served: users then have an older definition, or
        none, and nothing can be said of either.
        """
        definition = self._shelf.read(self.flag)
        if definition is None:
            return Served(0.0)
        try:
            now = int(time.time())
            share, control = (
                served_share(definition, variant, key=self.flag, timestamp=now)
                for variant in (self.candidate, self.control)
            )
            return Served(share, control=control)
        except FlagError as error:
            raise TemporaryError(
                f"what is stored cannot be served, so nobody can say who is exposed: {error.message}",
                hint="correct the flag in the database; the next step of its rollout replaces it too",
            ) from error

    def preflight(self) -> tuple[Check, ...]:
        """What is served now, and whether the present share can be set again. A flag that Rollway has not
        made yet, or not like this, is left as it is: trying would change what its users get."""
        try:
            definition, served = self._shelf.read(self.flag), self.observe()
        except TemporaryError as error:
            return (Check("reachable", "failed", error.message, error.hint),)
        told = (
            "there is no such flag yet" if definition is None else f"tells that {served.share:.2%} are served"
        )
        unchecked, hint = "a flag switches code, and cannot tell", "see whether the code asks this flag"
        return (
            Check("reachable", "ok", told),
            Check("candidate ready", "unknown", unchecked, hint),
            Check("baseline ready", "unknown", unchecked, hint),
            self._way_back(definition, served),
        )

    def _way_back(self, definition: Mapping[str, Any] | None, served: Served) -> Check:
        name = "way back"
        if definition is None:
            return Check(name, "unknown", "the first step makes the flag; until then there is nothing to try")
        if dict(definition) != self._definition(served.share, served.control):
            told = "the flag has rules of somebody else, which the first step replaces"
            return Check(name, "unknown", told, "use a flag of its own for each release")
        began = time.perf_counter()
        try:
            self.apply(served.share, control=served.control, fence=0)
        except TemporaryError as error:
            return Check(name, "failed", error.message, error.hint)
        return Check(
            name, "ok", "the present share can be set again", "", round(time.perf_counter() - began, 3)
        )

    def _free_name(self) -> str:
        names = chain(("control", "control-group"), (f"control-{number}" for number in count(2)))
        return next(filter(self._may_be_control, names))

    def _may_be_control(self, name: str) -> bool:
        """Whether the variant of this name is, or may be made, another name for the old version."""
        is_version = name in (self.candidate, self.baseline)
        old = self.variants[self.baseline]
        return not is_version and self.variants.get(name, old) == old

    def _definition(self, share: float, control: float) -> dict[str, Any]:
        sampled = {self.control: self.variants[self.baseline]} if control else {}
        return exposure_definition(
            key=self.flag,
            candidate_variant=self.candidate,
            baseline_variant=self.baseline,
            variants={**self.variants, **sampled},
            share=share,
            salt=self.salt,
            control=control,
            control_variant=self.control,
        )


def _variants(options: Mapping[str, Any], candidate: str, baseline: str) -> dict[str, Any]:
    given = options.get("variants")
    if given is None:
        names = (candidate, baseline)
        return (
            {name: _SWITCH[name] for name in names} if set(names) == set(_SWITCH) else {n: n for n in names}
        )
    if not isinstance(given, Mapping):
        raise InputError(
            f"target.variants: {shown(given)} is no mapping",
            hint=f"such as {{{candidate}: true, {baseline}: false}}",
        )
    for name in (candidate, baseline):
        if name not in given:
            raise InputError(f'target.variants: there is no value for "{name}"')
    return dict(given)
