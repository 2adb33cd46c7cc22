"""What the commands share: the database they work on, who speaks, and how answers are printed."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.app import Rollway
    from rollway.facts import Release
    from rollway.planning import Plan

F = TypeVar("F", bound=Callable[..., Any])

COLOURS = {
    "ok": "green",
    "gap": "red",
    "unknown": "yellow",
    "allowed": "green",
    "blocked": "red",
    "satisfied": "green",
    "violated": "red",
    "healthy": "green",
    "harmful": "red",
    "undecided": "yellow",
    "blind": "magenta",
    "running": "cyan",
    "waiting": "yellow",
    "paused": "yellow",
    "rolling_back": "red",
    "rolled_back": "red",
    "done": "green",
}


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


def actor_option(function: F) -> F:
    return click.option(
        "--as",
        "actor",
        envvar="ROLLWAY_USER",
        default=_me,
        help="Who speaks.  [default: you; env: ROLLWAY_USER]",
    )(function)


def release_argument(function: F) -> F:
    function = click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="FACT=VALUE",
        help="Change one fact for this call, such as architecture.feature_flags=false. May be repeated.",
    )(function)
    return click.argument("release_file", metavar="RELEASE.YAML", type=click.Path(path_type=Path))(function)


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def read_release(path: Path, changes: tuple[str, ...] = ()) -> Release:
    from rollway.facts import load_release

    pairs = {}
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise InputError(
                f"--set {change}: write FACT=VALUE", hint="--set architecture.feature_flags=false"
            )
        pairs[name.strip()] = value
    return load_release(path, changes=pairs)


@contextmanager
def opened(ctx: click.Context) -> Iterator[Rollway]:
    """Rollway on the database that --data names."""
    from rollway.app import Rollway

    rollway = Rollway(ctx.find_root().obj)
    try:
        yield rollway
    finally:
        rollway.close()


def find_plan(rollway: Rollway, reference: str) -> Plan:
    """A plan by its file or by (the beginning of) its hash."""
    if not re.fullmatch(r"[0-9a-f]{6,64}", reference) or Path(reference).exists():
        return read_plan(Path(reference))
    return rollway.find_plan(reference)


def read_plan(path: Path) -> Plan:
    """A plan from a JSON file. Raises InputError that says where it is wrong."""
    from pydantic import ValidationError

    from rollway.planning import Plan

    try:
        return Plan.from_text(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", hint="`rollway plan release.yaml` writes one"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: this is no plan: {error}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except ValidationError as error:
        found = tuple(f"  {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:20])
        raise InputError(f"{path}: not a plan", details=found, hint="make it with `rollway plan`") from error


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def coloured(word: str, text: str | None = None) -> str:
    """`text` (or the word itself) in the colour that belongs to the word."""
    return click.style(text or word.replace("_", " "), fg=COLOURS.get(word), bold=True)


def heading(text: str) -> None:
    click.echo(click.style(text, bold=True))


def write_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
