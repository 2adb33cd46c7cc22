"""status, pause, resume, promote, rollback, record: running rollouts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import actor_option, coloured, heading, json_option, opened, print_json
from rollway.cli.watch import follow_options, watch

if TYPE_CHECKING:
    from datetime import datetime

    from rollway.app import Rollway
    from rollway.rollout import CommandKind

REFUSED = 4
UNHEARD = 6
NOT_WHOLE = 13
HEARD_WITHIN = 10.0
"""Seconds a command waits for a running Rollway to hear it before it says that nobody did."""


@click.command()
@click.argument("rollout", required=False)
@json_option
@follow_options
@click.pass_context
def status(ctx: click.Context, rollout: str | None, as_json: bool, follow: bool, after: int) -> None:
    """Say where one rollout stands, or list all plans and rollouts."""
    from rollway.app.views import overview, rollout_view
    from rollway.cli.channels import silent_channels

    if follow:
        ctx.invoke(watch, rollout=rollout, follow=True, after=after)
        return
    with opened(ctx) as rollway:
        seen = rollout_view(rollway, rollout, entries=5) if rollout else overview(rollway)
        silent, now = silent_channels(rollway), rollway.clock()
    if as_json:
        print_json(seen)
    elif rollout:
        _show_rollout(seen, now)
    else:
        _show_overview(seen, now)
    for line in silent if not as_json else ():
        click.echo(line)


def _show_rollout(view: dict[str, Any], now: datetime) -> None:
    from rollway.app import words
    from rollway.app.waiting import late_words, unheard_words

    served = view["served_share"]
    told = "not read back yet" if served is None else f"{served:.0%} served"
    heading(f"{view['id']}  {coloured(view['phase'])}  {told}")
    if view["standing"]:
        click.echo(f"  {view['standing']}")
    if late := late_words(view, now):
        click.secho(f"  {late}", fg="red", bold=True)
    for said in view["unheard"]:
        click.secho(f"  {words.sentence(unheard_words(said, now))}", fg="red", bold=True)
    for entry in reversed(view["record"]):
        click.echo(f"  {entry['at'][11:19]}  {entry['text']}")


def _show_overview(view: dict[str, list[dict[str, Any]]], now: datetime) -> None:
    from rollway.app.waiting import UNATTENDED_MEANS, is_late

    if not view["plans"]:
        click.echo("Nothing here yet. Make a plan with `rollway plan release.yaml`.")
        return
    heading("Rollouts")
    for line in view["rollouts"]:
        click.echo(f"  {line['id']:<32} {coloured(line['phase']):<20} {_told(line, now)}")
    if any(is_late(line, now) for line in view["rollouts"]):
        click.secho(f"  {UNATTENDED_MEANS}", fg="red")
    if not view["rollouts"]:
        click.echo("  none")
    heading("Plans")
    for line in view["plans"]:
        approval = (
            f"approved by {', '.join(line['approved_by'])}"
            if line["is_approved"]
            else line["approval_missing"]
        )
        click.echo(f"  {line['hash'][:12]}  {line['name']} {line['version']}  {line['method']}  {approval}")


def _told(line: dict[str, Any], now: datetime) -> str:
    """Why it is where it is; before it, that nobody looks, and what nobody has heard yet."""
    from rollway.app.waiting import overdue_words

    return "; ".join(part for part in (*overdue_words(line, now), line["standing"]) if part)


def _command(kind: CommandKind, teach: str, *, needs_reason: bool = False) -> click.Command:
    """The command that says one word to a rollout and waits until it was heard."""

    @click.command(kind.replace("_", "-"), help=teach)
    @click.argument("rollout", required=False)
    @actor_option
    @click.option("--because", default="", required=needs_reason, help="Why; kept in the record.")
    @json_option
    @click.pass_context
    def said(ctx: click.Context, rollout: str | None, actor: str, because: str, as_json: bool) -> None:
        say_and_show(ctx, rollout, kind, actor, because, as_json)

    return said


def say_and_show(
    ctx: click.Context,
    rollout: str | None,
    kind: CommandKind,
    actor: str,
    because: str,
    as_json: bool,
    subject: str = "",
) -> None:
    """Say one word to a rollout, wait until it was heard, and print what the record says of it."""
    with opened(ctx) as rollway:
        name = rollout or rollway.newest_rollout()
        number = rollway.say(name, kind, actor, because, subject)
        answer = _answer(rollway, name, number)
    text, is_refused = answer or ("", False)
    if as_json:
        about = {"subject": subject} if subject else {}
        print_json({"rollout": name, "command": kind, **about, "heard": answer is not None, "entry": text})
    elif answer is None:
        click.echo(
            f"said, but no running Rollway has heard it within {HEARD_WITHIN:.0f} s: nothing was done about "
            "it yet, and the target was told nothing. Is `rollway serve` up? It is kept, and heard first "
            "thing when one starts.",
            err=True,
        )
    else:
        click.echo(text)
    if answer is None or is_refused:
        raise click.exceptions.Exit(REFUSED if is_refused else UNHEARD)


def _answer(rollway: Rollway, rollout: str, number: int) -> tuple[str, bool] | None:
    """What the record says of this command once a tick has heard it, and whether it was refused."""
    deadline = time.monotonic() + HEARD_WITHIN
    while time.monotonic() < deadline:
        tick = rollway.rollouts.heard_in(number)
        if tick is not None:
            entries = [entry for entry in rollway.rollouts.record(rollout) if entry.seq == tick]
            text = "\n".join(entry.text for entry in entries) or "heard"
            return text, any(entry.kind == "refused" for entry in entries)
        time.sleep(0.05)
    return None


pause = _command(
    "pause", "Hold a rollout where it is: exposure stays, nobody new is exposed, guards go on watching."
)
resume = _command("resume", "Let a paused rollout go on.")
promote = _command(
    "promote",
    "Go to the next stage now, over the rule of the stage. Kept in the record as an override.",
    needs_reason=True,
)
override_window = _command(
    "override_window",
    "Disregard change windows and freezes for the rest of this rollout. Kept in the record as an override.",
    needs_reason=True,
)
rollback = _command(
    "rollback",
    "Take the release back, at once: everyone is served the old version. Anybody may say so, at any hour.",
)
roll_forward = _command(
    "roll_forward",
    "Past the point of no return: say that the fault is mended (--because names the mend). The stage counts "
    "anew, on evidence from now on.",
    needs_reason=True,
)


class RecordGroup(click.Group):
    """`rollway record ROLLOUT` shows its record; a known word after `record` is a command of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=RecordGroup, subcommand_metavar="[show] [ROLLOUT] | verify [ROLLOUT]")
