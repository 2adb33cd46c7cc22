"""Targeting rules (JsonLogic with flagd's operators), compiled once into plain functions.

What cannot be computed as written is refused here, when the flags are loaded, with the place and a hint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.flags.operators import OPERATORS, YES_OR_NO
from rollway.flags.rules import Part, Place, Rule, literal, shown, suggestion
from rollway.flags.values import variant_name


@dataclass(frozen=True, slots=True)
class Targeting:
    """A compiled rule. It is called with the context and, where it `uses_clock`, with `$flagd` in it."""

    rule: Rule
    uses_clock: bool
    uses_targeting_key: bool


def compile_targeting(
    logic: Any, place: Place, *, variants: Mapping[str, Any], evaluators: Mapping[str, Any]
) -> Targeting:
    """Compile a flag's rule.

    Raises FlagError for an operator that is not known or has the wrong arguments, for a `$ref` that leads
    nowhere, and for a result that can only be the name of no variant.
    """
    compiler = Compiler(place.flag, evaluators)
    part = compiler.compile(logic, place)
    _ResultCheck(variants, evaluators).check(logic, place)
    return Targeting(part.run, compiler.uses_clock, compiler.uses_targeting_key)


class Compiler:
    """Turns JSON logic into functions, and remembers what the rule needs besides the context."""

    def __init__(self, flag: str, evaluators: Mapping[str, Any]) -> None:
        self.flag = flag
        self.uses_clock = False
        self.uses_targeting_key = False
        self._evaluators = evaluators

    def compile(self, logic: Any, place: Place) -> Part:
        """The part for any JSON value: an operation, a list of parts, or a literal."""
        if isinstance(logic, list):
            return self._list(logic, place)
        if not isinstance(logic, dict):
            return literal(logic)
        name, argument = operation(logic, place)
        if name == "$ref":
            rule, there = follow(argument, self._evaluators, place)
            return self.compile(rule, there)
        found = OPERATORS.get(name)
        if found is None:
            raise place.error(f'unknown operator "{name}"', hint=suggestion(name, OPERATORS))
        arguments = argument if isinstance(argument, list) else [argument]
        found.check_count(name, len(arguments), place)
        return found.build(self, arguments, place.into(name))

    def compile_all(self, arguments: Sequence[Any], place: Place) -> list[Part]:
        return [self.compile(one, place.into(index)) for index, one in enumerate(arguments)]

    def _list(self, items: list[Any], place: Place) -> Part:
        parts = self.compile_all(items, place)
        if all(part.is_literal for part in parts):
            return literal([part.value for part in parts])
        rules = [part.run for part in parts]
        return Part(lambda data: [rule(data) for rule in rules])


def operation(logic: dict[str, Any], place: Place) -> tuple[str, Any]:
    """The one operator of an object, with its argument. Raises FlagError for any other object."""
    if len(logic) != 1:
        names = ", ".join(f'"{name}"' for name in logic) or "none"
        raise place.error(f"an operation is an object with one operator; this one has {names}")
    return next(iter(logic.items()))


def follow(name: Any, evaluators: Mapping[str, Any], place: Place) -> tuple[Any, Place]:
    """The rule that a `$ref` stands for, and its place. Raises FlagError where there is none."""
    if place.in_evaluator:
        raise place.error(
            '"$ref" inside a rule of $evaluators is not supported', hint="flagd does not follow it either"
        )
    if not isinstance(name, str) or name not in evaluators:
        raise place.error(
            f'"$ref" names {shown(name)}, which is not in $evaluators', hint=suggestion(name, evaluators)
        )
    top = Place(place.flag, depth=place.depth, in_item=place.in_item, in_evaluator=True)
    return evaluators[name], top.into("$evaluators").into(name)


class _ResultCheck:
    """Walks to where a rule's results stand, and refuses those that can name no variant."""

    def __init__(self, variants: Mapping[str, Any], evaluators: Mapping[str, Any]) -> None:
        self._variants = variants
        self._evaluators = evaluators

    def check(self, logic: Any, place: Place) -> None:
        if logic is None:
            return
        if isinstance(logic, list):
            raise place.error("a list is no variant", hint=self._names())
        if not isinstance(logic, dict):
            self._require(variant_name(logic), place)
            return
        name, argument = operation(logic, place)
        arguments = argument if isinstance(argument, list) else [argument]
        if name == "$ref":
            self.check(*follow(argument, self._evaluators, place))
        elif name in YES_OR_NO:
            for answer in ("true", "false"):
                self._require(answer, place, f'"{name}" gives true or false')
        elif name in {"if", "?:"}:
            for index in range(len(arguments)):
                if index % 2 == 1 or index == len(arguments) - 1:
                    self.check(arguments[index], place.into(name).into(index))
        elif name == "fractional":
            for index, share in enumerate(arguments):
                if isinstance(share, list):
                    self.check(share[0], place.into(name).into(index).into(0))

    def _require(self, variant: str | None, place: Place, because: str = "") -> None:
        if variant not in self._variants:
            said = f"{because}, and " if because else ""
            raise place.error(f'{said}"{variant}" is no variant of this flag', hint=self._names(variant))

    def _names(self, meant: str | None = None) -> str:
        return suggestion(meant, self._variants) or f"the variants are {', '.join(self._variants)}"
