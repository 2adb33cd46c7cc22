"""import: what other tools wrote, as facts with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import heading, json_option, print_json
from rollway.cli.files import with_facts, write_atomically
from rollway.errors import InputError, RefusedError

if TYPE_CHECKING:
    from rollway.facts.importers import Fragment, Imported, Importer, Options

Read = tuple[str, "Importer", "Imported"]
HORIZON_DAYS = 550  # a year and a half of freezes is as far as anybody plans
_SOUND_BY_ITSELF = "release: {name: import, version: import}\n"
_FORMATS = "junit cobertura jacoco sarif jira gitlab github ical xlsx changelog git csv risks backlog groups"


@click.command("import", epilog=f"Formats for --as: {_FORMATS}.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--as", "format_name", metavar="FORMAT", default="", help="Do not guess: read as this format.")
@click.option(
    "--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="Which column of a table holds what."
)
@click.option("--sheet", default="", help="The sheet of a workbook.  [default: all that fit]")
@click.option("--version", default="", help="The version of a changelog.  [default: the newest with changes]")
@click.option(
    "--range",
    "revisions",
    default="",
    metavar="A..B",
    help="Commits of a repository.  [default: since the last tag]",
)
@click.option(
    "--timezone", default="", help="For days without a time zone.  [default: the calendar's, or UTC]"
)
@click.option(
    "--until", metavar="DATE", default="", help="How far recurring freezes go.  [default: 550 days on]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write a file to extend from.")
@click.option("--into", type=click.Path(path_type=Path), help="Write into this release file.")
@click.option("--force", is_flag=True, help="Let -o replace a file that `rollway import` did not write.")
@json_option
def import_command(
    files: tuple[str, ...],
    format_name: str,
    columns: tuple[str, ...],
    sheet: str,
    version: str,
    revisions: str,
    timezone: str,
    until: str,
    output: Path | None,
    into: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Read test results, coverage, findings, risks, stories and freezes, and say what was left out and why.

    FILE is a file, `-` for standard input, or the folder of a git repository. The facts are printed, written
    to a file of their own (-o) that a release file brings in with `extends:`, or written into a release
    file (--into), of which nothing else changes.

    \b
    rollway import junit.xml coverage.xml risks.xlsx -o facts.yaml
    rollway import risks.csv --map risk="Risk title" --map impact=Severity
    gh issue list --state all --json number,title,state,stateReason,labels,assignees | rollway import -
    rollway import . --range v2.3.0..HEAD --into release.yaml
    """
    if output and into:
        raise InputError("-o and --into: give one of them")
    from rollway.facts.importers import Options, combined

    first = datetime.now(UTC).date()
    options = Options(
        first=first,
        last=_day(until) if until else first + timedelta(days=HORIZON_DAYS),
        columns=_pairs(columns),
        sheet=sheet,
        version=version,
        revisions=revisions,
        timezone=timezone,
    )
    read = _read(files, options, format_name)
    fragment = combined([(name, imported) for name, _, imported in read])
    text = _text(fragment, read)
    to_stdout = not (output or into or as_json)
    if not as_json:
        _report(read, error_stream=to_stdout)
    changes = _write(fragment, text, output, into, force=force)
    if as_json:
        print_json(_as_json(read, fragment, output or into, changes))
    elif to_stdout:
        click.echo(text, nl=False)
    else:
        _tell_written(fragment, output, into, changes)


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for one in columns:
        field, sign, column = one.partition("=")
        if not sign or not field.strip() or not column.strip():
            raise InputError(f"--map {one}: write FIELD=COLUMN", hint='such as --map risk="Risk title"')
        pairs[field.strip()] = column.strip()
    return pairs


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--until {text}: this is not a date", hint="such as 2027-12-31") from None


def _read(files: Sequence[str], options: Options, format_name: str) -> list[Read]:
    """Every file, or one error that names all that cannot be read."""
    from rollway.facts.importers import UnreadableError, import_given, read_given

    read, refused = list[Read](), list[UnreadableError]()
    for file in dict.fromkeys(files):
        try:
            given = read_given(file)
            importer, imported = import_given(given, options, format_name)
            read.append((_short(given.name, files), importer, imported))
        except UnreadableError as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        lines = tuple(line for error in refused for line in (f"  {error.message}", *error.details))
        raise UnreadableError(f"{len(refused)} files cannot be read", details=lines, hint=refused[0].hint)
    return read


