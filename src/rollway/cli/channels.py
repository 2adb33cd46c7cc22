"""channels: where notifications of rollouts go."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.cli.common import actor_option, json_option, opened, print_json

if TYPE_CHECKING:
    from rollway.app import Rollway
    from rollway.rollout.notifications import MessagesFor, Notification
    from rollway.store import Channel, ChannelKind, Standing

F = TypeVar("F", bound=Callable[..., Any])

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,59}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
STATES = {"sent": "green", "given_up": "red", "unsure": "yellow", "waiting": "yellow", "sending": "cyan"}


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def channels(ctx: click.Context, as_json: bool) -> None:
    """Say where notifications of rollouts go: webhooks, mail, chat; add, test and remove channels.

    \b
    Example
      rollway channels add webhook desk https://desk.example.com/hooks --secret-env DESK_SECRET
      rollway channels add apprise ops-chat env:OPS_CHAT_URL --on trouble,ends
      rollway channels test ops-chat
      rollway channels log
    """
    if ctx.invoked_subcommand is None:
        _list(ctx, as_json)


@channels.command("list")
@json_option
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> None:
    """List the channels, and how each one stands."""
    _list(ctx, as_json)


@channels.group()
def add() -> None:
    """Add a channel. URL may be env:NAME: then the address stands in that variable of `rollway serve`."""


def _channel_options(function: F) -> F:
    function = click.option(
        "--messages",
        type=click.Choice(["own", "all"]),
        help="The plan's prepared messages too: those that it sends by a channel of this NAME, or all of "
        "them, for somebody to forward.",
    )(function)
    return click.option(
        "--on",
        "wanted",
        multiple=True,
        metavar="KINDS",
        help="Which notifications, with commas: kinds such as rollback,held; or main (the default), trouble, "
        "stages, ends, all.",
    )(function)


@add.command()
@click.argument("name")
@click.argument("url")
@click.option(
    "--secret-env",
    default="",
    metavar="NAME",
    help="Sign with the secret in this variable of `rollway serve`.",
)
@_channel_options
@actor_option
@click.pass_context
def webhook(ctx: click.Context, /, name: str, url: str, secret_env: str, **more: Any) -> None:
    """Send each notification by POST to URL, as a CloudEvent."""
    _add(ctx, "webhook", name, url, secret_env=secret_env, **more)


@add.command()
@click.argument("name")
@click.argument("url")
@_channel_options
@actor_option
@click.pass_context
def apprise(ctx: click.Context, /, name: str, url: str, **more: Any) -> None:
    """Send each notification by mail, chat or whatever else Apprise knows (pip install 'rollway[notify]').

    \b
    Example
      rollway channels add apprise ops-mail env:OPS_MAIL_URL
      where OPS_MAIL_URL is mailto://user:password@example.com?to=ops@example.com
    """
    _add(ctx, "apprise", name, url, **more)


@channels.command()
@click.argument("name")
@json_option
@click.pass_context
def test(ctx: click.Context, name: str, as_json: bool) -> None:
    """Send a test notification to NAME now, and say what came back. This shell's variables are used."""
    from rollway.app.delivery import deliver

    with opened(ctx) as rollway:
        channel = rollway.channels.find(name)
        told = _test_notification(name, rollway.clock())
        begun = time.monotonic()
        answer = deliver(channel, told)
    seconds = time.monotonic() - begun
    if as_json:
        print_json({"channel": name, "seconds": seconds, "answer": answer})
        return
    came = f"; it answers: {answer}" if answer else ""
    click.echo(f"{name} took it within {seconds:.1f} s{came}")


