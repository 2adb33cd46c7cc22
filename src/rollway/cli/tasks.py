"""task: gates, tasks and undo steps of a rollout, and what people say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import actor_option, coloured, heading, json_option, opened, print_json
from rollway.cli.rollouts import say_and_show

if TYPE_CHECKING:
    from rollway.rollout import CommandKind

MARKS = {
    "met": ("ok", "met"),
    "met by the facts": ("ok", "met"),
    "waived": ("unknown", "waived"),
    "not met": ("gap", "not met"),
    "open": ("unknown", "open"),
    "ready": ("unknown", "ready"),
    "running": ("running", "running"),
    "done": ("ok", "done"),
    "failed": ("gap", "failed"),
    "unsure": ("gap", "may have run"),
    "skipped": ("unknown", "skipped"),
    "ahead": ("", "ahead"),
}


@click.group()
def task() -> None:
    """See gates and tasks of a rollout, and say what became of them.

    A gate must be met before its stage is entered. Tasks are waited for where the plan follows them
    (`rollout.tasks: followed` in the release file); else they are a list for people, and only gates count.
    """


@task.command("list")
@click.argument("rollout", required=False)
@click.option("--all", "everything", is_flag=True, help="What is over or still far ahead, too.")
@json_option
@click.pass_context
def show(ctx: click.Context, rollout: str | None, everything: bool, as_json: bool) -> None:
    """List what people are waited for: gates, tasks and, while it rolls back, undo steps."""
    from rollway.app.views import rollout_view

    with opened(ctx) as rollway:
        view = rollout_view(rollway, rollout or rollway.newest_rollout(), entries=0)
    told = {name: view[name] for name in ("id", "phase", "standing", "gates", "tasks", "undo", "needs")}
    if as_json:
        print_json(told)
        return
    heading(f"{view['id']}  {coloured(view['phase'])}")
    if view["standing"]:
        click.echo(f"  {view['standing']}")
    _show_gates(view["gates"], everything)
    _show_work("Undo steps", view["undo"], everything)
    _show_work("Tasks", view["tasks"], everything)


def _show_gates(gates: list[dict[str, Any]], everything: bool) -> None:
    shown = [gate for gate in gates if everything or not (gate["is_met"] or gate["is_behind"])]
    if shown:
        heading("Gates")
    for gate in shown:
        by = f", {gate['by']}: {gate['note']}" if gate["by"] else ""
        who = f"  ({' or '.join(gate['who'])})" if gate["who"] else ""
        click.echo(f"  {_mark(gate['state'])}  {gate['id']}  before {gate['stage_title']}")
        click.echo(f"                {gate['what']}{who}{by}")


def _show_work(title: str, work: list[dict[str, Any]], everything: bool) -> None:
    at_hand = ("ready", "running", "failed", "unsure")
    shown = [one for one in work if everything or one["state"] in at_hand]
    if shown:
        heading(title)
    for one in shown:
        by = f"  {one['by']}" if one.get("by") else ""
        note = f": {one['note']}" if one.get("note") else ""
        click.echo(f"  {_mark(one['state'])}  {one['id']}")
        click.echo(f"                {one['title']}  ({' or '.join(one['who'])}){by}{note}")
        for criterion in one.get("criteria", ()):
            click.echo(f"                - {criterion}")


def _mark(state: str) -> str:
    word, text = MARKS.get(state, ("", state))
    return coloured(word, f"{text:<12}")


def _said(name: str, kind: CommandKind, teach: str, *, needs_reason: bool = False) -> None:
    @task.command(name, help=teach)
    @click.argument("rollout")
    @click.argument("subject", metavar="ID")
    @actor_option
    @click.option("--because", default="", required=needs_reason, help="Why; kept in the record.")
    @click.option("--reached", default="", metavar="SHARE", help="The figure that was reached, such as 92%.")
    @json_option
    @click.pass_context
    def say(
        ctx: click.Context,
        rollout: str,
        subject: str,
        actor: str,
        because: str,
        reached: str,
        as_json: bool,
    ) -> None:
        reason = f"{reached} reached{f'; {because}' if because else ''}" if reached else because
        say_and_show(ctx, rollout, kind, actor, reason, as_json, subject=subject)


_said("begin", "begin", "Say that you have begun a task, or that what it waited for has come.")
_said("done", "confirm", "Say that a task or an undo step is done.")
_said(
    "confirm", "confirm", "Say that a gate is met (with --reached where it asks for a share), or a task done."
)
_said(
    "fail", "fail", "Say that a task failed: the rollout is held. Of a gate: that it is not met (any more)."
)
_said("skip", "skip", "Leave a task out, by name and with a reason.", needs_reason=True)
_said("go", "go", "Decide a go/no-go gate, or a step of no return: go.")
_said(
    "no-go", "no_go", "Decide: no go. It goes back, or is called off; past the point of no return it holds."
)
_said(
    "waive", "waive", "Let a stage be entered without a gate, by name and with a reason.", needs_reason=True
)
_said("repeat", "repeat", "Do again what failed, or what was cut off and may have run.")