def record() -> None:
    """Print or verify the record of a rollout: what happened, with the numbers behind it.

    \b
    rollway record ROLLOUT                 oldest first
    rollway record show [ROLLOUT]          the same; without ROLLOUT the newest one
    rollway record verify [ROLLOUT]        that no entry was changed, dropped or swapped
    """


@record.command("show")
@click.argument("rollout", required=False)
@json_option
@click.pass_context
def show_record(ctx: click.Context, rollout: str | None, as_json: bool) -> None:
    """Print the record, oldest first."""
    from rollway.app.views import entry_json

    with opened(ctx) as rollway:
        entries = rollway.rollouts.record(_name(rollway, rollout))
    if as_json:
        print_json([entry_json(entry) for entry in entries])
        return
    for entry in entries:
        click.echo(
            f"{entry.n:>4}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind:<18} {entry.actor:<12} {entry.text}"
        )


@record.command("verify")
@click.argument("rollout", required=False)
@json_option
@click.pass_context
def verify(ctx: click.Context, rollout: str | None, as_json: bool) -> None:
    """Check that no entry of the record was changed, dropped or swapped. Exit code 13 where one was."""
    with opened(ctx) as rollway:
        name = _name(rollway, rollout)
        count, found = rollway.verify_record(name)
    if as_json:
        print_json({"rollout": name, "entries": count, "is_whole": not found, "faults": found})
    else:
        click.echo(f"{name}: {count} entries, {'whole' if not found else 'NOT whole'}")
        for fault in found:
            click.echo(f"  {fault}")
    if found:
        raise click.exceptions.Exit(NOT_WHOLE)


def _name(rollway: Rollway, rollout: str | None) -> str:
    name = rollout or rollway.newest_rollout()
    rollway.load(name)
    return name
