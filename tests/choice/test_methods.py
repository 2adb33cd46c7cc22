"""The register of methods."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import get_args

from rollway.choice import METHODS, methods
from rollway.facts.model import MethodName


def test_every_method_of_the_release_file_has_a_file_of_the_same_shape() -> None:
    """Six names, six files that each export METHOD, and all of them registered."""
    files = {module.name for module in iter_modules(methods.__path__)}
    assert files == set(get_args(MethodName)) == {method.name for method in METHODS}
    for name in files:
        assert import_module(f"rollway.choice.methods.{name}").METHOD in METHODS


HARD_RULES = {
    "pilot": "V2 V10 V11 V18",
    "phased": "V2 V9 V10 V18",
    "canary": "V2 V3 V4 V10 V18",
    "blue_green": "V2 V5 V6",
    "parallel": "V7 V8",
    "big_bang": "V1 V19",
}


def test_every_method_has_its_hard_rules_and_a_summary() -> None:
    """Each method asks for what it cannot go without, and says in a sentence what it is."""
    assert {method.name: " ".join(veto.id for veto in method.vetoes) for method in METHODS} == HARD_RULES
    assert all(method.summary.endswith(".") for method in METHODS)
