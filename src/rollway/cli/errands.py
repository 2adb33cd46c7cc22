"""errands, errand, sites: what people are asked to do, what they say of it, and where each site stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import COLOURS, actor_option, heading, json_option, opened, print_json

if TYPE_CHECKING:
    from rollway.rollout import ErrandState
    from rollway.store import Asked

_COLOURS = {
    "new": "green",
    "failed": "red",
    "stuck": "red",
    "changing": "cyan",
    "going_back": "yellow",
    "done": COLOURS["done"],
}


@click.command()
@click.argument("rollout", required=False)
@click.option("--all", "everything", is_flag=True, help="What was answered too; of one rollout.")
@json_option
@click.pass_context
def errands(ctx: click.Context, rollout: str | None, everything: bool, as_json: bool) -> None:
    """Say what people are asked to do and have not answered yet, the oldest first.

    \b
    Example
      rollway errands
      rollway errands tills-2.4.0-1 --all
    """
    with opened(ctx) as rollway:
        if everything:
            name = rollout or rollway.newest_rollout()
            rollway.load(name)
            found = rollway.errands.all_of(name)
        else:
            if rollout:
                rollway.load(rollout)
            found = tuple(one for one in rollway.errands.open() if rollout in (None, one.rollout))
        now = rollway.clock()
    if as_json:
        print_json([_json(one) for one in found])
    elif not found:
        click.echo("Nobody is asked for anything.")
    for one in found if not as_json else ():
        _show(one, now)


def _show(one: Asked, now: datetime) -> None:
    errand = one.errand
    first, _, others = errand.owner.partition(", ")
    who = f"{first} (or {others})" if others else first
    heading(f"{one.rollout}  {errand.key}")
    if errand.state == "asked":
        click.echo(f"  {who or 'nobody by name'}, asked {_ago(one.asked_at, now)}")
    else:
        state = click.style(errand.state, fg=_COLOURS[errand.state], bold=True)
        why = f": {errand.note}" if errand.note else ""
        click.echo(f"  {state}, says {errand.actor} {_ago(one.answered_at or one.asked_at, now)}{why}")
    for line in errand.text.splitlines():
        click.echo(f"  {line}")


def _ago(at: datetime, now: datetime) -> str:
    """How long ago, and when by the clock of this machine."""
    from rollway.planning.words import length

    passed = (now - at).total_seconds()
    told = f"{length(passed)} ago" if passed >= 60 else "just now"
    return f"{told} ({at.astimezone():%Y-%m-%d %H:%M})"


def _json(one: Asked) -> dict[str, Any]:
    errand = one.errand
    return {
        "rollout": one.rollout,
        "key": errand.key,
        "owner": errand.owner,
        "text": errand.text,
        "state": errand.state,
        "actor": errand.actor,
        "note": errand.note,
        "asked_at": one.asked_at.isoformat(),
        "answered_at": one.answered_at.isoformat() if one.answered_at else None,
    }


@click.group()
def errand() -> None:
    """Say that an errand is done, or that it failed.

    \b
    Example
      rollway errand done tills-2.4.0-1 7-up:S017 --as kari
      rollway errand failed tills-2.4.0-1 7-up:S018 --as kari --because "till 3 does not start"
    """


def _answer(state: ErrandState, teach: str) -> click.Command:
    @click.command(state, help=teach)
    @click.argument("rollout")
    @click.argument("key")
    @actor_option
    @click.option("--because", default="", help="What there is to say; it is kept.")
    @json_option
    @click.pass_context
    def said(ctx: click.Context, rollout: str, key: str, actor: str, because: str, as_json: bool) -> None:
        with opened(ctx) as rollway:
            rollway.answer_errand(rollout, key, state, actor, because)
            asked = rollway.errands.find(rollout, key)
            left = sum(one.rollout == rollout for one in rollway.errands.open())
        if as_json:
            print_json({**_json(asked), "left": left})
            return
        others = f"{left} {'errand is' if left == 1 else 'errands are'} still open in {rollout}."
        click.echo(f"{key}: {asked.errand.state}, says {asked.errand.actor}. {others}")

    return said


errand.add_command(_answer("done", "It is done: the rollout counts on it from now on."))
errand.add_command(_answer("failed", "It cannot be done, and --because says why: the rollout is held."))


@click.command()
@click.argument("rollout", required=False)
@click.option("--only", metavar="STATE", default="", help="Such as failed, new or old.")
@json_option
@click.pass_context
def sites(ctx: click.Context, rollout: str | None, only: str, as_json: bool) -> None:
    """Say where each site of a rollout stands: its state, since when, and the last that was said there."""
    from rollway.errors import InputError
    from rollway.targets.sites import WORDS, SitesTarget

    if only and only not in WORDS:
        raise InputError(f"--only {only}: no site is ever that", hint=f"one of {', '.join(WORDS)}")
    with opened(ctx) as rollway:
        name = rollout or rollway.newest_rollout()
        plan = rollway.load(name).plan
        target = rollway.connectors.target(name, plan)
        if not isinstance(target, SitesTarget):
            kind = plan.target.type if plan.target else "nothing"
            raise InputError(f"{name} switches {kind}, which has no sites", hint="see `rollway status`")
        rows = [row for row in target.table() if only in ("", row.state)]
    if as_json:
        print_json([_site_json(row) for row in rows])
        return
    _show_sites(name, rows, WORDS)


def _show_sites(name: str, rows: Any, words: Any) -> None:
    from collections import Counter

    counts = Counter(row.state for row in rows)
    told = ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state])
    heading(f"{name}  {told or 'no such sites'}")
    width = max((len(row.site.name) for row in rows), default=0)
    side = max((len(row.site.group) for row in rows), default=0)
    for row in rows:
        word = f"{words[row.state]:<14}"
        since = datetime.fromtimestamp(row.since).astimezone() if row.since else None
        at = f"{since:%Y-%m-%d %H:%M:%S}" if since else " " * 19
        state = click.style(word, fg=_COLOURS.get(row.state))
        click.echo(
            f"  {row.site.name:<{width}}  {row.site.group:<{side}}  {state}  {at}  {row.told}".rstrip()
        )


def _site_json(row: Any) -> dict[str, Any]:
    return {
        "site": row.site.name,
        "group": row.site.group,
        "owner": row.site.owner,
        "timezone": row.site.timezone,
        "state": row.state,
        "wanted": row.is_wanted,
        "since": datetime.fromtimestamp(row.since, UTC).isoformat() if row.since else None,
        "told": row.told,
        "errand": row.errand,
    }