def _short(name: str, files: Sequence[str]) -> str:
    """A file's name without its folders, where that still tells the files apart."""
    short = Path(name).resolve().name if name in (".", "..") else Path(name).name
    names = [Path(file).name for file in dict.fromkeys(files)]
    return short if names.count(short) < 2 else name


def _text(fragment: Fragment, read: list[Read]) -> str:
    """The file to extend from, found sound. Whatever the importers let through is told here, not later."""
    from rollway.facts import parse_release
    from rollway.facts.importers import fragment_text

    told = [f"{name}: {importer.title}: {imported.told}" for name, importer, imported in read]
    text = fragment_text(fragment, told)
    parse_release(_SOUND_BY_ITSELF + text, "the import")
    return text


def _write(
    fragment: Fragment, text: str, output: Path | None, into: Path | None, *, force: bool
) -> list[tuple[str, str, str]]:
    """Write where it was asked for; returns the facts that changed in a release file: path, old, new."""
    from rollway.facts import load_release, stated_facts
    from rollway.facts.extends import read_written
    from rollway.facts.importers import HEAD, beside

    if output:
        if output.exists() and not force and not output.read_bytes().startswith(HEAD.encode()):
            hint = "give another name, --into to write into it, or --force to replace it"
            raise RefusedError(f"{output} was not written by `rollway import`", hint=hint)
        write_atomically(output, text)
    if not into or not fragment.facts:
        return []
    before = dict(stated_facts(load_release(into)))
    changed = with_facts(into, beside(fragment, read_written([into]).root))
    write_atomically(into, changed)
    return [
        (path, before[path].quote() if path in before else "unknown", fact.quote())
        for path, fact in stated_facts(load_release(into))
        if path in fragment.sources and (path not in before or before[path].value != fact.value)
    ]


def _report(read: list[Read], *, error_stream: bool) -> None:
    for name, importer, imported in read:
        click.echo(f"{click.style(name, bold=True)}: {importer.title}: {imported.told}", err=error_stream)
        for line in imported.notes:
            click.echo(f"  {line}", err=error_stream)
        for skipped in imported.skipped:
            click.echo(f"  {click.style(skipped.told(), fg='yellow')}", err=error_stream)


def _tell_written(
    fragment: Fragment, output: Path | None, into: Path | None, changes: list[tuple[str, str, str]]
) -> None:
    path = output or into
    if not fragment.facts:
        click.echo("nothing to write: no file states a fact of a release")
        return
    heading(f"\nwrote {path}")
    for where, names in fragment.sources.items():
        click.echo(f"  {where:<32} {_gist(fragment, where):<16} from {', '.join(names)}")
    for where, old, new in changes:
        click.echo(f"  {where}: {old} -> {new}")
    if output:
        click.echo(f"next: write `extends: {output.name}` into the release file beside it")
    else:
        click.echo(f"next: `rollway assess {into}`")


def _gist(fragment: Fragment, path: str) -> str:
    """The value of a fact, or how many entries a list has."""
    value: Any = fragment.facts
    for key in path.split("."):
        value = value[key]
    if isinstance(value, list):
        return "1 entry" if len(value) == 1 else f"{len(value):,} entries"
    return f"assumed {value['assume']}" if "assume" in value else str(value["value"])


def _as_json(
    read: list[Read], fragment: Fragment, path: Path | None, changes: list[tuple[str, str, str]]
) -> dict[str, Any]:
    files = [
        {
            "file": name,
            "format": importer.name,
            "read": imported.told,
            "notes": imported.notes,
            "skipped": [asdict(one) for one in imported.skipped],
        }
        for name, importer, imported in read
    ]
    changed = [{"path": where, "before": old, "after": new} for where, old, new in changes]
    return {"files": files, "facts": fragment.facts, "written": path and str(path), "changed": changed}
