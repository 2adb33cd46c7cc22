"""plan edit: people overrule a plan, in an editor or by a script, and say why."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import actor_option, find_plan, json_option, opened, print_json, write_file
from rollway.errors import InputError, RefusedError, RollwayError

if TYPE_CHECKING:
    from rollway.planning import Plan


@click.command("edit")
@click.argument("reference", metavar="PLAN")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value without an editor, such as stages.pilot.bake_seconds=14d. May be repeated.",
)
@click.option("--because", default="", help="Why; kept in the plan.")
@click.option(
    "--from",
    "draft",
    type=click.Path(path_type=Path),
    help="Take this text instead of opening an editor: a draft that was kept after an error.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to.  [default: PLAN itself]")
@actor_option
@json_option
@click.pass_context
def edit(
    ctx: click.Context,
    reference: str,
    changes: tuple[str, ...],
    because: str,
    draft: Path | None,
    output: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """Overrule a plan: it opens as commented YAML in $VISUAL or $EDITOR.

    What was changed stays in the plan with its reason. The result is a new plan with a new hash, and needs an
    approval of its own.

    \b
    Example
      rollway plan edit plan.json
      rollway plan edit plan.json --set stages.pilot.bake_seconds=14d --because "a whole pay run"
    """
    from rollway.planning import diff

    with opened(ctx) as rollway:
        plan = find_plan(rollway, reference)
        if changes:
            made = _by_values(plan, changes, because, actor)
        elif draft is not None:
            made = _by_text(plan, _read(draft), str(draft), because, actor)
        else:
            made = _by_editor(plan, because, actor)
        facts = rollway.review(plan)
        for one in (plan, made):
            rollway.plans.save(one, rollway.clock(), None if facts is None else facts[0])
    path = output or (Path(reference) if Path(reference).exists() else Path("plan.json"))
    write_file(path, made.text() + "\n")
    told = diff(plan, made)
    if as_json:
        print_json({"hash": made.hash, "was": plan.hash, "file": str(path), "changes": told})
        return
    for line in told:
        click.echo(line)
    click.echo(f"\nwrote {path}: plan {made.hash[:12]}, was {plan.hash[:12]} (kept)")
    click.echo(f"it needs an approval of its own: `rollway approve {path} --as NAME`")


def _by_values(plan: Plan, changes: tuple[str, ...], because: str, actor: str) -> Plan:
    from pydantic import ValidationError

    from rollway.planning.edit import edited, with_values
    from rollway.planning.misfits import misfits, named

    pairs: dict[str, str] = {}
    for change in changes:
        path, sign, value = change.partition("=")
        if not sign:
            raise InputError(f"--set {change}: write PATH=VALUE", hint="--set stages.pilot.bake_seconds=14d")
        pairs[path.strip()] = value
    body = with_values(plan, pairs)
    try:
        return edited(plan, body, because, actor)
    except ValidationError as error:
        details = tuple(f"  {named(body, where)}: {told}" for where, told in misfits(error))
        raise InputError("the changed plan could not be carried out", details=details) from None


def _by_text(plan: Plan, text: str, name: str, because: str, actor: str) -> Plan:
    from pydantic import ValidationError

    from rollway.planning.edit import edited, misfits
    from rollway.planning.edit_text import Draft

    draft = Draft(plan, text, name)
    try:
        return edited(plan, draft.body, draft.because or because, actor)
    except ValidationError as error:
        raise draft.problems(dict(misfits(error))) from None


def _by_editor(plan: Plan, because: str, actor: str) -> Plan:
    """Offers the text again as long as something is wrong with it; it is never thrown away."""
    from rollway.planning.edit_text import write_text

    text = write_text(plan)
    handle, name = tempfile.mkstemp(prefix=f"{plan.name}-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    path = Path(name)
    while True:
        click.edit(filename=name)
        written = _read(path)
        if written == text or not written.strip():
            path.unlink()
            raise InputError("nothing was changed")
        try:
            made = _by_text(plan, written, name, because, actor)
        except (InputError, RefusedError) as error:
            _offer_again(error, path)
            continue
        path.unlink()
        return made


def _offer_again(error: RollwayError, path: Path) -> None:
    click.echo(str(error), err=True)
    try:
        if click.confirm("Open it again?", default=True, err=True):
            return
    except click.Abort:
        pass
    hint = f"go on with it: `rollway plan edit PLAN --from {path}`"
    raise InputError(f"nothing was written; your text is kept in {path}", hint=hint)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from error
