"""The operators that rules may use, each with the number of its arguments and what compiles it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollway.flags import fractional, sem_ver, values
from rollway.flags.rules import Part, Place, Rule, literal, shown
from rollway.flags.values import truthy

if TYPE_CHECKING:
    from rollway.flags.targeting import Compiler

Build = Callable[["Compiler", list[Any], Place], Part]


@dataclass(frozen=True, slots=True)
class Operator:
    """How many arguments an operator takes (`most` None: any number), and what builds its part."""

    build: Build
    fewest: int
    most: int | None

    def check_count(self, name: str, count: int, place: Place) -> None:
        if count >= self.fewest and (self.most is None or count <= self.most):
            return
        if self.most is None:
            wanted = f"at least {self.fewest} argument"
        elif self.fewest == self.most:
            wanted = f"{self.fewest} argument" + ("s" if self.fewest > 1 else "")
        else:
            wanted = f"{self.fewest} to {self.most} arguments"
        raise place.error(f'"{name}" takes {wanted}, not {count}')


# --- operators that see nothing but the values of their arguments ---------------------------------


def eager(function: Callable[..., Any]) -> Build:
    """Builds parts that evaluate all arguments, then call the function with them."""

    def build(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
        return _calling(function, compiler.compile_all(arguments, place))

    return build


def _calling(function: Callable[..., Any], parts: Sequence[Part]) -> Part:
    rules = [part.run for part in parts]
    if len(rules) == 1:
        (only,) = rules
        return Part(lambda data: function(only(data)))
    if len(rules) == 2:
        first, second = rules
        if parts[1].is_literal:
            constant = parts[1].value
            return Part(lambda data: function(first(data), constant))
        return Part(lambda data: function(first(data), second(data)))
    return Part(lambda data: function(*[rule(data) for rule in rules]))


def _in(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    needle, haystack = compiler.compile_all(arguments, place)
    names = haystack.value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return _calling(values.contains, (needle, haystack))
    # A set, so that a list of ten thousand customers costs no more than one of two.
    known, find = frozenset(names), needle.run

    def found(data: Any) -> bool:
        wanted = find(data)
        return isinstance(wanted, str) and wanted in known

    return Part(found)


def _sem_ver(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    first, relation, second = parts = compiler.compile_all(arguments, place)
    if relation.is_literal and relation.value not in sem_ver.RELATIONS:
        known = " ".join(sem_ver.RELATIONS)
        raise place.into(1).error(
            f"{shown(relation.value)} is no relation of versions", hint=f"use one of {known}"
        )
    for index, part in ((0, first), (2, second)):
        if part.is_literal and sem_ver.parse_version(part.value) is None:
            raise place.into(index).error(
                f"{shown(part.value)} is no version", hint='write it in full, such as "2.1.0"'
            )
    return _calling(sem_ver.sem_ver, parts)


# --- operators that choose what is evaluated ------------------------------------------------------


def _if(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    rules = [part.run for part in compiler.compile_all(arguments, place)]
    otherwise = rules.pop() if len(rules) % 2 else literal(None).run
    branches = list(zip(rules[::2], rules[1::2], strict=True))
    if len(branches) == 1:
        ((test, then),) = branches
        return Part(lambda data: then(data) if truthy(test(data)) else otherwise(data))

    def choose(data: Any) -> Any:
        for test, then in branches:
            if truthy(test(data)):
                return then(data)
        return otherwise(data)

    return Part(choose)


def _first(is_found: Callable[[Any], bool]) -> Build:
    """Builds `and`, `or`: the first value that is found, else the last."""

    def build(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
        rules = [part.run for part in compiler.compile_all(arguments, place)]

        def first(data: Any) -> Any:
            value = None
            for rule in rules:
                value = rule(data)
                if is_found(value):
                    break
            return value

        return Part(first)

    return build


# --- operators that look into the data ------------------------------------------------------------


def _var(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    parts = compiler.compile_all(arguments, place)
    name = parts[0] if parts else literal("")
    default = parts[1].run if len(parts) > 1 else literal(None).run
    _note_needs(compiler, name, place)
    if not name.is_literal:
        find = name.run
        return Part(lambda data: _or_default(_look(data, _path(find(data))), default, data))
    path = _path(name.value)
    if path == ["$flagd", "flagKey"] and not place.in_item:
        return literal(compiler.flag)
    if len(path) == 1 and not place.in_item:
        return Part(_attribute(path[0], default if len(parts) > 1 else None))
    return Part(lambda data: _or_default(_look(data, path), default, data))


def _attribute(name: str, default: Rule | None) -> Rule:
    if default is None:
        return lambda data: data.get(name)
    return lambda data: _or_default(data.get(name), default, data)


def _or_default(value: Any, default: Rule, data: Any) -> Any:
    return default(data) if value is None else value


def _note_needs(compiler: Compiler, names: Part, place: Place) -> None:
    """Remember what the named attributes need; of names that are computed, anything may be needed."""
    if not names.is_literal:
        compiler.uses_clock = compiler.uses_targeting_key = True
        return
    for name in names.value if isinstance(names.value, list) else [names.value]:
        path = _path(name)
        if isinstance(name, str) and name.startswith("../"):
            raise place.error(f"{shown(name)}: paths that climb out of an item are not supported")
        if not place.in_item:
            compiler.uses_targeting_key |= not path or path[0] == "targetingKey"
            compiler.uses_clock |= not path or (path[0] == "$flagd" and path[1:] != ["flagKey"])


def _path(name: Any) -> list[str]:
    """The steps of a dotted name; none, for the data itself, where the name is null or empty."""
    return [] if name is None or name == "" else values.to_text(name).split(".")


def _look(data: Any, path: Sequence[str]) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list | str):
            if step == "length":
                data = len(data)
            else:
                index = int(step) if step.isdecimal() and step.isascii() and len(step) < 10 else len(data)
                data = data[index] if index < len(data) and str(index) == step else None
        else:
            return None
    return data


def _missing(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    parts = compiler.compile_all(arguments, place)
    rules = [part.run for part in parts]
    for part in parts:
        _note_needs(compiler, part, place)

    def missing(data: Any) -> list[Any]:
        names = [rule(data) for rule in rules]
        return _absent(data, names[0] if names and isinstance(names[0], list) else names)

    return Part(missing)


def _missing_some(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    fewest, names_of = compiler.compile_all(arguments, place)
    _note_needs(compiler, names_of, place)

    def missing(data: Any) -> list[Any]:
        names = names_of.run(data)
        if not isinstance(names, list):
            return []
        absent = _absent(data, names)
        return [] if len(names) - len(absent) >= values.to_number(fewest.run(data)) else absent

    return Part(missing)


def _absent(data: Any, names: Sequence[Any]) -> list[Any]:
    return [name for name in names if _look(data, _path(name)) in (None, "")]


# --- operators that go through a list -------------------------------------------------------------


def _each(combine: Callable[[Any, Rule], Any]) -> Build:
    """Builds operators that take a list, and logic whose data is one item of it."""

    def build(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
        items = compiler.compile(arguments[0], place.into(0)).run
        logic = compiler.compile(arguments[1], place.into(1).item()).run
        return Part(lambda data: combine(items(data), logic))

    return build


def _map(items: Any, logic: Rule) -> list[Any]:
    return [logic(item) for item in items] if isinstance(items, list) else []


def _filter(items: Any, logic: Rule) -> list[Any]:
    return [item for item in items if truthy(logic(item))] if isinstance(items, list) else []


def _all(items: Any, logic: Rule) -> bool:
    # Of an empty list nothing holds for all; JsonLogic wants it so.
    return isinstance(items, list) and bool(items) and all(truthy(logic(item)) for item in items)


def _some(items: Any, logic: Rule) -> bool:
    return isinstance(items, list) and any(truthy(logic(item)) for item in items)


def _none(items: Any, logic: Rule) -> bool:
    return not _some(items, logic)


def _reduce(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    items_of = compiler.compile(arguments[0], place.into(0)).run
    logic = compiler.compile(arguments[1], place.into(1).item()).run
    start = compiler.compile(arguments[2], place.into(2)).run if len(arguments) > 2 else literal(None).run

    def reduce(data: Any) -> Any:
        items, result = items_of(data), start(data)
        for item in items if isinstance(items, list) else ():
            result = logic({"current": item, "accumulator": result})
        return result

    return Part(reduce)


# --- flagd's fractional ---------------------------------------------------------------------------


def _fractional(compiler: Compiler, arguments: list[Any], place: Place) -> Part:
    if place.in_item:
        raise place.error('"fractional" cannot stand in the logic of map, filter and their kin')
    if isinstance(arguments[0], list):
        compiler.uses_targeting_key = True
        text, first = fractional.by_targeting_key(compiler.flag), 0
    else:
        text, first = compiler.compile(arguments[0], place.into(0)).run, 1
    shares = [_share(compiler, arguments[index], place.into(index)) for index in range(first, len(arguments))]
    if not shares:
        raise place.error(
            '"fractional" needs at least one share', hint='write a share as ["variant", weight]'
        )
    total = sum(max(0, int(weight.value)) for _, weight in shares if weight.is_literal)
    if total > fractional.MAX_TOTAL:
        raise place.error(
            f"the weights sum to {total}", hint=f"flagd's limit is {fractional.MAX_TOTAL}; scale them down"
        )
    return Part(fractional.fractional(text, shares))


def _share(compiler: Compiler, share: Any, place: Place) -> tuple[Part, Part]:
    if not isinstance(share, list) or not 1 <= len(share) <= 2:
        raise place.error('a share is a list of a variant and its weight, such as ["on", 10]')
    variant = compiler.compile(share[0], place.into(0))
    weight = compiler.compile(share[1], place.into(1)) if len(share) == 2 else literal(1)
    if weight.is_literal and not fractional.is_weight(weight.value):
        raise place.into(1).error(
            f"{shown(weight.value)} is no weight", hint="weights are whole numbers; for 0.5% write 5 of 1000"
        )
    return variant, weight


# --- the table ------------------------------------------------------------------------------------

_EQUAL, _SAME = values.loosely_equal, values.strictly_equal

OPERATORS: Mapping[str, Operator] = {
    "var": Operator(_var, 0, 2),
    "missing": Operator(_missing, 0, None),
    "missing_some": Operator(_missing_some, 2, 2),
    "if": Operator(_if, 0, None),
    "?:": Operator(_if, 0, None),
    "and": Operator(_first(lambda value: not truthy(value)), 1, None),
    "or": Operator(_first(truthy), 1, None),
    "!": Operator(eager(lambda value: not truthy(value)), 1, 1),
    "!!": Operator(eager(truthy), 1, 1),
    "==": Operator(eager(_EQUAL), 2, 2),
    "!=": Operator(eager(lambda a, b: not _EQUAL(a, b)), 2, 2),
    "===": Operator(eager(_SAME), 2, 2),
    "!==": Operator(eager(lambda a, b: not _SAME(a, b)), 2, 2),
    "<": Operator(eager(values.comparison(operator.lt)), 2, 3),
    "<=": Operator(eager(values.comparison(operator.le)), 2, 3),
    ">": Operator(eager(values.comparison(operator.gt)), 2, 3),
    ">=": Operator(eager(values.comparison(operator.ge)), 2, 3),
    "+": Operator(eager(values.total), 1, None),
    "-": Operator(eager(values.difference), 1, 2),
    "*": Operator(eager(values.product), 1, None),
    "/": Operator(eager(values.quotient), 2, 2),
    "%": Operator(eager(values.remainder), 2, 2),
    "min": Operator(eager(values.smallest), 1, None),
    "max": Operator(eager(values.largest), 1, None),
    "in": Operator(_in, 2, 2),
    "cat": Operator(eager(values.concatenate), 0, None),
    "substr": Operator(eager(values.substring), 2, 3),
    "merge": Operator(eager(values.merge), 0, None),
    "map": Operator(_each(_map), 2, 2),
    "filter": Operator(_each(_filter), 2, 2),
    "all": Operator(_each(_all), 2, 2),
    "some": Operator(_each(_some), 2, 2),
    "none": Operator(_each(_none), 2, 2),
    "reduce": Operator(_reduce, 2, 3),
    "starts_with": Operator(eager(values.starts_with), 2, 2),
    "ends_with": Operator(eager(values.ends_with), 2, 2),
    "sem_ver": Operator(_sem_ver, 3, 3),
    "fractional": Operator(_fractional, 1, None),
}

_COMPARISONS = frozenset({"==", "!=", "===", "!==", "<", "<=", ">", ">="})
YES_OR_NO = _COMPARISONS | {"!", "!!", "in", "all", "some", "none", "starts_with", "ends_with", "sem_ver"}
"""Operators that give true or false (some null) and nothing else."""
