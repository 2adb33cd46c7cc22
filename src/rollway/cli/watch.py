"""watch: follow a rollout in a terminal, as lines, or as JSON for pipelines, until it ends."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import opened, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from rollway.app import Rollway
    from rollway.app.following import Because, Follower

UNHEARD = 6
ROLLED_BACK = 10
TIME_IS_OVER = 16
WAITS_FOR_PEOPLE = 17
TERMINATED = 128 + signal.SIGTERM
LOOK_EVERY = 0.5
REDRAW_EVERY = 1.0
"""Seconds between two pictures of a rollout that has not moved: its clocks go on."""

View = dict[str, Any]


def follow_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--follow and --after, which `watch` and `status` share."""
    function = click.option(
        "--after",
        default=0,
        type=click.IntRange(min=0),
        metavar="N",
        help="Begin after entry N of the record; for taking a stream up again.",
    )(function)
    return click.option(
        "--follow", is_flag=True, help="JSON lines, one for each event, until the rollout ends."
    )(function)


def _seconds(ctx: click.Context, param: click.Parameter, told: str | None) -> float | None:
    """A duration such as 90s, 30m or 2h."""
    from rollway.facts.duration import parse_duration

    try:
        return None if told is None else parse_duration(told).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@click.command()
@click.argument("rollout", required=False)
@click.option("--json", "as_json", is_flag=True, help="One snapshot as JSON, and leave.")
@follow_options
@click.option("--timeout", callback=_seconds, metavar="TIME", help="Leave after so long, such as 30m.")
@click.option(
    "--until", default="done", metavar="WHAT", help="Leave at stage:ID, verdict or done.  [default: done]"
)
@click.pass_context
def watch(
    ctx: click.Context,
    rollout: str | None,
    as_json: bool,
    follow: bool,
    after: int,
    timeout: float | None,
    until: str,
) -> None:
    """Follow a rollout until it ends: stages, shares, both versions' KPIs, needs, the way back, the record.

    In a terminal it is a live picture; elsewhere one line for each event. Ctrl-C stops looking, not the
    rollout.

    \b
    Exit codes
      0   it is done, or reached what --until names
      6   --timeout is over, and nobody carries it out: is `rollway serve` up?
      10  it was rolled back
      16  --timeout is over; the rollout goes on by itself
      17  --timeout is over; it waits for people: `rollway explain` says for whom

    \b
    Examples
      rollway watch
      rollway watch reporting-2.4.0-1 --timeout 30m
      rollway watch --until stage:10-percent
      rollway watch --follow --after 12 | jq .text
    """
    with opened(ctx) as rollway:
        name = rollout or rollway.newest_rollout()
        if as_json:
            code = _snapshot(rollway, name)
        else:
            code = _watch(rollway, name, follow, after, timeout, _checked(rollway, name, until))
    if code:
        raise click.exceptions.Exit(code)


def _snapshot(rollway: Rollway, name: str) -> int:
    from rollway.app.views import rollout_view

    view = rollout_view(rollway, name)
    print_json(view)
    return _code(view)


def _checked(rollway: Rollway, name: str, until: str) -> str:
    from rollway.errors import InputError

    stages = [stage.id for stage in rollway.load(name).plan.stages]
    known = ["done", "verdict", *(f"stage:{stage}" for stage in stages)]
    if until not in known:
        raise InputError(f"--until {until}: there is no such thing here", hint=f"one of {', '.join(known)}")
    return until


def _watch(rollway: Rollway, name: str, follow: bool, after: int, timeout: float | None, until: str) -> int:
    from rollway.app.following import Follower

    follower = Follower(rollway, name, after=after)
    with _ended_in_good_order():
        if follow:
            code, because = _as_json(rollway, follower, timeout, until)
            click.echo(_json_line(follower.end(because, code)))
        elif (console := _screen()) is not None:
            code, _ = _live(console, rollway, follower, timeout, until)
        else:
            code, _ = _as_lines(rollway, follower, timeout, until)
    return code


