"""Reading the options of a target: what is missing, misspelt or of the wrong kind is told by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollway.errors import InputError
from rollway.flags.rules import shown, suggestion


class Options:
    """The options of one target, as a release file gives them.

    Every problem is an InputError that names the option as `target.<name>`.
    """

    def __init__(
        self, given: Mapping[str, Any], kind: str, known: Mapping[str, str], *, at: str = "target"
    ) -> None:
        """`known`: the options that exist, each with an example for the hint. `at`: where they stand, for
        options of options."""
        self._given, self._known, self._at = given, known, at
        for name in given:
            if name not in known:
                hint = suggestion(str(name), tuple(known)) or f"it has {', '.join(known)}"
                who = f"the {kind} target" if at == "target" else kind
                raise InputError(f"{at}.{name}: {who} has no such option", hint=hint)

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def raw(self, name: str) -> Any:
        """The value as it was given; None where the option is left out."""
        return self._given.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty; `default` where the option is left out."""
        value = self._given.get(name, default)
        if value is None:
            raise self.error(name, "is missing")
        if not isinstance(value, str):
            # YAML reads on, no and 7 as something else than what was meant.
            raise self.error(name, f"{shown(value)} is no text", "write it as text, ")
        if not value.strip():
            raise self.error(name, f"{shown(value)} says nothing")
        return value

    def texts(self, name: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """One or more different texts; a single text counts as a list of one."""
        value = self._given.get(name, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list | tuple) or not values:
            raise self.error(name, "is missing" if value is None else f"{shown(value)} is no list")
        for one in values:
            if not isinstance(one, str) or not one.strip():
                raise self.error(name, f"{shown(one)} is no text")
        if len(set(values)) < len(values):
            raise self.error(name, "names the same twice")
        return tuple(values)

    def number(self, name: str, default: float, *, above: float = 0.0, at_most: float = 86_400.0) -> float:
        """A number in (above, at_most]."""
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not above < value <= at_most:
            raise self.error(name, f"{shown(value)} is no number above {above:g} and at most {at_most:g}")
        return float(value)

    def error(self, name: str, problem: str, advice: str = "") -> InputError:
        """An InputError at an option, with its example as the hint."""
        hint = f"{advice}such as {name}: {self._known[name]}"
        return InputError(f"{self._at}.{name}: {problem}", hint=hint)
