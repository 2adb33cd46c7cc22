"""Exposes the new version through commands of the operators' own: Helm, Ansible, an update script."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.answer import HINT, served_from
from rollway.targets.fence import Fence
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.targets.programs import is_words, run_program

_OPTIONS = {
    "apply": "[./set-share, '{percent}']",
    "observe": "[./get-share]",
    "preflight": "[./can-we]",
    "folder": "/srv/deploy",
    "timeout": "60",
    "retries": "2",
    "name": "shop-tills",
}
_LONGEST_SECONDS = 3600.0
_KEPT = 2000
_BETWEEN_SECONDS = 0.5


class CommandTarget:
    """A share that the operators' own commands set and tell.

    Options:

    - `apply`: the command that sets a share. In its words `{share}` (0.1), `{percent}` (10), `{rollout}` and
      `{fence}` are filled in; the same stand in its environment as ROLLWAY_SHARE and so on. It must be
      idempotent: it is told the whole share, never a change, and it is run again until `observe` tells it;
    - `observe`: the command that tells what is served, as a number or as JSON (see the documentation);
    - `preflight`: a command that ends with 0 where all is prepared; without it only `observe` is tried;
    - `folder`: where they run; `timeout`: seconds for each; `retries`: how often `apply` is tried again;
    - `name`: what is switched, where two plans use different commands for the same thing.

    No shell is involved. What a command says is kept: in the record, and whole in the log. After a restart of
    whatever it switches, the share is what `observe` tells.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "command", _OPTIONS)
        self.apply_words, self.observe_words = _words(given, "apply"), _words(given, "observe")
        self.preflight_words = _words(given, "preflight") if "preflight" in given else ()
        self.name = given.text("name", " ".join(self.apply_words))
        self._folder = given.text("folder", ".")
        self._timeout = given.number("timeout", 60.0, at_most=_LONGEST_SECONDS)
        self._tries = 1 + int(given.number("retries", 2, above=-1, at_most=20))
        self._rollout = surroundings.rollout
        self._fence = Fence()
        self._last_words = ""

    @property
    def identity(self) -> str:
        return f"command:{self.name}"

    def nearest(self, share: float) -> float:
        """The share itself: how fine the command can be is not known."""
        return share

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Run the command, again where it fails. Raises TemporaryError with its last words where it does not
        end well within its tries."""
        if self._fence.is_late(fence):
            return
        filled = {
            "share": f"{share:.10g}",
            "percent": f"{share * 100:.10g}",
            "mirrored": f"{mirrored:.10g}",
            "rollout": self._rollout,
            "fence": str(fence),
        }
        for left in reversed(range(self._tries)):
            try:
                self._last_words = self._run(self.apply_words, filled).strip()[-_KEPT:]
                return
            except TemporaryError:
                if not left:
                    raise
                time.sleep(_BETWEEN_SECONDS)

    def observe(self) -> Served:
        """What the command tells. Raises TemporaryError where it fails, or tells no share."""
        served = served_from(self._run(self.observe_words, {}), f"`{' '.join(self.observe_words)}`")
        last = self._last_words.splitlines()
        return served if served.note or not last else replace(served, note=f"apply said: {last[-1]}")

    def preflight(self) -> tuple[Check, ...]:
        """`observe` tells a share, `preflight` ends well, and the present share can be set once more."""
        prepared = (self._prepared(),) if self.preflight_words else ()
        return tried(self, unchecked="the command does not tell", hint=HINT, more=prepared)

    def _prepared(self) -> Check:
        try:
            told = self._run(self.preflight_words, {}).strip().splitlines()
        except TemporaryError as error:
            return Check("prepared", "failed", error.message)
        return Check("prepared", "ok", told[-1] if told else "the command ended well")

    def _run(self, command: Sequence[str], filled: Mapping[str, str]) -> str:
        environment = {f"ROLLWAY_{key.upper()}": value for key, value in filled.items()}
        words = [_filled(word, filled) for word in command]
        return run_program(words, timeout=self._timeout, folder=self._folder, environment=environment)


def _words(given: Options, name: str) -> tuple[str, ...]:
    """A command as a list; the same word may stand in it twice."""
    value = given.raw(name)
    if not is_words(value):
        raise given.error(name, "is missing" if value is None else "is no list of words")
    return tuple(value or ())


def _filled(word: str, values: Mapping[str, str]) -> str:
    for key, value in values.items():
        word = word.replace(f"{{{key}}}", value)
    return word
