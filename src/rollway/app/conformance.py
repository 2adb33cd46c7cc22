"""Does a target keep what rollouts rely on? Each promise is tried on the real thing, and told in one line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from rollway.app.broken_options import twisted, unreachable
from rollway.errors import InputError, RollwayError, TemporaryError
from rollway.rollout import Target, parts_of
from rollway.rollout.ports import close_target
from rollway.rollout.serving import Check, Served

PromiseState = Literal["kept", "broken", "untried"]
Make = Callable[[Mapping[str, Any]], Target]

SAME_SHARE = 1e-5
SAME_COPIES = 1e-3
LONGEST_IDENTITY = 400
SHARES = (0.01, 0.5, 1.0, 0.0)
LATE_SECONDS = 0.3
COPIES_SECONDS = 1.0
SOME_SHARES = (0.0, 0.001, 0.01, 0.1, 1 / 3, 0.5, 0.9, 0.999, 1.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise and whether it was kept: `told` is the evidence, `seconds` how long it took where that
    matters."""

    name: str
    state: PromiseState
    told: str
    seconds: float | None = None


class BrokenError(Exception):
    """A promise was broken; the text says how."""


class UntriedError(Exception):
    """A promise could not be tried here; the text says why."""


class Conformance:
    """One target under test. Its own instances are made anew, as after a restart."""

    def __init__(self, make: Make, options: Mapping[str, Any], *, within: float = 10.0) -> None:
        """`make` builds the target from options; `within` seconds each share may take to be read back."""
        self._make, self._options, self._within = make, dict(options), within
        self._fence = 1000

    def run(self, *, move: bool) -> tuple[Promise, ...]:
        """All promises; with `move` also those that move traffic, which is put back at the end.

        Raises InputError where the target cannot be made from the options as they are.
        """
        target = self._make(self._options)
        try:
            return self._run(target, move)
        finally:
            close_target(target)

    def _run(self, target: Target, move: bool) -> tuple[Promise, ...]:
        still: list[tuple[str, Callable[[Target], str]]] = [
            ("options are named", self._options_are_named),
            ("identity is stable", self._identity_is_stable),
            ("looking changes nothing", self._looking_changes_nothing),
            ("nearest is sound", self._nearest_is_sound),
            ("preflight changes nothing", self._preflight_changes_nothing),
        ]
        promises = [self._tried(name, target, promise) for name, promise in still]
        if not move:
            promises.append(self._tried("silence is no zero", target, self._silence_is_no_zero))
            known = {promise.name for promise in promises}
            rest = [name for name in self._moving() if name not in known]
            return (*promises, *(Promise(name, "untried", "it moves traffic") for name in rest))
        return (*promises, *self._moved(target))

    # --- what moves no traffic ------------------------------------------------------------------------

    def _tried(self, name: str, target: Target, promise: Callable[[Target], str]) -> Promise:
        began = time.perf_counter()
        try:
            told = promise(target)
        except BrokenError as broken:
            return Promise(name, "broken", str(broken))
        except UntriedError as untried:
            return Promise(name, "untried", str(untried))
        except Exception as error:  # a plugin may raise what it likes
            return Promise(name, "broken", words(error))
        return Promise(name, "kept", told, round(time.perf_counter() - began, 3))

    def _options_are_named(self, _: Target) -> str:
        """What cannot be used is an InputError with the option's name, and never another exception."""
        try:
            self._make({**self._options, "no_such_option": 1})
        except InputError as error:
            _require("no_such_option" in error.message, f"no_such_option is not named in: {error.message}")
        except Exception as error:
            raise BrokenError(f"an option that does not exist raises {words(error)}") from error
        else:
            raise BrokenError("an option that does not exist is taken without a word")
        for name, options in twisted(self._options):
            try:
                self._make(options)
            except InputError as error:
                _require(name in error.message, f"option {name} is not named in: {error.message}")
            except Exception as error:
                raise BrokenError(f"option {name} = {options.get(name)!r} raises {words(error)}") from error
        return "what cannot be used is told by its name"

    def _identity_is_stable(self, target: Target) -> str:
        identity, again = target.identity, self._make(self._options).identity
        _require(identity == again, f"it changes: {identity} and {again}")
        _require(bool(identity) and isinstance(identity, str), f"it says nothing: {identity!r}")
        _require(len(identity) <= LONGEST_IDENTITY, f"longer than {LONGEST_IDENTITY}: {identity[:60]}...")
        _require(all(parts_of(target)), "one of its parts has no identity")
        return identity

    def _looking_changes_nothing(self, target: Target) -> str:
        first, second = _looked(target), _looked(self._make(self._options))
        _require(
            _same(first, second),
            f"it served {percent(first.share)}, and {percent(second.share)} after a look",
        )
        return f"serves {percent(first.share)}, read back twice"

    def _nearest_is_sound(self, target: Target) -> str:
        near = [target.nearest(share) for share in SOME_SHARES]
        _require(near[0] == 0 and near[-1] == 1, f"0 becomes {near[0]:g}, and 1 becomes {near[-1]:g}")
        _require(all(0 <= one <= 1 for one in near), f"a share outside 0..1: {near}")
        _require(near == sorted(near), f"a larger share is served to fewer: {near}")
        for share, one in zip(SOME_SHARES, near, strict=True):
            again = target.nearest(one)
            _require(abs(again - one) < SAME_SHARE, f"{share:g} becomes {one:g}, and that becomes {again:g}")
        return f"1% is served as {percent(near[2])}, a half as {percent(near[5])}"

    def _preflight_changes_nothing(self, target: Target) -> str:
        # One that was never told anything, as before a rollout.
        before, checks = _looked(target), self._make(self._options).preflight()
        after = _looked(target)
        _require(
            _same(before, after), f"it served {percent(before.share)} before and {percent(after.share)} after"
        )
        wrong = [one for one in checks if not isinstance(one, Check)]
        _require(bool(checks) and not wrong, f"its findings are no checks: {checks!r:.80}")
        failed = [f"{check.name}: {check.told}" for check in checks if check.state == "failed"]
        return f"{len(checks)} checks" + (f"; failed: {'; '.join(failed)}" if failed else "")

    def _silence_is_no_zero(self, target: Target) -> str:
        """With each address replaced by one where nobody answers: a TemporaryError, or the true share."""
        share, tried = _looked(target).share, list[str]()
        if share == 0:
            raise UntriedError("it serves nobody, so a false zero could not be told from a true one")
        for name, options in unreachable(self._options):
            try:
                served = self._make(options).observe()
            except InputError:
                continue
            except TemporaryError:
                tried.append(name)
                continue
            except Exception as error:
                raise BrokenError(f"where {name} does not answer it raises {words(error)}") from error
            has, truly = percent(served.share), percent(share)
            told = f"where {name} does not answer it tells {has}, though {truly} are served"
            _require(abs(served.share - share) < SAME_SHARE, told)
        if not tried:
            raise UntriedError("none of its options is an address or a program that it looks at")
        return f"a TemporaryError where there is no answer ({', '.join(tried)})"

    # --- what moves traffic ---------------------------------------------------------------------------

    def _moving(self) -> dict[str, Callable[[Target], str]]:
        steps: dict[str, Callable[[Target], str]] = {}
        for share in SHARES:
            steps[f"{share:.0%} is read back"] = partial(self._reaches, share=share)
            if share == 0.5:
                steps["twice is once"] = self._twice_is_once
                steps["late calls change nothing"] = self._late_calls_change_nothing
                steps["a restart tells the same"] = self._restart_tells_the_same
                steps["silence is no zero"] = self._silence_is_no_zero
        steps["copies are told truly"] = self._copies_are_told_truly
        steps["back where it was"] = self._looking_changes_nothing
        return steps

    def _moved(self, target: Target) -> Iterator[Promise]:
        try:
            start = target.observe()
        except Exception as error:
            told = f"where it is now cannot be read, so nothing is moved: {words(error)}"
            yield from (Promise(name, "untried", told) for name in self._moving())
            return
        promises = list[Promise]()
        back: Promise | None = None
        try:
            for name, promise in self._moving().items():
                if name != "back where it was":
                    promises.append(self._tried(name, target, promise))
        finally:
            back = self._tried("back where it was", target, lambda one: self._goes_back(one, start))
        yield from (*promises, back)

    def _reaches(self, target: Target, share: float, mirrored: float = 0.0) -> str:
        """Told the share, again and again as a rollout does, until it is read back."""
        self._fence += 10
        end, problem, served = time.monotonic() + self._within, "", None
        while served is None or abs(served.share - target.nearest(share)) >= SAME_SHARE:
            if time.monotonic() > end:
                has = "nothing" if served is None else f"{percent(served.share)}"
                raise BrokenError(
                    f"told {share:.4g}, it tells {has} after {self._within:g} s, "
                    f"not {percent(target.nearest(share))}{'; ' + problem if problem else ''}"
                )
            try:
                target.apply(share, mirrored=mirrored, fence=self._fence)
                served = _looked(target)
            except TemporaryError as error:
                problem, served = error.message, None
            time.sleep(0.0 if served is not None else 0.1)
        return f"{percent(served.share)}"

    def _twice_is_once(self, target: Target) -> str:
        before = _looked(target)
        target.apply(0.5, fence=self._fence)
        after = _looked(target)
        _require(_same(before, after), f"told again, {percent(before.share)} became {percent(after.share)}")
        return f"{percent(after.share)} as before"

    def _late_calls_change_nothing(self, target: Target) -> str:
        before = _looked(target)
        with contextlib.suppress(TemporaryError):  # it may say so
            target.apply(1.0, fence=self._fence - 5)
        time.sleep(LATE_SECONDS)
        after = _looked(target)
        _require(
            _same(before, after), f"an older call turned {percent(before.share)} into {percent(after.share)}"
        )
        return "an older call came and changed nothing"

    def _restart_tells_the_same(self, target: Target) -> str:
        here, anew = _looked(target), _looked(self._make(self._options))
        _require(_same(here, anew), f"a new instance tells {percent(anew.share)}, not {percent(here.share)}")
        return f"a new instance tells {percent(anew.share)}"

    def _copies_are_told_truly(self, target: Target) -> str:
        self._fence += 10
        try:
            target.apply(0.0, mirrored=0.5, fence=self._fence)
        except RollwayError as error:
            told = _looked(target).mirrored
            _require(told == 0, f"it refuses copies and tells that {percent(told)} are sent")
            return f"it sends none, and says so: {error.message}"
        served, end = _looked(target), time.monotonic() + min(self._within, COPIES_SECONDS)
        while abs(served.mirrored - 0.5) >= SAME_COPIES and time.monotonic() < end:
            time.sleep(0.05)
            served = _looked(target)
        self._reaches(target, 0.0)
        left = _looked(target).mirrored
        _require(left < SAME_COPIES, f"told to send none any more, it still tells {percent(left)}")
        if served.mirrored == 0:
            return "it sends none, and tells none"
        _require(
            abs(served.mirrored - 0.5) < SAME_COPIES, f"told a half, it tells {percent(served.mirrored)}"
        )
        return "told a half, it tells a half"

    def _goes_back(self, target: Target, start: Served) -> str:
        began = time.perf_counter()
        try:
            told = self._reaches(target, start.share, start.mirrored)
        except Exception as error:
            raise BrokenError(f"SET IT BACK BY HAND to {percent(start.share)}: {words(error)}") from error
        return f"{told} again, after {time.perf_counter() - began:.2g} s"


