"""Published and own situations: the answer that their sources and practitioners give."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rollway.choice import Choice, choose
from rollway.choice.cases import read_cases, release_of

HERE = Path(__file__).parent
PUBLISHED: list[dict[str, Any]] = YAML(typ="safe").load(HERE / "cases_published.yaml")["cases"]
OWN: dict[str, list[dict[str, Any]]] = YAML(typ="safe").load(HERE / "cases_own.yaml")
EVERY = [*PUBLISHED, *(case for part in OWN.values() for case in part)]


def _answer(factors: dict[str, Any]) -> Choice:
    return choose(release_of(factors))


def _wrong(cases: list[dict[str, Any]]) -> list[str]:
    """The ids of cases whose method is named by the source, and is not what is recommended."""
    return [
        case["id"]
        for case in cases
        if case["expected"] is not None
        and _answer(case["factors"]).recommended not in {case["expected"], *case.get("acceptable", [])}
    ]


def test_at_least_24_of_the_26_published_cases_are_right() -> None:
    """Right is the source's method, or one that it accepts as well."""
    assert len(PUBLISHED) == 26
    assert len(_wrong(PUBLISHED)) <= 2


@pytest.mark.parametrize("part", OWN)
def test_nine_of_ten_situations_from_practice_are_right(part: str) -> None:
    """The rules hold beyond the cases that were published."""
    assert len(OWN[part]) >= 20
    assert len(_wrong(OWN[part])) <= len(OWN[part]) // 10


def test_nothing_that_a_source_rejects_is_recommended_or_begun_with() -> None:
    """What must not be is neither the answer nor a part of its sequence."""
    for case in EVERY:
        answer = _answer(case["factors"])
        told = {answer.recommended, *answer.sequence}
        assert told.isdisjoint(case.get("must_not", [])), case["id"]


def test_the_industry_does_not_matter() -> None:
    """The same situation gets the same answer in a bank, in a hospital, and where no industry is named."""
    for case in PUBLISHED:
        stated = {name: value for name, value in case["factors"].items() if name != "domain"}
        assert _answer(stated) == _answer(case["factors"]) == _answer({**stated, "domain": "hospital"})


def test_the_order_in_which_factors_are_told_does_not_matter() -> None:
    """Shuffled three times, every case gets the same answer to the last word."""
    shuffler = random.Random(7)
    for case in PUBLISHED:
        pairs = list(case["factors"].items())
        for _ in range(3):
            shuffler.shuffle(pairs)
            assert _answer(dict(pairs)) == _answer(case["factors"]), case["id"]


def test_a_file_of_cases_gets_the_same_answers_as_its_factors() -> None:
    """Reading from text adds the places and changes nothing else."""
    path = HERE / "cases_published.yaml"
    read = read_cases(path.read_text(), path.name)
    assert [case.id for case in read] == [case["id"] for case in PUBLISHED]
    for case, plain in zip(read, PUBLISHED, strict=True):
        assert choose(case.release).recommended == _answer(plain["factors"]).recommended


def test_without_any_fact_nothing_is_recommended() -> None:
    """Nobody can know a method from nothing: the answer leans, says that it is not known, and asks."""
    answer = _answer({})
    assert (answer.recommended, answer.chosen, answer.sequence) == (None, None, ())
    assert answer.verdict == "unsettled"
    assert answer.reasons[0].startswith("Not known: ")
    assert answer.next_questions
