"""preflight: every source answers, a fault would be seen, the target can go back; before anything moves."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from rollway.cli.common import find_plan, heading, json_option, opened, print_json

if TYPE_CHECKING:
    from rollway.app.proof import Finding

FAILED = 15
SCREEN = 87
"""Columns that the names and the findings of the checks have together."""
COLOURS = {"ok": "green", "failed": "red", "unknown": "yellow"}


@click.command()
@click.argument("plan", metavar="PLAN")
@click.option("--pause", default="5s", show_default=True, help="Between two looks at a source.")
@click.option("--within", default="30s", show_default=True, help="For how long new numbers are waited for.")
@click.option(
    "--fault",
    "times",
    default=5.0,
    show_default=True,
    type=click.FloatRange(1, 1000, min_open=True),
    help="How many times as bad the planted fault makes a KPI.",
)
@json_option
@click.pass_context
def preflight(ctx: click.Context, plan: str, pause: str, within: str, times: float, as_json: bool) -> None:
    """Look at all that a rollout of PLAN (a file or a hash) depends on, before anything is exposed.

    Of the target: is it free, does it answer, can the present share be set again. Of each KPI: does its
    source answer, how old are the numbers, how many trials are there of each version; and would the judge
    find a fault that is planted into a copy of these very numbers, and how soon. Nothing that users see is
    changed.

    What is unknown stops nothing. Exit code 15 where something failed.
    """
    from rollway.app.preflight import Ask, Preflight, seconds_of
    from rollway.errors import InputError

    ask = Ask(seconds_of(pause, "--pause"), seconds_of(within, "--within"), times)
    if ask.pause <= 0:
        raise InputError("--pause: 0s is no time between two looks", hint="give --pause 5s")
    with opened(ctx) as rollway:
        found = find_plan(rollway, plan)
        looked = Preflight(rollway.connectors, rollway.rollouts, rollway.clock)
        findings = looked.run(found, ask)
    failed = [finding for finding in findings if finding.check.state == "failed"]
    if as_json:
        rows = [{"about": finding.about, **asdict(finding.check)} for finding in findings]
        print_json({"plan": found.hash, "is_clear": not failed, "checks": rows})
    else:
        _show(findings)
        _show_end(findings, failed)
    if failed:
        raise click.exceptions.Exit(FAILED)


def _show(findings: tuple[Finding, ...]) -> None:
    width = max(len(finding.check.name) for finding in findings)
    for about, rows in groupby(findings, key=lambda finding: finding.about):
        heading(about)
        for row in rows:
            check = row.check
            state = click.style(f"{check.state:<7}", fg=COLOURS[check.state], bold=True)
            took = "" if check.seconds is None else f" ({check.seconds:.2g} s)"
            first, *rest = wrap(f"{check.told}{took}", SCREEN - width)
            click.echo(f"  {state}  {check.name:<{width}}  {first}")
            hint = wrap(check.hint, SCREEN - width) if check.state != "ok" else []
            for line in (*rest, *(click.style(line, fg="cyan") for line in hint)):
                click.echo(f"  {'':7}  {'':<{width}}  {line}")


def _show_end(findings: tuple[Finding, ...], failed: list[Finding]) -> None:
    click.echo()
    if failed:
        named = ", ".join(f"{finding.about}: {finding.check.name}" for finding in failed)
        click.echo(f"{click.style('Not clear.', fg='red', bold=True)} Failed: {named}.")
        return
    unknown = [f"{one.about}: {one.check.name}" for one in findings if one.check.state == "unknown"]
    rest = f" Not known: {', '.join(unknown)}; see above." if unknown else ""
    told = "\n".join(wrap(f"Clear. Nothing failed.{rest}", SCREEN))
    click.echo(told.replace("Clear.", click.style("Clear.", fg="green", bold=True), 1))