def percent(share: float) -> str:
    return f"{share * 100:.6g}%"


def words(error: Exception) -> str:
    """An exception in one sentence; one of Rollway's own by its message."""
    return error.message if isinstance(error, RollwayError) else f"{type(error).__name__}: {error}"


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BrokenError(otherwise)


def _same(one: Served, other: Served) -> bool:
    copies = abs(one.mirrored - other.mirrored) < SAME_COPIES
    return copies and abs(one.share - other.share) < SAME_SHARE


def _looked(target: Target) -> Served:
    """What it serves, of the right kinds and within bounds."""
    served: object = target.observe()
    if not isinstance(served, Served):
        raise BrokenError(f"observe gives {served!r:.80}, not a Served")
    for name in ("share", "mirrored"):
        value = getattr(served, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(is_number and 0 <= value <= 1, f"observe tells {value!r} as {name}")
    for name in ("candidate_ready", "baseline_ready"):
        value = getattr(served, name)
        _require(value is None or isinstance(value, bool), f"observe tells {value!r} as {name}")
    _require(isinstance(served.note, str), f"observe tells {served.note!r} as note")
    return replace(served)


def broken(promises: Sequence[Promise]) -> tuple[Promise, ...]:
    """Those that were not kept."""
    return tuple(promise for promise in promises if promise.state == "broken")
