"""The relations of versions are flagd's, which are not npm's."""

from __future__ import annotations

from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core.targeting import custom_ops

from rollway.flags.sem_ver import RELATIONS, parse_version, sem_ver

VERSIONS = [
    "0.0.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "2.0.0",
    "10.0.0",
]


def test_versions_are_ordered_as_the_standard_orders_them() -> None:
    """A pre-release comes before its release, numbers in it before words, and 10 after 2."""
    for index, low in enumerate(VERSIONS):
        for high in VERSIONS[index + 1 :]:
            assert sem_ver(low, "<", high), (low, high)
            assert sem_ver(high, ">", low), (low, high)


@pytest.mark.parametrize("relation", [*RELATIONS, "==", "", ">>"])
def test_every_pair_is_related_as_in_the_published_evaluator(relation: str) -> None:
    """For all pairs and relations the answer is flagd-core's, a relation that does not exist among them."""
    tricky = [
        "v1.2.3",
        "V1.2.3",
        "1",
        "1.2",
        "1.2.3+build.7",
        "1.2.3-a+b",
        "01.2.3",
        "1.2.3.4",
        "x",
        "",
        "1.2.3-01",
    ]
    for a in [*VERSIONS, *tricky]:
        for b in [*VERSIONS, *tricky]:
            assert sem_ver(a, relation, b) == custom_ops.sem_ver({}, a, relation, b), (a, relation, b)


@pytest.mark.parametrize("value", [1, 1.2, "1.2", "v1.2"])
def test_short_versions_are_filled_up(value: Any) -> None:
    """A number or a short text stands for the version with zeros in the missing places."""
    minor = 0 if value == 1 else 2
    assert parse_version(value) == (1, minor, 0, True, ())


@pytest.mark.parametrize("value", [None, True, [], {}, "1.x", " 1.0.0", "1-beta", "9" * 300, "١.0.0"])
def test_what_is_no_version_leaves_the_question_open(value: Any) -> None:
    """The operator then gives null, so that the flag's default applies."""
    assert sem_ver(value, "=", "1.0.0") is None
    assert sem_ver("1.0.0", "=", value) is None
