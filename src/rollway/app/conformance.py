"""Does a target keep what rollouts rely on? Each promise is tried on the real thing, and told in one line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from rollway.app.broken_options import twisted, unreachable
from rollway.app.conformance_control import LATE_SECONDS, ControlPromises
from rollway.app.conformance_moves import (
    SAME_COPIES,
    SAME_SHARE,
    BrokenError,
    Moves,
    UntriedError,
    is_same,
    looked,
    percent,
    require,
    served_words,
    words,
)
from rollway.errors import InputError, RollwayError, TemporaryError
from rollway.rollout import Target, parts_of
from rollway.rollout.ports import close_target, samples_control
from rollway.rollout.serving import Check, Served

PromiseState = Literal["kept", "broken", "untried"]
Make = Callable[[Mapping[str, Any]], Target]

LONGEST_IDENTITY = 400
SHARES = (0.01, 0.5, 1.0, 0.0)
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


class Conformance:
    """One target under test. Its own instances are made anew, as after a restart."""

    def __init__(self, make: Make, options: Mapping[str, Any], *, within: float = 10.0) -> None:
        """`make` builds the target from options; `within` seconds each share may take to be read back."""
        self._make, self._options, self._moves = make, dict(options), Moves(within)
        self._control = ControlPromises(self._moves, lambda: make(self._options))

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
            rest = [name for name in self._moving(target) if name not in known]
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
            require("no_such_option" in error.message, f"no_such_option is not named in: {error.message}")
        except Exception as error:
            raise BrokenError(f"an option that does not exist raises {words(error)}") from error
        else:
            raise BrokenError("an option that does not exist is taken without a word")
        for name, options in twisted(self._options):
            try:
                self._make(options)
            except InputError as error:
                require(name in error.message, f"option {name} is not named in: {error.message}")
            except Exception as error:
                raise BrokenError(f"option {name} = {options.get(name)!r} raises {words(error)}") from error
        return "what cannot be used is told by its name"

    def _identity_is_stable(self, target: Target) -> str:
        identity, again = target.identity, self._make(self._options).identity
        require(identity == again, f"it changes: {identity} and {again}")
        require(bool(identity) and isinstance(identity, str), f"it says nothing: {identity!r}")
        require(len(identity) <= LONGEST_IDENTITY, f"longer than {LONGEST_IDENTITY}: {identity[:60]}...")
        require(all(parts_of(target)), "one of its parts has no identity")
        return identity

    def _looking_changes_nothing(self, target: Target) -> str:
        first, second = looked(target), looked(self._make(self._options))
        require(
            is_same(first, second),
            f"it served {served_words(first)}, and {served_words(second)} after a look",
        )
        return f"serves {served_words(first)}, read back twice"

    def _nearest_is_sound(self, target: Target) -> str:
        near = [target.nearest(share) for share in SOME_SHARES]
        require(near[0] == 0 and near[-1] == 1, f"0 becomes {near[0]:g}, and 1 becomes {near[-1]:g}")
        require(all(0 <= one <= 1 for one in near), f"a share outside 0..1: {near}")
        require(near == sorted(near), f"a larger share is served to fewer: {near}")
        for share, one in zip(SOME_SHARES, near, strict=True):
            again = target.nearest(one)
            require(abs(again - one) < SAME_SHARE, f"{share:g} becomes {one:g}, and that becomes {again:g}")
        return f"1% is served as {percent(near[2])}, a half as {percent(near[5])}"

    def _preflight_changes_nothing(self, target: Target) -> str:
        # One that was never told anything, as before a rollout.
        before, checks = looked(target), self._make(self._options).preflight()
        after = looked(target)
        require(
            is_same(before, after), f"it served {served_words(before)} before and {served_words(after)} after"
        )
        wrong = [one for one in checks if not isinstance(one, Check)]
        require(bool(checks) and not wrong, f"its findings are no checks: {checks!r:.80}")
        failed = [f"{check.name}: {check.told}" for check in checks if check.state == "failed"]
        return f"{len(checks)} checks" + (f"; failed: {'; '.join(failed)}" if failed else "")

    def _silence_is_no_zero(self, target: Target) -> str:
        """With each address replaced by one where nobody answers: a TemporaryError, or the true share."""
        share, tried = looked(target).share, list[str]()
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
            require(abs(served.share - share) < SAME_SHARE, told)
        if not tried:
            raise UntriedError("none of its options is an address or a program that it looks at")
        return f"a TemporaryError where there is no answer ({', '.join(tried)})"

    # --- what moves traffic ---------------------------------------------------------------------------

    def _moving(self, target: Target) -> dict[str, Callable[[Target], str]]:
        steps: dict[str, Callable[[Target], str]] = {}
        for share in SHARES:
            steps[f"{share:.0%} is read back"] = partial(self._reaches, share=share)
            if share == 0.5:
                steps["twice is once"] = self._twice_is_once
                steps["late calls change nothing"] = self._late_calls_change_nothing
                steps["a restart tells the same"] = self._restart_tells_the_same
                steps["silence is no zero"] = self._silence_is_no_zero
        steps["copies are told truly"] = self._copies_are_told_truly
        steps |= self._control.of(target)
        steps["back where it was"] = self._looking_changes_nothing
        return steps

    def _moved(self, target: Target) -> Iterator[Promise]:
        try:
            start = target.observe()
        except Exception as error:
            told = f"where it is now cannot be read, so nothing is moved: {words(error)}"
            yield from (Promise(name, "untried", told) for name in self._moving(target))
            return
        promises = list[Promise]()
        back: Promise | None = None
        try:
            for name, promise in self._moving(target).items():
                if name != "back where it was":
                    promises.append(self._tried(name, target, promise))
        finally:
            back = self._tried("back where it was", target, lambda one: self._goes_back(one, start))
        yield from (*promises, back)

    def _reaches(self, target: Target, share: float) -> str:
        return percent(self._moves.reach(target, share).share)

    def _twice_is_once(self, target: Target) -> str:
        before = looked(target)
        self._moves.tell(target, 0.5)
        after = looked(target)
        require(is_same(before, after), f"told again, {served_words(before)} became {served_words(after)}")
        return f"{percent(after.share)} as before"

    def _late_calls_change_nothing(self, target: Target) -> str:
        before = looked(target)
        with contextlib.suppress(TemporaryError):  # it may say so
            self._moves.tell(target, 1.0, late=5)
        time.sleep(LATE_SECONDS)
        after = looked(target)
        require(
            is_same(before, after),
            f"an older call turned {served_words(before)} into {served_words(after)}",
        )
        return "an older call came and changed nothing"

    def _restart_tells_the_same(self, target: Target) -> str:
        here, anew = looked(target), looked(self._make(self._options))
        require(is_same(here, anew), f"a new instance tells {percent(anew.share)}, not {percent(here.share)}")
        return f"a new instance tells {percent(anew.share)}"

    def _copies_are_told_truly(self, target: Target) -> str:
        self._moves.fence += 10
        try:
            self._moves.tell(target, 0.0, mirrored=0.5)
        except RollwayError as error:
            told = looked(target).mirrored
            require(told == 0, f"it refuses copies and tells that {percent(told)} are sent")
            return f"it sends none, and says so: {error.message}"
        served, end = looked(target), time.monotonic() + min(self._moves.within, COPIES_SECONDS)
        while abs(served.mirrored - 0.5) >= SAME_COPIES and time.monotonic() < end:
            time.sleep(0.05)
            served = looked(target)
        self._reaches(target, 0.0)
        left = looked(target).mirrored
        require(left < SAME_COPIES, f"told to send none any more, it still tells {percent(left)}")
        if served.mirrored == 0:
            return "it sends none, and tells none"
        require(abs(served.mirrored - 0.5) < SAME_COPIES, f"told a half, it tells {percent(served.mirrored)}")
        return "told a half, it tells a half"

    def _goes_back(self, target: Target, start: Served) -> str:
        began = time.perf_counter()
        try:
            control = start.control if samples_control(target) else 0.0
            told = self._moves.reach(target, start.share, start.mirrored, control)
        except Exception as error:
            raise BrokenError(f"SET IT BACK BY HAND to {served_words(start)}: {words(error)}") from error
        return f"{served_words(told)} again, after {time.perf_counter() - began:.2g} s"


def broken(promises: Sequence[Promise]) -> tuple[Promise, ...]:
    """Those that were not kept."""
    return tuple(promise for promise in promises if promise.state == "broken")