@channels.command()
@click.argument("name")
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Remove the channel NAME. What still waits for it is dropped, and stays in the log."""
    with opened(ctx) as rollway:
        dropped = rollway.channels.remove(name)
    click.echo(f"Channel {name} is removed{f'; {dropped} that waited are dropped' if dropped else ''}.")


@channels.command()
@click.argument("name")
@click.pass_context
def retry(ctx: click.Context, name: str) -> None:
    """Try at once what waits for NAME, and once more what was given up."""
    with opened(ctx) as rollway:
        count = rollway.outbox.retry(rollway.channels.find(name).id, rollway.clock())
    click.echo(f"{count} for {name} {'is' if count == 1 else 'are'} due now; `rollway serve` sends them.")


@channels.command()
@click.option("--channel", "name", help="Only those of this channel.")
@click.option("--newest", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
@click.pass_context
def log(ctx: click.Context, name: str | None, newest: int, as_json: bool) -> None:
    """Print the newest notifications and what became of them. Times are UTC."""
    with opened(ctx) as rollway:
        only = rollway.channels.find(name).id if name else None
        rows = rollway.outbox.log(newest=newest, channel_id=only)
    if as_json:
        print_json([_log_json(row) for row in rows])
    elif not rows:
        click.echo("Nothing was sent yet.")
    for row in rows if not as_json else ():
        state = _state(row)
        shown = click.style(f"{state.replace('_', ' '):<9}", fg=STATES.get(state))
        tries = f" ({row.attempts} attempts)" if row.attempts > 1 else ""
        click.echo(
            f"{row.created_at:%m-%d %H:%M:%S}  {shown}  {row.channel:<16} {row.kind:<18} {row.key}{tries}"
        )
        if row.problem:
            click.echo(f"                {row.problem}")


@channels.command()
@click.pass_context
def kinds(_: click.Context) -> None:
    """List the kinds of notifications, with the groups that --on takes for several at once."""
    from rollway.rollout.notifications import GROUPS, KINDS

    for kind, told in KINDS.items():
        groups = [*([] if told.is_quiet else ["main"]), *(name for name in GROUPS if kind in GROUPS[name])]
        click.echo(f"{kind:<18} {told.title.replace('{stage}', 'STAGE'):<60} {', '.join(groups)}")


def silent_channels(rollway: Rollway) -> tuple[str, ...]:
    """A line for each channel to which something could not be brought, for whoever looks at the rollouts."""
    names = {channel.id: channel.name for channel in rollway.channels.all()}
    lines = []
    for number, standing in rollway.outbox.standings().items():
        if number in names and standing.given_up:
            told = f"{standing.given_up} given up: see rollway channels log --channel {names[number]}"
            lines.append(click.style(f"channel {names[number]}: {told}", fg="red"))
        elif number in names and standing.problem:
            told = f"{standing.waiting} waiting: {standing.problem}"
            lines.append(click.style(f"channel {names[number]}: {told}", fg="yellow"))
    return tuple(lines)


# --- what they share ------------------------------------------------------------------------------


def _add(
    ctx: click.Context,
    kind: ChannelKind,
    name: str,
    url: str,
    *,
    wanted: tuple[str, ...],
    messages: MessagesFor | None,
    actor: str,
    secret_env: str = "",
) -> None:
    from rollway.app.delivery import VARIABLE as ENV
    from rollway.app.delivery import check_address
    from rollway.app.service import checked_name
    from rollway.errors import InputError

    if not NAME.fullmatch(name):
        raise InputError(
            f"{name[:60]!r} is no name of a channel",
            hint="1 to 60 letters, digits and ._/-, such as ops-chat",
        )
    for variable in (url.removeprefix(ENV) if url.startswith(ENV) else "", secret_env):
        if variable and not VARIABLE.fullmatch(variable):
            raise InputError(
                f"{variable[:8]!r}... is no name of an environment variable",
                hint="give the name of the variable, not the secret itself",
            )
    words = _words(wanted)
    remarks = check_address(kind, url)
    with opened(ctx) as rollway:
        rollway.channels.add(
            name,
            kind,
            url,
            wanted=words,
            actor=checked_name(actor),
            secret_env=secret_env,
            messages=messages or "",
        )
    for remark in remarks:
        click.echo(f"note: {remark}", err=True)
    click.echo(f"Channel {name} is told of {', '.join(words)}. Try it: rollway channels test {name}")


def _words(wanted: tuple[str, ...]) -> tuple[str, ...]:
    from difflib import get_close_matches

    from rollway.errors import InputError
    from rollway.rollout.notifications import GROUPS, KINDS, WORDS

    words = tuple(dict.fromkeys(word.strip() for part in wanted for word in part.split(",") if word.strip()))
    for word in words:
        if word not in WORDS:
            near = get_close_matches(word, sorted(WORDS), 1)
            raise InputError(
                f"--on {word}: there is no such kind",
                details=(f"  kinds: {', '.join(KINDS)}", f"  groups: main, {', '.join(GROUPS)}, all"),
                hint=f"did you mean {near[0]}?" if near else "",
            )
    return words or ("main",)


def _list(ctx: click.Context, as_json: bool) -> None:
    from rollway.store import Standing

    with opened(ctx) as rollway:
        known, standings = rollway.channels.all(), rollway.outbox.standings()
    seen = [(channel, standings.get(channel.id, Standing())) for channel in known]
    if as_json:
        print_json([_channel_json(channel, standing) for channel, standing in seen])
    elif not seen:
        click.echo("There is no channel yet. Make one with: rollway channels add webhook NAME URL")
    for channel, standing in seen if not as_json else ():
        _show(channel, standing)


def _show(channel: Channel, standing: Standing) -> None:
    from rollway.app.delivery import masked

    signed = f", signed with {channel.secret_env}" if channel.secret_env else ""
    messages = f", messages: {channel.messages}" if channel.messages else ""
    click.echo(
        f"{click.style(channel.name, bold=True)}  {channel.kind} {masked(channel.url)}{signed}; "
        f"on {', '.join(channel.wanted)}{messages}"
    )
    last = f", the last at {standing.last_sent_at:%Y-%m-%d %H:%M:%S} UTC" if standing.last_sent_at else ""
    click.echo(f"    {standing.sent} sent{last}; {standing.waiting} waiting")
    if standing.problem:
        click.echo(f"    waits because: {standing.problem}")
    if standing.given_up:
        told = f"{standing.given_up} given up; once it is mended: rollway channels retry {channel.name}"
        click.echo(click.style(f"    {told}", fg="red"))


def _channel_json(channel: Channel, standing: Standing) -> dict[str, Any]:
    from rollway.app.delivery import masked

    return {
        "name": channel.name,
        "kind": channel.kind,
        "url": masked(channel.url),
        "secret_env": channel.secret_env,
        "on": channel.wanted,
        "messages": channel.messages,
        "created_by": channel.created_by,
        "created_at": channel.created_at.isoformat(),
        "sent": standing.sent,
        "last_sent_at": standing.last_sent_at and standing.last_sent_at.isoformat(),
        "waiting": standing.waiting,
        "given_up": standing.given_up,
        "problem": standing.problem,
    }


def _log_json(row: Any) -> dict[str, Any]:
    columns = ("channel", "key", "kind", "attempts", "problem", "created_at", "due_at", "ended_at")
    return {"state": _state(row), **{name: getattr(row, name) for name in columns}}


def _state(row: Any) -> str:
    return "unsure" if row.is_unsure and row.state in ("waiting", "sending") else str(row.state)


def _test_notification(name: str, at: Any) -> Notification:
    from uuid import uuid4

    from rollway.rollout.notifications import TEST, Notification

    text = f"This is a test of the channel {name}. Nothing was rolled out."
    return Notification(f"test:{uuid4()}", TEST, at, "Rollway: a test", text, {"channel": name})
