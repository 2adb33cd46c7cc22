"""Targets that switch other targets: building those, and telling them what they understand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from rollway.errors import InputError
from rollway.rollout.ports import Errand, ErrandShelf, Surroundings, Target


def inner_target(spec: object, at: str, around: Surroundings, *, named: str = "") -> Target:
    """The target of a specification `{type: ..., ...}` that stands at a place such as `target.switch`.

    `named` keeps what it asks of people apart from what its neighbours ask. Raises InputError that names the
    option by its whole path.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("type"), str):
        told = "is missing" if spec is None else "has no type"
        raise InputError(
            f"{at}: {told}", hint="such as {type: haproxy, socket: /run/haproxy/admin.sock, ...}"
        )
    options = {name: value for name, value in spec.items() if name != "type"}
    if named and around.errands is not None:
        around = replace(around, errands=_ErrandsOf(named, around.errands))
    try:
        return around.make(spec["type"], options, around)
    except InputError as error:
        within = error.message.removeprefix("target")
        joined = within if within != error.message else f": {error.message}"
        raise InputError(f"{at}{joined}", hint=error.hint, details=error.details) from error


def knows_groups(target: Target) -> bool:
    """Whether its `apply` is also given groups of users."""
    return bool(getattr(target, "serves_groups", False))


def tell(target: Target, share: float, *, mirrored: float, groups: tuple[str, ...], fence: int) -> None:
    """`apply`, with the groups where the target knows them. Raises what it raises."""
    more = {"groups": groups} if knows_groups(target) else {}
    cast(Any, target).apply(share, mirrored=mirrored, fence=fence, **more)


@dataclass(frozen=True, slots=True)
class _ErrandsOf:
    """The errands of one of several targets of a rollout: keys begin with its name."""

    name: str
    shelf: ErrandShelf

    def ask(self, errands: Iterable[Errand]) -> None:
        self.shelf.ask(tuple(replace(errand, key=self._long(errand.key)) for errand in errands))

    def withdraw(self, keys: Iterable[str]) -> None:
        self.shelf.withdraw(tuple(self._long(key) for key in keys))

    def read(self) -> Mapping[str, Errand]:
        start = self._long("")
        return {
            key.removeprefix(start): replace(errand, key=key.removeprefix(start))
            for key, errand in self.shelf.read().items()
            if key.startswith(start)
        }

    def _long(self, key: str) -> str:
        return f"{self.name}/{key}"
