"""choose: by which method, and why."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import heading, json_option, print_json, write_file
from rollway.cli.releases import USUAL, read_loaded
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.choice import Choice
    from rollway.choice.describe import Section
    from rollway.choice.outcomes import Outcomes
    from rollway.choice.robustness import Robustness
    from rollway.facts import Release

NO_METHOD = 12


@click.command("choose")
@click.argument("release_files", nargs=-1, metavar="[RELEASE.YAML]...", type=click.Path(path_type=Path))
@click.option("--set", "changes", multiple=True, metavar="FACT=VALUE", help="Change one fact for this call.")
@click.option(
    "--what-if",
    "what_ifs",
    multiple=True,
    metavar="FACT=VALUE",
    help="Show what one other fact would do to the answer. May be repeated.",
)
@click.option("--why", metavar="METHOD", help="Everything about one method.")
@click.option(
    "--factors",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Choose for cases told in factors (YAML or JSON, - for standard input); prints JSON.",
)
@click.option("--chart", metavar="FILE.SVG", type=click.Path(path_type=Path), help="Write the chart as SVG.")
@json_option
def choose_command(
    release_files: tuple[Path, ...],
    changes: tuple[str, ...],
    what_ifs: tuple[str, ...],
    why: str | None,
    factors: Path | None,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Rank the six methods, with what forbids each, the reasons, how sure it is, and what to find out next.

    Exit code 12 where no method can be recommended: too little is known, or the release is not ready.
    With --factors it is 0 for every file that is understood; each case says how far it is answered.
    [default: release.yaml]

    \b
    rollway choose release.yaml --what-if architecture.feature_flags=false
    rollway choose release.yaml --why big_bang                             why not
    rollway choose --factors cases.yaml                                    many cases at once
    """
    from rollway.choice import choose

    if factors is not None:
        _refuse_beside_factors(release_files, changes, what_ifs, why, chart)
        _choose_cases(factors)
        return
    files = release_files or USUAL
    release = read_loaded(files, (*changes, *what_ifs)).release
    before = choose(read_loaded(files, changes).release) if what_ifs else None
    choice = choose(release)
    answer = _Answer(release, choice, before, what_ifs)
    if chart is not None:
        answer.write_chart(chart)
    if as_json:
        print_json(answer.as_json())
    elif why:
        _print(answer.of(why))
    else:
        answer.show()
        click.echo(f"next: {_next_step(choice, files, is_as_written=not (changes or what_ifs))}")
    if choice.chosen is None:
        raise click.exceptions.Exit(NO_METHOD)


def _next_step(choice: Choice, files: tuple[Path, ...], *, is_as_written: bool) -> str:
    """What to do with the answer: plan it, unless it is none or cannot be planned."""
    if choice.chosen is None:
        return "answer what is asked above"
    if choice.of(choice.chosen).state == "blocked":
        return "lift what refuses it, or take rollout.method out of the file; it cannot be planned as it is"
    if len(files) > 1:
        return "`rollway plan` with one file that extends these"
    planned = f"`rollway plan {files[0]}`"
    return planned if is_as_written else f"{planned}, once the file says so too"


class _Answer:
    """A choice with what is only worked out for people who ask for it: robustness and outcomes."""

    def __init__(
        self, release: Release, choice: Choice, before: Choice | None, what_ifs: tuple[str, ...]
    ) -> None:
        self.release, self.choice, self.before, self.what_ifs = release, choice, before, what_ifs

    @cached_property
    def robustness(self) -> Robustness:
        from rollway.choice.robustness import robustness

        return robustness(self.release)

    @cached_property
    def outcomes(self) -> Outcomes:
        from rollway.choice.outcomes import simulate

        return simulate(self.release)

    def show(self) -> None:
        from rollway.choice.describe import compared, sections

        if self.before is not None:
            _print(compared(self.before, self.choice, self.what_ifs))
        for section in sections(self.choice, self.robustness, self.outcomes):
            _print(section)

    def of(self, name: str) -> Section:
        from rollway.choice.describe import explain_method
        from rollway.facts.problems import did_you_mean

        method = name.replace("-", "_").lower()
        names = [one.method for one in self.choice.ranking]
        ranked = next((one for one in self.choice.ranking if one.method == method), None)
        if ranked is None:
            near = did_you_mean(method, names)
            raise InputError(f"--why {name}: no such method", hint=near or ", ".join(sorted(names)))
        return explain_method(ranked)

    def as_json(self) -> dict[str, Any]:
        body = {
            **asdict(self.choice),
            "robustness": asdict(self.robustness),
            "outcomes": asdict(self.outcomes),
        }
        if self.before is not None:
            body["what_if"] = {
                "changes": self.what_ifs,
                "recommended_before": self.before.recommended,
                "leaning_before": self.before.leaning,
            }
        answer: dict[str, Any] = _finite(body)
        return answer

    def write_chart(self, path: Path) -> None:
        from rollway.choice.picture import svg_file

        write_file(path, svg_file(self.outcomes, self.choice))


def _choose_cases(path: Path) -> None:
    from rollway.choice.cases import choose_cases
    from rollway.facts.problems import SourceText
    from rollway.facts.reading import read_source

    source = SourceText("standard input", sys.stdin.read()) if str(path) == "-" else read_source(path)
    print_json(choose_cases(source.text, source.name))


def _refuse_beside_factors(*others: object) -> None:
    if any(others):
        raise InputError(
            "--factors takes no other argument", hint="a case that is told in factors is a file of its own"
        )


def _print(section: Section) -> None:
    heading(section.title)
    for line in section.lines:
        click.echo(f"  {line}".rstrip())
    click.echo()


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
