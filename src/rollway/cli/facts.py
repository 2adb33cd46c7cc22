"""init, schema, check and facts: the release file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import heading, json_option, print_json
from rollway.cli.files import write_atomically
from rollway.cli.releases import named, read_loaded, releases_argument
from rollway.errors import InputError, RefusedError

if TYPE_CHECKING:
    from rollway.facts import Release
    from rollway.facts.outline import Line

_COLOURS = {"known": "green", "assumed": "cyan", "unknown": "yellow"}
_WIDEST_PATH, _WIDEST_VALUE = 44, 48


@click.command()
@click.argument("path", default="release.yaml", type=click.Path(path_type=Path))
@click.option(
    "--name", default="my-release", show_default=True, help="Short name: lower case, digits, dashes."
)
@click.option("--version", default="1.0.0", show_default=True, help="Version of the increment.")
@click.option("--ask", is_flag=True, help="Ask for the facts here; goes on where a file is there already.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.pass_context
def init(ctx: click.Context, path: Path, name: str, version: str, ask: bool, force: bool) -> None:
    """Write a commented release file, and the schema that lets an editor help with it.

    With --ask it asks for what matters most next, says why, and writes each answer at once: leave any time
    with `quit` and go on later with the same command. Answers may be piped in, one a line.

    \b
    Next: fill it in, then `rollway check release.yaml`.
    """
    goes_on = ask and path.exists() and not force
    if path.exists() and not force and not ask:
        hint = f"give another name, --force to replace it, or --ask to fill it in: rollway init --ask {path}"
        raise RefusedError(f"{path} is there already", hint=hint)
    if ask and not goes_on:
        name, version = _asked(ctx, path, name, version)
    if not goes_on:
        click.echo(_write_skeleton(path, name, version))
    if ask:
        from rollway.cli.interview import interview

        interview(path)
    else:
        click.echo(f"next: fill it in, then `rollway check {path}`; or `rollway init --ask {path}`")


def _write_skeleton(path: Path, name: str, version: str) -> str:
    from rollway.facts import SCHEMA_FILE, json_schema, parse_release, skeleton

    text = skeleton(name, version)
    parse_release(text, str(path))
    write_atomically(path, text)
    schema_path = path.with_name(SCHEMA_FILE)
    write_atomically(schema_path, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    return f"wrote {path} and {schema_path}"


def _asked(ctx: click.Context, path: Path, name: str, version: str) -> tuple[str, str]:
    """Name and version, asked for where the command line gives none."""
    from rollway.facts import skeleton

    def is_given(option: str) -> bool:
        return ctx.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT

    folder = re.sub(r"[^a-z0-9]+", "-", path.resolve().parent.name.lower()).strip("-")[:60].strip("-")
    if is_given("name"):
        skeleton(name, version)
    else:
        name = _asked_for("Short name of the release", folder or name, lambda told: skeleton(told, version))
    if not is_given("version"):
        version = _asked_for("Its version", version, lambda told: skeleton(name, told))
    return name, version


def _asked_for(what: str, offered: str, check: Callable[[str], object]) -> str:
    """A line that passes the check, or what is offered where it is empty or none comes any more."""
    from rollway.cli.interview import line

    while True:
        try:
            told = line(f"{what} [{offered}]: ") or offered
            check(told)
        except EOFError:
            return offered
        except InputError as error:
            click.echo("  " + "; ".join(part for part in (error.message, error.hint) if part))
        else:
            return told


@click.command()
def schema() -> None:
    """Print the JSON Schema of the release file.

    \b
    Editors with a YAML language server use it through the first line that `rollway init` writes.
    """
    from rollway.facts import json_schema

    print_json(json_schema())


@click.command()
@releases_argument
@json_option
def check(release_files: tuple[Path, ...], changes: tuple[str, ...], as_json: bool) -> None:
    """Read a release file: every mistake with its place, or every fact with its source.

    Several files are laid over one another, the later over the earlier; so is a file over those that its
    line `extends:` names.  [default: release.yaml]

    Exit code 2 where the file cannot be used.
    """
    from rollway.facts import release_to_json, stated_facts

    try:
        release = read_loaded(release_files, changes).release
    except InputError as error:
        if not as_json:
            raise
        problems = [vars(one) for one in getattr(error, "problems", ())]
        print_json({"ok": False, "message": error.message, "hint": error.hint, "problems": problems})
        raise click.exceptions.Exit(error.exit_code) from error
    if as_json:
        print_json({"ok": True, "release": release_to_json(release)})
        return
    heading(f"{release.release.title or release.release.name} {release.release.version}")
    stated = stated_facts(release)
    width = max((len(path) for path, _ in stated), default=0)
    for path, fact in stated:
        click.echo(f"  {path:<{width}}  {fact.quote()}")
    click.echo("  " + _rows_told(release))
    click.echo(f"{_sound(release, release_files)}\nnext: `rollway assess {named(release_files)}`")


def _rows_told(release: Release) -> str:
    lists = (
        ("stories", release.backlog.items),
        ("criteria", release.done.criteria),
        ("risks", release.risks.items),
        ("groups", release.stakeholders.groups),
        ("KPIs", release.kpis),
    )
    return ", ".join(f"{len(rows)} {name}" for name, rows in lists)


def _sound(release: Release, paths: tuple[Path, ...]) -> str:
    from rollway.facts import all_facts

    states = Counter(fact.state for _, fact in all_facts(release))
    stated = states["known"] + states["assumed"]
    return (
        f"{named(paths)} {'is' if len(paths) == 1 else 'are'} sound: {stated} facts stated "
        f"({states['assumed']} of them assumed), {states['unknown']} unknown."
    )


@click.group(name="facts")
def facts() -> None:
    """List what a release file says.

    \b
    rollway facts show                       release.yaml
    rollway facts show org.yaml release.yaml
    rollway facts show --only unknown        what nobody has said
    """


@facts.command()
@releases_argument
@click.option("--only", type=click.Choice(["known", "assumed", "unknown"]), help="Only facts in this state.")
@click.option("--under", default="", metavar="PATH", help="Only what lies under a path, such as migration.")
@json_option
def show(
    release_files: tuple[Path, ...], changes: tuple[str, ...], only: str | None, under: str, as_json: bool
) -> None:
    """List every fact with its value, its state and where it comes from.

    An entry of a list is one line; what is still open inside it is another.  [default: release.yaml]
    """
    from rollway.facts.outline import outline

    everything = outline(read_loaded(release_files, changes))
    lines = [one for one in everything if only in (None, one.state) and _lies_under(one.path, under)]
    if under and not lines and not any(_lies_under(one.path, under) for one in everything):
        from rollway.facts.problems import did_you_mean

        parents = {
            ".".join(parts[:end]) for one in everything for parts in [one.path.split(".")] for end in (1, 2)
        }
        raise InputError(f"--under {under}: there is nothing of that name", hint=did_you_mean(under, parents))
    counts = Counter(one.state for one in lines)
    if as_json:
        print_json({"facts": [asdict(one) for one in lines], "counts": counts})
        return
    _print_table(lines)
    click.echo(", ".join(f"{counts[state]} {state}" for state in ("known", "assumed", "unknown")))


def _lies_under(path: str, under: str) -> bool:
    return not under or path == under or path.startswith(f"{under}.")


def _print_table(lines: list[Line]) -> None:
    """Paths and values in columns; what is too wide for its column is cut, but never a path."""
    width = min(max((len(one.path) for one in lines), default=0), _WIDEST_PATH)
    values = [_clipped(one.told()) for one in lines]
    value_width = max(map(len, values), default=0)
    section = ""
    for one, value in zip(lines, values, strict=True):
        if section and not one.path.startswith(f"{section}."):
            click.echo()
        section = one.path.partition(".")[0]
        state = click.style(f"{one.state:<7}", fg=_COLOURS[one.state])
        source = ", ".join(part for part in (one.note, one.source) if part)
        click.echo(f"{one.path:<{width}}  {value:<{value_width}}  {state}  {source}".rstrip())


def _clipped(text: str) -> str:
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"
