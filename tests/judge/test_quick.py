"""Quick dataclasses are frozen dataclasses like any other."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from rollway.judge.quick import quick


@dataclass(frozen=True, slots=True)
class Plain:
    name: str
    size: float = 1.0
    parts: tuple[int, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    name: str
    size: float = 1.0
    parts: tuple[int, ...] = ()


def test_it_is_made_as_the_plain_one_is() -> None:
    """By place, by name, with its defaults; and what is missing or too much is refused."""
    assert Quick("a", parts=(1,)) == Quick("a", 1.0, (1,))
    assert Quick("a") == Quick(name="a", size=1.0, parts=())
    assert repr(Quick("a", 2.0)) == repr(Plain("a", 2.0)).replace("Plain", "Quick")
    assert inspect.signature(Quick) == inspect.signature(Plain)
    for arguments in ((), ("a", 1.0, (), 4)):
        with pytest.raises(TypeError):
            Quick(*arguments)  # type: ignore[arg-type]


def test_it_stays_frozen() -> None:
    """No field can be set, `replace` makes another one, and it can be a key."""
    made = Quick("a")
    with pytest.raises(FrozenInstanceError):
        made.size = 2.0  # type: ignore[misc]
    assert replace(made, size=2.0) == Quick("a", 2.0)
    assert made == Quick("a")
    assert {made: 1}[Quick("a")] == 1


def test_it_is_copied_and_packed_as_any_other() -> None:
    """Samples go to other processes, and come back as they were."""
    made = Quick("a", 2.0, (1, 2))
    assert copy.copy(made) == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(FrozenInstanceError):
        copy.copy(made).size = 3.0  # type: ignore[misc]


def test_what_it_cannot_be_written_for_is_refused() -> None:
    """A class without slots, with work after its making, or with a value made anew for each."""

    @dataclass(frozen=True)
    class Loose:
        name: str

    @dataclass(frozen=True, slots=True)
    class Checked:
        name: str

        def __post_init__(self) -> None:
            raise AssertionError

    @dataclass(frozen=True, slots=True)
    class Made:
        names: list[str] = field(default_factory=list)

    for kind in (Loose, Checked, Made):
        with pytest.raises(TypeError, match=kind.__name__):
            quick(kind)
