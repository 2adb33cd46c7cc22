"""target check: does a target, of Rollway or of somebody else, keep what rollouts rely on?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from rollway.cli.common import json_option, opened, print_json, read_plan, read_release
from rollway.errors import InputError, RefusedError

if TYPE_CHECKING:
    from rollway.app import Rollway
    from rollway.app.conformance import Promise

BROKEN = 15
NAME_WIDTH, SCREEN = 25, 98
COLOURS = {"kept": "green", "broken": "red", "untried": "yellow"}


@click.group()
def target() -> None:
    """Targets: what can be told to expose the new version.

    `rollway target check` tries whether one keeps the promises that rollouts rely on: one that ships with
    Rollway in your own surroundings, or one that you wrote.
    """


@target.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--yes-move-traffic",
    "move",
    is_flag=True,
    help="Try also what moves traffic: 1%, a half, everyone, nobody, control groups; then back again.",
)
@click.option("--within", default="10s", show_default=True, help="How long a share may take to be read back.")
@json_option
@click.pass_context
def check(ctx: click.Context, file: Path, move: bool, within: str, as_json: bool) -> None:
    """Try the promises of the target of FILE: a release, a plan, or its options alone.

    Options alone are a YAML file as the `target:` section of a release: `type:` and what belongs to it.
    Without --yes-move-traffic only that is tried which changes nothing for users. With it every user may be
    moved to the new version for some seconds: never do this where real users are.

    What could not be tried breaks nothing. Exit code 15 where a promise was broken.
    """
    from rollway.app.conformance import Conformance, broken
    from rollway.app.connectors import make_target
    from rollway.app.preflight import seconds_of
    from rollway.rollout import Surroundings

    kind, options = _target_of(file)
    seconds = seconds_of(within, "--within")
    with opened(ctx) as rollway:
        around = Surroundings(rollout=f"check-{uuid4().hex[:12]}", flags=rollway.flags, make=make_target)
        if move:
            _refuse_busy(rollway, kind, options, around)
        conformance = Conformance(lambda given: make_target(kind, given, around), options, within=seconds)
        promises = conformance.run(move=move)
    found = broken(promises)
    if as_json:
        print_json({"type": kind, "is_kept": not found, "promises": [asdict(one) for one in promises]})
    else:
        _show(promises)
        _show_end(promises, found, move)
    if found:
        raise click.exceptions.Exit(BROKEN)


def _target_of(path: Path) -> tuple[str, dict[str, Any]]:
    """The type and the options of a target. Raises InputError where the file names none."""
    told = _plain(path)
    if isinstance(told, Mapping) and isinstance(told.get("type"), str):
        return told["type"], {str(name): value for name, value in told.items() if name != "type"}
    is_plan = isinstance(told, Mapping) and str(told.get("format", "")).startswith("rollway.plan/")
    spec = read_plan(path).target if is_plan else read_release(path).target
    if spec is None:
        raise InputError(f"{path}: names no target", hint="add a `target:` section")
    return spec.type, spec.options()


def _plain(path: Path) -> Any:
    """What a YAML or JSON file holds. Raises InputError with the place of what cannot be read."""
    from rollway.facts.places import parse_value
    from rollway.facts.problems import SourceText

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="give a release, a plan or a target") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: this is no UTF-8 text", hint="save it as UTF-8") from error
    try:
        return json.loads(text)  # a plan may have more lines than a file that people write
    except ValueError:
        return parse_value(SourceText(str(path), text)).plain()


def _refuse_busy(rollway: Rollway, kind: str, options: dict[str, Any], around: Any) -> None:
    from rollway.app.busy import holder_of
    from rollway.app.connectors import make_target

    holder = holder_of(make_target(kind, options, around), rollway.rollouts, rollway.connectors)
    if holder is not None:
        raise RefusedError(holder.told, hint=holder.hint)


def _show(promises: tuple[Promise, ...]) -> None:
    for promise in promises:
        state = click.style(f"{promise.state:<7}", fg=COLOURS[promise.state], bold=True)
        took = f" ({promise.seconds:.2g} s)" if promise.seconds is not None else ""
        first, *rest = wrap(f"{promise.told}{took}", SCREEN - NAME_WIDTH - 11) or [""]
        click.echo(f"  {state}  {promise.name:<{NAME_WIDTH}}  {first}")
        for line in rest:
            click.echo(f"  {'':7}  {'':<{NAME_WIDTH}}  {line}")


def _show_end(promises: tuple[Promise, ...], found: tuple[Promise, ...], move: bool) -> None:
    untried = sum(promise.state == "untried" for promise in promises)
    kept = len(promises) - untried - len(found)
    click.echo(f"\n{kept} of {len(promises)} promises kept, {len(found)} broken, {untried} untried.")
    if not move:
        click.echo("Where no user is: --yes-move-traffic tries the rest.")
