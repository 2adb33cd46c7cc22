"""init, schema, check: the release file."""

from __future__ import annotations

from pathlib import Path

import click

from rollway.cli.common import heading, json_option, print_json, read_release, release_argument, write_file
from rollway.errors import InputError, RefusedError


@click.command()
@click.argument("path", default="release.yaml", type=click.Path(path_type=Path))
@click.option(
    "--name", default="my-release", show_default=True, help="Short name: lower case, digits, dashes."
)
@click.option("--version", default="1.0.0", show_default=True, help="Version of the increment.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init(path: Path, name: str, version: str, force: bool) -> None:
    """Write a commented release file, and the schema that lets an editor help with it.

    \b
    Next: fill it in, then `rollway check release.yaml`.
    """
    from rollway.facts import json_schema, parse_release, skeleton

    if path.exists() and not force:
        raise RefusedError(f"{path} is there already", hint="give another name, or --force to replace it")
    text = skeleton(name, version)
    parse_release(text, str(path))
    write_file(path, text)
    import json

    schema_path = path.with_name("release.schema.json")
    write_file(schema_path, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    click.echo(f"wrote {path} and {schema_path}\nnext: fill it in, then `rollway check {path}`")


@click.command()
def schema() -> None:
    """Print the JSON Schema of the release file.

    \b
    Editors with a YAML language server use it through the first line that `rollway init` writes.
    """
    from rollway.facts import json_schema

    print_json(json_schema())


@click.command()
@release_argument
@json_option
def check(release_file: Path, changes: tuple[str, ...], as_json: bool) -> None:
    """Read a release file: every mistake with its place, or every fact with its source.

    Exit code 2 where the file cannot be used.
    """
    from rollway.facts import all_facts, release_to_json

    try:
        release = read_release(release_file, changes)
    except InputError as error:
        if not as_json:
            raise
        problems = [vars(one) for one in getattr(error, "problems", ())]
        print_json({"ok": False, "message": error.message, "hint": error.hint, "problems": problems})
        raise click.exceptions.Exit(error.exit_code) from error
    if as_json:
        print_json({"ok": True, "release": release_to_json(release)})
        return
    facts = all_facts(release)
    stated = [(path, fact) for path, fact in facts if fact.is_stated]
    heading(f"{release.release.title or release.release.name} {release.release.version}")
    width = max((len(path) for path, _ in stated), default=0)
    for path, fact in stated:
        click.echo(f"  {path:<{width}}  {fact.quote()}")
    lists = (
        ("stories", release.backlog.items),
        ("criteria", release.done.criteria),
        ("risks", release.risks.items),
        ("groups", release.stakeholders.groups),
        ("KPIs", release.kpis),
    )
    click.echo("  " + ", ".join(f"{len(rows)} {name}" for name, rows in lists))
    assumed = sum(fact.state == "assumed" for _, fact in stated)
    click.echo(
        f"{release_file} is sound: {len(stated)} facts stated ({assumed} of them assumed), "
        f"{len(facts) - len(stated)} unknown.\nnext: `rollway assess {release_file}`"
    )
