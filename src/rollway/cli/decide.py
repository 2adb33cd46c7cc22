"""assess and choose: is it ready, and by which method."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import coloured, heading, json_option, print_json, read_release, release_argument
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.choice import Choice

NOT_READY = 11
NO_METHOD = 12
BAR = 20


@click.command("assess")
@release_argument
@click.option("--all", "show_all", is_flag=True, help="Also show the checks that are fine.")
@json_option
def assess_command(release_file: Path, changes: tuple[str, ...], show_all: bool, as_json: bool) -> None:
    """Review readiness over eleven areas: what is fine, what is missing, what nobody has said.

    Exit code 11 where gaps remain.
    """
    from rollway.readiness import assess

    readiness = assess(read_release(release_file, changes))
    if as_json:
        print_json(asdict(readiness))
    else:
        for area, score in readiness.scores.items():
            checks = [check for check in readiness.checks if check.area == area]
            told = "nothing known" if score is None else f"{score:.0%} of what is known is fine"
            heading(f"{area.replace('_', ' ')}: {told}")
            for check in checks:
                if check.state == "ok" and not show_all:
                    continue
                click.echo(f"  {coloured(check.state, f'{check.state:<7}')} {check.question}")
                click.echo(f"          {check.evidence}")
                if check.state != "ok":
                    click.echo(f"          to do ({check.owner}): {check.remedy}")
        counts = {
            state: sum(check.state == state for check in readiness.checks)
            for state in ("ok", "gap", "unknown")
        }
        click.echo(f"\n{counts['ok']} ok, {counts['gap']} gaps, {counts['unknown']} unknown.")
        if readiness.gaps:
            click.echo(coloured("gap", "Not ready."))
        elif counts["unknown"]:
            click.echo(coloured("unknown", "No gap is known, and not everything is known."))
        else:
            click.echo(coloured("ok", "Ready."))
        if readiness.next_question:
            click.echo(f"Find out next: {readiness.next_question.question}")
        click.echo(f"next: `rollway choose {release_file}`")
    if readiness.gaps:
        raise click.exceptions.Exit(NOT_READY)


@click.command("choose")
@release_argument
@click.option("--why", metavar="METHOD", help="Everything about one method.")
@json_option
def choose_command(release_file: Path, changes: tuple[str, ...], why: str | None, as_json: bool) -> None:
    """Rank the six methods, with what forbids each, the reasons, the dissent and what to find out next.

    Exit code 12 where no method is allowed: the release is not ready.

    \b
    rollway choose release.yaml --set architecture.feature_flags=false     what if
    rollway choose release.yaml --why big_bang                             why not
    """
    from rollway.choice import choose

    choice = choose(read_release(release_file, changes))
    if as_json:
        print_json(asdict(choice))
    elif why:
        _explain(choice, why)
    else:
        _show(choice)
    if choice.chosen is None:
        raise click.exceptions.Exit(NO_METHOD)


def _show(choice: Choice) -> None:
    heading("Recommended: " + (choice.recommended or "no method: the release is not ready").replace("_", "-"))
    if choice.chosen != choice.recommended:
        click.echo(f"Chosen by a person: {choice.chosen} ({choice.because})")
    if len(choice.sequence) > 1:
        click.echo("Sequence: " + ", then ".join(choice.sequence))
    for reason in choice.reasons:
        click.echo(f"  - {reason}")
    click.echo()
    heading("Ranking")
    for ranked in choice.ranking:
        bar = "#" * round(ranked.score * BAR)
        veto = next((veto for veto in ranked.vetoes if veto.state == "violated"), None)
        told = f"  {veto.id}: {veto.title}" if veto else ""
        click.echo(
            f"  {ranked.method.replace('_', '-'):<11} {ranked.score:.2f} {bar:<{BAR}} "
            f"{coloured(ranked.state, f'{ranked.state:<8}')}{told}"
        )
    if choice.dissent:
        click.echo(f"\n{click.style('Dissent', bold=True)}\n  {choice.dissent}")
    if choice.next_questions:
        click.echo()
        heading("Find out next")
        for question in choice.next_questions:
            click.echo(f"  - {question}")
    click.echo("\nnext: `rollway plan` with the same file")


def _explain(choice: Choice, name: str) -> None:
    method = name.replace("-", "_")
    ranked = next((one for one in choice.ranking if one.method == method), None)
    if ranked is None:
        raise InputError(
            f"--why {name}: no such method", hint=", ".join(one.method for one in choice.ranking)
        )
    heading(f"{ranked.title}: {ranked.score:.2f}, {ranked.state}")
    click.echo("  " + ", ".join(f"{name} {score:.2f}" for name, score in ranked.criteria.items()))
    for veto in ranked.vetoes:
        click.echo(f"  {veto.id:<4} {coloured(veto.state, f'{veto.state:<9}')} {veto.title}: {veto.evidence}")
        if veto.state != "satisfied" and veto.unlock:
            click.echo(f"       what lifts it: {veto.unlock}")
    for reason in ranked.reasons:
        click.echo(f"  {reason.rule:<4} {reason.points:+.1f} {reason.criterion:<14} {reason.text}")
