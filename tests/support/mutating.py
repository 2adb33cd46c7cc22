"""A fault that is put into the code in memory, for as long as laws are asked whether they find it."""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mutation:
    """`function` of a module with `old` replaced by `new`; `rule` is the one of the six that it breaks.

    `laws` say which laws are to find it: those of the state machine, or those of what a rollout looks at.
    """

    name: str
    rule: int
    function: str
    old: str
    new: str
    laws: Literal["of the machine", "of looks"] = "of the machine"

    @property
    def place(self) -> tuple[str, str]:
        """The module and the function; a module is one of `rollout` where its room is not named."""
        *room, module, function = self.function.split(".")
        return f"rollway.{'.'.join(room) or 'rollout'}.{module}", function

    def source(self) -> str:
        """The mutated function. Raises LookupError where the source has it not exactly once."""
        module, function = self.place
        text = textwrap.dedent(inspect.getsource(getattr(importlib.import_module(module), function)))
        if text.count(self.old) != 1:
            raise LookupError(f"'{self.name}': {self.function} has {self.old!r} {text.count(self.old)} times")
        return text.replace(self.old, self.new)


@contextmanager
def applied(mutation: Mutation) -> Iterator[None]:
    """The machine with this fault, wherever the function was imported to."""
    module, name = mutation.place
    home = importlib.import_module(module)
    original = getattr(home, name)
    flags = annotations.compiler_flag
    code = compile(mutation.source(), f"<{mutation.name}>", "exec", flags=flags, dont_inherit=True)
    made: dict[str, FunctionType] = {}
    exec(code, home.__dict__ | {}, made)
    faulty = FunctionType(made[name].__code__, home.__dict__, name, made[name].__defaults__)
    faulty.__kwdefaults__ = made[name].__kwdefaults__
    users = [one for one in tuple(sys.modules.values()) if vars(one).get(name) is original]
    for user in users:
        setattr(user, name, faulty)
    try:
        yield
    finally:
        for user in users:
            setattr(user, name, original)
