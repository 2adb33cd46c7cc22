"""start and retry: a plan is looked at once more, and then carried out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.cli.common import actor_option, find_plan, json_option, opened, print_json
from rollway.errors import InputError, RefusedError

if TYPE_CHECKING:
    from rollway.app.proof import Proof
    from rollway.app.starting import Wish
    from rollway.planning import Plan

F = TypeVar("F", bound=Callable[..., Any])
WIDTH = 98
CARRIED_OUT = "`rollway serve` carries it out; while none runs, nothing moves and nobody watches"


def preflight_options(function: F) -> F:
    """How the preflight within a start looks, and that there is none."""
    function = click.option(
        "--within",
        metavar="TIME",
        default="",
        help="For how long new numbers are waited for.  [default: as long as the judge would, 30 s to 2 min]",
    )(function)
    return click.option(
        "--skip-preflight",
        is_flag=True,
        help="Look at nothing beforehand. An override: --because says why, and your name is in the record.",
    )(function)


@click.command()
@click.argument("reference", metavar="PLAN")
@actor_option
@click.option("--because", default="", help="Why now; kept in the record.")
@click.option(
    "--override-window",
    metavar="REASON",
    default="",
    help="Disregard change windows and freezes for this whole rollout.",
)
@click.option(
    "--reset-target",
    metavar="REASON",
    default="",
    help="Begin although the target serves the new version already, and take it away from those who have it.",
)
@preflight_options
@json_option
@click.pass_context
def start(
    ctx: click.Context,
    reference: str,
    actor: str,
    because: str,
    override_window: str,
    reset_target: str,
    skip_preflight: bool,
    within: str,
    as_json: bool,
) -> None:
    """Start carrying out an approved plan. `rollway serve` does the work; this only says go.

    First everything is looked at that `rollway preflight` looks at: the target and its way back, the numbers
    of each KPI, and whether a planted fault would be found in them. Where something failed nothing is
    started, with exit code 15. What cannot be known beforehand is told and stops nothing.
    """
    from rollway.app import starting
    from rollway.planning.calendar.in_plan import plan_state

    with opened(ctx) as rollway:
        plan = find_plan(rollway, reference)
        wish = _wish(plan, because, skip_preflight, within, override_window, reset_target)
        _announce(plan, wish, as_json)
        done = starting.start(rollway, plan, actor, wish)
        window = plan_state(plan, rollway.clock())
    left = sum(not gate.is_met for gate in plan.gates)
    if as_json:
        told = {"rollout": done.rollout, "plan": plan.hash, "window": window.reason}
        print_json({**told, "preflight": _json(plan, done.proof)})
        return
    click.echo(f"started {done.rollout}")
    _show(plan, done.proof)
    if left:
        click.echo(
            f"{left} {'gate is' if left == 1 else 'gates are'} not met yet; each is asked for before its "
            f"stage: `rollway task list {done.rollout}`"
        )
    if not window.is_open and not override_window:
        click.echo(
            f"it waits: {window.reason}. An operator may disregard that: "
            f"`rollway override-window {done.rollout} --because TEXT`"
        )
    click.echo(CARRIED_OUT)
    click.echo(f"next: `rollway watch {done.rollout}`")


@click.command()
@click.argument("rollout")
@actor_option
@click.option("--because", default="", help="What is different this time; needed where it was harmful.")
@click.option("--override-window", metavar="REASON", default="", help="Disregard change windows and freezes.")
@preflight_options
@json_option
@click.pass_context
def retry(
    ctx: click.Context,
    rollout: str,
    actor: str,
    because: str,
    override_window: str,
    skip_preflight: bool,
    within: str,
    as_json: bool,
) -> None:
    """Start the plan of a rollout that was taken back once more: the same plan, on the same approvals.

    As `rollway start`, with a preflight first.
    """
    from rollway.app import starting

    with opened(ctx) as rollway:
        plan = rollway.load(rollout).plan
        wish = _wish(plan, because, skip_preflight, within, override_window)
        _announce(plan, wish, as_json)
        done = starting.retry(rollway, rollout, actor, wish)
    if as_json:
        print_json({"rollout": done.rollout, "again": rollout, "preflight": _json(plan, done.proof)})
        return
    click.echo(f"started {done.rollout}, which tries again what {rollout} began")
    _show(plan, done.proof)
    click.echo(CARRIED_OUT)
    click.echo(f"next: `rollway watch {done.rollout}`")


def _wish(
    plan: Plan, because: str, skip: bool, within: str, override_window: str, reset_target: str = ""
) -> Wish:
    from rollway.app.preflight import Ask, seconds_of
    from rollway.app.starting import Wish, ask_for

    if skip and not because.strip():
        raise RefusedError(
            "--skip-preflight starts on your word alone and needs a reason", hint="add --because TEXT"
        )
    if skip and within:
        raise InputError("--within and --skip-preflight exclude each other", hint="leave one of them out")
    ask = ask_for(plan)
    if within:
        ask = Ask(ask.pause, seconds_of(within, "--within"))
    return Wish(because, override_window, reset_target, because if skip else "", ask)


def _announce(plan: Plan, wish: Wish, as_json: bool) -> None:
    # For somebody who waits in front of a screen; a script reads what is printed in the end.
    if as_json or wish.unproven or wish.ask is None or not sys.stderr.isatty():
        return
    kpis = f" and {len(plan.guards)} KPI{'s' if len(plan.guards) > 1 else ''}" if plan.guards else ""
    click.echo(
        f"looking at the target{kpis} first (at most {wish.ask.within:.0f} s for new numbers) ...", err=True
    )


def _show(plan: Plan, proof: Proof | None) -> None:
    from rollway.app.proof import summary

    if proof is None:
        click.echo(click.style("preflight: skipped, which the record keeps with your name", fg="yellow"))
        return
    for line in wrap(f"preflight: {summary(plan, proof)}", WIDTH, subsequent_indent="  "):
        click.echo(line)
    for one in proof.notes:
        told = f"not proven: {one.about}, {one.check.name}: {one.check.told}"
        for line in wrap(told, WIDTH - 2, initial_indent="  ", subsequent_indent="    "):
            click.echo(click.style(line, fg="yellow"))


def _json(plan: Plan, proof: Proof | None) -> dict[str, Any] | None:
    from rollway.app.proof import proof_entry

    return None if proof is None else proof_entry(plan, proof).data
