"""assess: the review of a go-live, area by area."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import coloured, heading, json_option, print_json
from rollway.cli.releases import named, read_loaded, releases_argument

if TYPE_CHECKING:
    from rollway.readiness import Blocks, Check, Readiness, Tally

NOT_READY = 11
_BAR = 20
_MARKS = {"ok": "█", "gap": "▒", "unknown": "·"}
_AGAINST: tuple[tuple[Blocks, str], ...] = (
    ("method", "Against a method (settle these before you choose)"),
    ("date", "Against the date (right method, wrong week)"),
    ("nothing", "Worth doing, and stands against nothing"),
)


@click.command("assess")
@releases_argument
@click.option("--all", "show_all", is_flag=True, help="Also show the checks that are fine.")
@json_option
def assess_command(
    release_files: tuple[Path, ...], changes: tuple[str, ...], show_all: bool, as_json: bool
) -> None:
    """Review readiness over eleven areas: what is fine, what is missing, what nobody has said.

    The bar of an area shows its checks: fine, gaps and unknown. No figure sums them all up: an average
    would hide the one gap that matters.  [default: release.yaml]

    Exit code 11 where a gap stands against the date or against a method.
    """
    from rollway.readiness import assess

    readiness = assess(read_loaded(release_files, changes).release)
    if as_json:
        print_json(_as_json(readiness))
    else:
        for area in readiness.scores:
            _show_area(readiness, area, show_all=show_all)
        _show_gaps(readiness)
        _show_end(readiness, named(release_files))
    if readiness.is_blocked:
        raise click.exceptions.Exit(NOT_READY)


def _show_area(readiness: Readiness, area: str, *, show_all: bool) -> None:
    tally, score = readiness.tally(area), readiness.scores[area]
    told = "nothing known" if score is None else f"{score:.0%} of what is known is ok"
    counts = ", ".join(f"{number} {name}" for name, number in tally._asdict().items() if number)
    name = click.style(f"{area.replace('_', ' '):<22}", bold=True)
    click.echo(f"{name} {_bar(tally)}  {told:<26}  {counts}")
    for check in readiness.checks:
        if check.area == area and (check.state != "ok" or show_all):
            _show_check(check)


def _bar(tally: Tally) -> str:
    """The checks of an area in 20 characters; a state with any check gets at least one."""
    total = sum(tally)
    sizes = {
        state: max(round(_BAR * number / total), 1) if number else 0
        for state, number in tally._asdict().items()
    }
    sizes["ok"] += _BAR - sum(sizes.values()) if tally.ok else 0
    drawn = [
        coloured(state, mark * max(sizes[state], 0)) for state, mark in _MARKS.items() if sizes[state] > 0
    ]
    return "".join(drawn) + " " * (_BAR - sum(max(size, 0) for size in sizes.values()))


def _show_check(check: Check) -> None:
    click.echo(f"  {coloured(check.state, f'{check.state:<7}')} {check.question}")
    click.echo(f"          {check.evidence}")
    if check.state == "gap":
        click.echo(f"          to do, {check.owner}: {check.remedy}")
    elif check.state == "unknown":
        click.echo(f"          ask, {check.owner}: {_question(check)}")


def _question(check: Check) -> str:
    from rollway.readiness import ask_for

    return ask_for(check.fact)


def _show_gaps(readiness: Readiness) -> None:
    for blocks, title in _AGAINST:
        gaps = readiness.gaps_that_block(blocks)
        if gaps:
            click.echo()
            heading(f"{title}: {len(gaps)}")
            for gap in gaps:
                click.echo(f"  {gap.id:<32} {gap.owner}: {gap.remedy}")


def _show_end(readiness: Readiness, files: str) -> None:
    ok = sum(check.state == "ok" for check in readiness.checks)
    unknown = len(readiness.unknowns)
    gaps = "1 gap" if len(readiness.gaps) == 1 else f"{len(readiness.gaps)} gaps"
    click.echo(f"\n{ok} ok, {gaps}, {unknown} unknown.")
    if readiness.is_blocked:
        click.echo(coloured("gap", "Not ready."))
    elif unknown:
        click.echo(coloured("unknown", "No gap is known that blocks it, and not everything is known."))
    else:
        click.echo(coloured("ok", "Ready."))
    if readiness.next_question:
        click.echo(f"Find out next: {_question(readiness.next_question)}")
    click.echo(f"next: `rollway choose {files}`")


def _as_json(readiness: Readiness) -> dict[str, Any]:
    body = asdict(readiness)
    body["areas"] = [
        {"area": area, "score": score, **readiness.tally(area)._asdict()}
        for area, score in readiness.scores.items()
    ]
    body["blocked"] = {
        blocks: [gap.id for gap in readiness.gaps_that_block(blocks)] for blocks, _ in _AGAINST
    }
    for check, listed in zip(readiness.checks, body["checks"], strict=True):
        listed["next_question"] = _question(check) if check.state == "unknown" else ""
    return body