def _screen() -> Console | None:
    """The terminal, where there is one that can be drawn on."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console

    console = Console(highlight=False)
    return None if console.is_dumb_terminal or console.legacy_windows else console


@contextmanager
def _ended_in_good_order() -> Iterator[None]:
    """A pipeline that is cancelled says so with SIGTERM: leave as with Ctrl-C, the terminal as it was."""

    def leave(*_: object) -> None:
        raise click.exceptions.Exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# --- when to leave, and with which code -------------------------------------------------------------


def _code(view: View) -> int:
    return ROLLED_BACK if view["phase"] == "rolled_back" else 0


class _Patience:
    """Says whether it is time to leave."""

    def __init__(self, rollway: Rollway, timeout: float | None, until: str) -> None:
        self._clock = rollway.clock
        self._ends = None if timeout is None else time.monotonic() + timeout
        self._until = until

    def over(self, view: View) -> tuple[int, Because] | None:
        """The exit code and why, or None while it is not over."""
        from rollway.app.following import is_reached

        if view["is_final"]:
            return _code(view), "ended"
        if is_reached(view, self._until):
            is_bad = self._until == "verdict" and view["verdict"]["kind"] == "harmful"
            return ROLLED_BACK if is_bad else 0, "reached"
        if self._ends is not None and time.monotonic() >= self._ends:
            return self._left(view), "timeout"
        return None

    def _left(self, view: View) -> int:
        """The code of a rollout that goes on without us: by nobody, by people, or by itself."""
        from rollway.app.following import waits_for_people
        from rollway.app.waiting import is_late

        if is_late(view, self._clock()):
            return UNHEARD
        return WAITS_FOR_PEOPLE if waits_for_people(view) else TIME_IS_OVER

    def rest(self) -> float:
        """Seconds until the next look."""
        left = LOOK_EVERY if self._ends is None else self._ends - time.monotonic()
        return max(0.0, min(LOOK_EVERY, left))


# --- as JSON lines ----------------------------------------------------------------------------------


def _as_json(rollway: Rollway, follower: Follower, timeout: float | None, until: str) -> tuple[int, Because]:
    """Print every event as one line of JSON, at once, until it is over."""
    patience = _Patience(rollway, timeout, until)
    while True:
        for event in follower.look():
            click.echo(_json_line(event))
        over = patience.over(follower.view)
        if over is not None:
            return over
        time.sleep(patience.rest())


def _json_line(event: View) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


# --- as lines for people ----------------------------------------------------------------------------


def _as_lines(rollway: Rollway, follower: Follower, timeout: float | None, until: str) -> tuple[int, Because]:
    """One line for each event, for logs: nothing is redrawn."""
    patience = _Patience(rollway, timeout, until)
    while True:
        for event in follower.look():
            for line in _told(event):
                click.echo(line)
        over = patience.over(follower.view)
        if over is not None:
            code, because = over
            if because != "ended":
                click.echo(_parting(follower.view, because, code))
            return over
        time.sleep(patience.rest())


def _told(event: View) -> Iterator[str]:
    from rollway.app.telling import STANDINGS

    at = f"{datetime.fromisoformat(event['at']).astimezone():%Y-%m-%d %H:%M:%S}" if event.get("at") else ""
    if event["event"] == "entry":
        who = "" if event["actor"] == "rollway" else f" [{event['actor']}]"
        yield f"{at}  {event['n']:>3}  {event['kind']:<18}{who} {' '.join(event['text'].split())}"
    elif event["event"] == "verdict":
        states = ", ".join(
            f"{guard['kpi']} {STANDINGS.get(guard['state'], guard['state'])}" for guard in event["guards"]
        )
        yield f"{at}       {'KPIs':<18} {states}" if states else f"{at}       verdict {event['kind']}"
    elif event["event"] in ("late", "unheard"):
        yield f"{at}       {event['text']}"
    else:
        for need in event["needs"]:
            who = f" ({' or '.join(need['who'])})" if need["who"] else ""
            yield f"{at}       {'waits for':<18} {need['kind']}: {need['what']}{who}"


def _parting(view: View, because: Because, code: int) -> str:
    """What stands at the end of a log when the rollout goes on without it."""
    if because == "reached":
        return f"reached; {view['id']} goes on"
    waits = {WAITS_FOR_PEOPLE: "waits for people", UNHEARD: "is carried out by nobody"}.get(
        code, "goes on by itself"
    )
    return f"time is over; {view['id']} {waits}: rollway explain {view['id']}"


# --- live -------------------------------------------------------------------------------------------


def _live(
    console: Console, rollway: Rollway, follower: Follower, timeout: float | None, until: str
) -> tuple[int, Because]:
    """A picture that is redrawn where something changed, and once a second for its clocks."""
    from rollway.cli.canvas import Canvas
    from rollway.cli.watch_picture import picture

    patience = _Patience(rollway, timeout, until)
    drawn, over = float("-inf"), None
    with Canvas(console) as canvas:
        while over is None:
            is_new = bool(list(follower.look()))
            over = patience.over(follower.view)
            if is_new or over or time.monotonic() - drawn >= REDRAW_EVERY:
                canvas.draw(picture(follower.view, rollway.clock(), console, height=console.height - 1))
                drawn = time.monotonic()
            if over is None:
                time.sleep(patience.rest())
    code, because = over
    if because != "ended":
        click.echo(_parting(follower.view, because, code))
    return over
