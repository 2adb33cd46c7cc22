"""Every target that ships with Rollway keeps the promises of the protocol, on the real thing; and whoever
breaks a promise is found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollway.app.connectors import make_target
from rollway.errors import InputError
from rollway.rollout import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.testing import FlagsInMemory, target_promises
from support.envoy import envoy
from support.file_target import Good, promises_of
from support.haproxy import haproxy
from support.nginx import nginx
from support.shares import ShareService
from support.versions import versions, wait_until

SET = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
GET = "import pathlib, sys; print(pathlib.Path(sys.argv[1]).read_text())"

Options_ = dict[str, Any]


def _flag(folder: Path, stack: ExitStack) -> Options_:
    return {"type": "flag", "flag": "new-checkout", "candidate": "on", "baseline": "off"}


def _command(folder: Path, stack: ExitStack) -> Options_:
    path = folder / "share"
    path.write_text("0")
    python = [sys.executable, "-S", "-c"]
    return {
        "type": "command",
        "apply": [*python, SET, str(path), "{share}"],
        "observe": [*python, GET, str(path)],
        "retries": 0,
    }


def _webhook(folder: Path, stack: ExitStack) -> Options_:
    service = ShareService()
    stack.callback(service.stop)
    return {"type": "webhook", "url": service.url, "observe": service.url, "retries": 0}


def _haproxy(folder: Path, stack: ExitStack) -> Options_:
    old, new = stack.enter_context(versions("old", "new"))
    running = stack.enter_context(haproxy(folder, [("old", old, 256), ("new", new, 0)]))
    options = {"socket": str(running.socket), "backend": "web", "state_file": str(folder / "state")}
    return {"type": "haproxy", **options, "candidate": "new", "baseline": "old"}


def _envoy(folder: Path, stack: ExitStack) -> Options_:
    old, new = stack.enter_context(versions("old", "new"))
    running = stack.enter_context(envoy(folder, old, new))
    options = {"admin": running.admin, "file": str(running.file), "key": "rollway.web"}
    return {"type": "envoy", **options, "candidate": "new", "baseline": "old"}


def _nginx(folder: Path, stack: ExitStack) -> Options_:
    old, new = stack.enter_context(versions("old", "new"))
    running = stack.enter_context(nginx(folder, old, new))
    return {
        "type": "nginx",
        "file": str(running.file),
        "variable": "web",
        "key": "$http_user",
        "candidate": "web_new",
        "baseline": "web_old",
        "probe": f"http://127.0.0.1:{running.port}/rollway",
        "test": [*running.command, "-t"],
        "reload": [*running.command, "-s", "reload"],
    }


def _environment(folder: Path, stack: ExitStack) -> Options_:
    (new,) = stack.enter_context(versions("green"))
    smoke = [{"get": f"http://127.0.0.1:{new.port}/", "contains": "green"}]
    return {"type": "environment", "switch": _haproxy(folder, stack), "smoke": smoke}


def _services(folder: Path, stack: ExitStack) -> Options_:
    targets = [_flag(folder, stack), _haproxy(folder, stack), _command(folder, stack)]
    return {"type": "services", "services": [{"name": one["type"], "target": one} for one in targets]}


OURS = {
    make.__name__.removeprefix("_"): make
    for make in (_flag, _command, _webhook, _haproxy, _envoy, _nginx, _environment, _services)
}


@pytest.mark.parametrize("name", OURS)
def test_a_target_of_rollway_keeps_its_promises(name: str, tmp_path: Path) -> None:
    """Options, identity, read-back, fences, restarts and silence, on the real server."""
    with ExitStack() as stack:
        options = OURS[name](tmp_path, stack)
        kind = options.pop("type")
        if "socket" in str(options):  # wait until the balancer has seen its servers alive
            target = _make(kind)(options, _around())
            wait_until(lambda: target.observe().candidate_ready is not False)
        promises = target_promises(_make(kind), options, around=_around())
    assert [promise for promise in promises if promise.state == "broken"] == []
    untried = {promise.name for promise in promises if promise.state == "untried"}
    assert untried == ({"silence is no zero"} if name == "flag" else set())


def _make(kind: str) -> Callable[[Mapping[str, Any], Surroundings], Any]:
    return lambda options, around: make_target(kind, options, around)


def _around() -> Surroundings:
    return Surroundings(rollout="promises", flags=FlagsInMemory(), make=make_target)


# --- targets that break one promise each ----------------------------------------------------------


class TakesAnything(Good):
    def __init__(self, options: Mapping[str, Any], around: Surroundings) -> None:
        super().__init__({"file": options.get("file")}, around)


class Crashes(Good):
    def __init__(self, options: Mapping[str, Any], around: Surroundings) -> None:
        Options(dict.fromkeys(options, 0), "bad", {"file": "x"})
        super().__init__({"file": options["file"]}, around)


class NamesNothing(Good):
    def __init__(self, options: Mapping[str, Any], around: Surroundings) -> None:
        try:
            super().__init__(options, around)
        except InputError as error:
            unknown = [name for name in options if name != "file"]
            raise InputError(f"wrong: {unknown or 'look again'}") from error


class Restless(Good):
    @property
    def identity(self) -> str:
        return f"restless:{id(self)}"


class Endless(Good):
    @property
    def identity(self) -> str:
        return "endless:" * 100


class MovesWhenLookedAt(Good):
    def observe(self) -> Served:
        served = super().observe()
        self.set(min(1.0, served.share + 0.001))
        return served


class TellsNonsense(Good):
    def observe(self) -> Served:
        return replace(super().observe(), share=7)


class FallsWhenItShouldRise(Good):
    def nearest(self, share: float) -> float:
        return share if share in (0, 1) else 1 - share


class NeverSettles(Good):
    def nearest(self, share: float) -> float:
        return share if share in (0, 1) else min(1.0, share + 0.01)


class TriesItOut(Good):
    def preflight(self) -> tuple[Check, ...]:
        self.set(1.0)
        return tried(self)


class StopsAtHalf(Good):
    def set(self, share: float) -> None:
        super().set(min(share, 0.5))


class NeverExact(Good):
    def set(self, share: float) -> None:
        super().set(share * 0.99)


class Adds(Good):
    """Takes a repeated call for a further step."""

    def set(self, share: float) -> None:
        again = abs(self.observe().share - share) < 1e-9
        super().set(min(1.0, share + 0.1) if again and 0 < share < 1 else share)


class Forgets(Good):
    """Has no fence: whoever comes last is right."""

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        self.set(share)


class Believes(Good):
    """Tells what it was told, and not what is."""

    def __init__(self, options: Mapping[str, Any], around: Surroundings) -> None:
        super().__init__(options, around)
        self.told = 0.0

    def set(self, share: float) -> None:
        self.told = share

    def observe(self) -> Served:
        return Served(self.told)


class SilentZero(Good):
    def observe(self) -> Served:
        return super().observe() if self.file.exists() else Served(0.0)


class SilentCrash(Good):
    def observe(self) -> Served:
        return Served(float(self.file.read_text()))


class LiesAboutCopies(Good):
    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        super().apply(share, fence=fence)
        type(self).copies = max(self.copies, mirrored)

    def observe(self) -> Served:
        return replace(super().observe(), mirrored=self.copies)


class CannotGoBack(Good):
    def set(self, share: float) -> None:
        if share != 0.25:
            super().set(share)


@pytest.mark.parametrize(
    ("target", "promise", "told"),
    [
        (TakesAnything, "options are named", "is taken without a word"),
        (Crashes, "options are named", "raises KeyError"),
        (NamesNothing, "options are named", "option file is not named in: wrong"),
        (Restless, "identity is stable", "it changes"),
        (Endless, "identity is stable", "longer than 400"),
        (MovesWhenLookedAt, "looking changes nothing", "after a look"),
        (TellsNonsense, "looking changes nothing", "tells 7 as share"),
        (FallsWhenItShouldRise, "nearest is sound", "a larger share is served to fewer"),
        (NeverSettles, "nearest is sound", "and that becomes"),
        (TriesItOut, "preflight changes nothing", "25% before and 100% after"),
        (NeverExact, "1% is read back", "told 0.01, it tells 0.99%"),
        (StopsAtHalf, "100% is read back", "told 1, it tells 50%"),
        (Adds, "twice is once", "told again, 50% became"),
        (Forgets, "late calls change nothing", "an older call turned 50% into 100%"),
        (Believes, "a restart tells the same", "a new instance tells 0%, not 50%"),
        (SilentZero, "silence is no zero", "where file does not answer it tells 0%, though"),
        (SilentCrash, "silence is no zero", "raises FileNotFoundError"),
        (LiesAboutCopies, "copies are told truly", "told to send none any more, it still tells 50%"),
        (CannotGoBack, "back where it was", "SET IT BACK BY HAND to 25%"),
    ],
)
def test_a_target_that_breaks_a_promise_is_found(
    target: type[Good], promise: str, told: str, tmp_path: Path
) -> None:
    """Each check can fail, and says how."""
    found = {one.name: one for one in promises_of(target, tmp_path)}[promise]
    assert (found.state, told in found.told) == ("broken", True), found


def test_a_good_target_keeps_all_and_is_back_where_it_was(tmp_path: Path) -> None:
    """Nothing is broken, nothing untried, and the share is that of before."""
    promises = promises_of(Good, tmp_path)
    assert {promise.state for promise in promises} == {"kept"}
    assert (tmp_path / "share").read_text() == "0.25"


def test_without_leave_nothing_is_told(tmp_path: Path) -> None:
    """Only what moves no traffic is tried; the rest says why it was not."""
    (tmp_path / "share").write_text("0.25")
    before = (tmp_path / "share").stat().st_mtime_ns

    class Watched(Good):
        def set(self, share: float) -> None:
            assert share == 0.25, "only the preflight tells it, and only what it serves"

    promises = target_promises(Watched, {"file": str(tmp_path / "share")}, move_traffic=False)
    assert {promise.told for promise in promises if promise.state == "untried"} == {"it moves traffic"}
    assert [promise for promise in promises if promise.state == "broken"] == []
    assert (tmp_path / "share").stat().st_mtime_ns == before


def test_a_target_that_cannot_be_read_is_not_moved(tmp_path: Path) -> None:
    """Where it could not be put back, nothing is tried that moves it."""
    promises = target_promises(Good, {"file": str(tmp_path / "none")}, within=0.5)
    assert not (tmp_path / "none").exists()
    assert "nothing is moved" in promises[-1].told


def test_a_check_that_is_ended_puts_the_share_back(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C in the middle does not leave everyone on the new version."""
    path = tmp_path / "share"
    path.write_text("0.25")

    class Ended(Good):
        def set(self, share: float) -> None:
            super().set(share)
            if share == 1.0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        target_promises(Ended, {"file": str(path)})
    assert path.read_text() == "0.25"
