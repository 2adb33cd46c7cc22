"""plan, docs, approve: from a choice to a plan that may run."""

from __future__ import annotations

from pathlib import Path

import click

from rollway.cli.common import (
    actor_option,
    coloured,
    find_plan,
    json_option,
    opened,
    print_json,
    read_plan,
    read_release,
    release_argument,
    write_file,
)
from rollway.errors import InputError


class PlanGroup(click.Group):
    """`rollway plan release.yaml` makes a plan; a known word after `plan` is a command of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=PlanGroup, subcommand_metavar="RELEASE.YAML | show PLAN | diff PLAN PLAN")
def plan() -> None:
    """Make the rollout plan of a release file, or show and compare plans.

    \b
    rollway plan release.yaml              writes plan.json and keeps it
                     [-o FILE] [--set FACT=VALUE] [--json]
    rollway plan show plan.json            as a readable tree
    rollway plan diff old.json new.json    what changed, in words
    """


@plan.command("make")
@release_argument
@click.option("-o", "--output", default="plan.json", show_default=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def make(
    ctx: click.Context, release_file: Path, changes: tuple[str, ...], output: Path, as_json: bool
) -> None:
    """Choose the method, make the plan, keep it and write it. The same facts give the same plan."""
    from rollway.planning import describe

    release = read_release(release_file, changes)
    with opened(ctx) as rollway:
        made = rollway.plan(release)
    write_file(output, made.text() + "\n")
    if as_json:
        print_json({"hash": made.hash, "file": str(output), "plan": made.to_json()})
        return
    click.echo(describe(made))
    click.echo(f"\nwrote {output}")
    lacking = [
        told
        for is_lacking, told in (
            (not made.prepared_by, "release.prepared_by (nobody can be the second person before)"),
            (made.target is None, "target (what is to be switched)"),
        )
        if is_lacking
    ]
    if lacking:
        click.echo(f"before it can be approved and run, state in {release_file}: {', '.join(lacking)}")
    else:
        click.echo(
            f"next: `rollway docs {output}`; a second person runs `rollway approve {output} --as NAME`"
        )


@plan.command("show")
@click.argument("reference", metavar="PLAN")
@json_option
@click.pass_context
def show(ctx: click.Context, reference: str, as_json: bool) -> None:
    """Print a plan (a file, or the beginning of its hash) as a readable tree."""
    from rollway.planning import describe

    with opened(ctx) as rollway:
        found = find_plan(rollway, reference)
        approval = rollway.approval(found)
    if as_json:
        print_json({"hash": found.hash, "is_approved": approval.is_approved, "plan": found.to_json()})
        return
    click.echo(describe(found))
    click.echo(f"approved by {', '.join(approval.yes)}" if approval.is_approved else approval.missing)


@plan.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def diff_command(old: Path, new: Path) -> None:
    """Say in words what changed from one plan file to another."""
    from rollway.planning import diff

    changes = diff(read_plan(old), read_plan(new))
    click.echo("\n".join(changes) if changes else "the two plans are the same")


@click.command()
@click.argument("reference", metavar="PLAN")
@click.option("-o", "--output", default="documents", show_default=True, type=click.Path(path_type=Path))
@click.option("--format", "formats", multiple=True, type=click.Choice(["md", "html"]), default=("md", "html"))
@click.pass_context
def docs(ctx: click.Context, reference: str, output: Path, formats: tuple[str, ...]) -> None:
    """Write the documents of a plan: the deployment strategy and the rollout plan."""
    from rollway.documents import KINDS, Pack, render

    with opened(ctx) as rollway:
        found = find_plan(rollway, reference)
        facts = rollway.review(found)
    if facts is None:
        raise InputError(
            f"the facts behind plan {found.hash[:12]} are not kept here",
            hint="make the plan here: `rollway plan release.yaml`",
        )
    release, readiness, choice = facts
    pack = Pack(release=release, readiness=readiness, choice=choice, plan=found)
    for kind in KINDS:
        for fmt in formats:
            path = output / f"{kind}.{fmt}"
            write_file(path, render(kind, "html" if fmt == "html" else "md", pack))
            click.echo(f"wrote {path}")


@click.command()
@click.argument("reference", metavar="PLAN")
@actor_option
@click.option("--no", "is_no", is_flag=True, help="Say no: the plan does not run.")
@click.option("--because", default="", help="Why; kept with the answer.")
@json_option
@click.pass_context
def approve(ctx: click.Context, reference: str, actor: str, is_no: bool, because: str, as_json: bool) -> None:
    """Say yes to a plan, by its file or its hash. Whoever prepared it cannot approve it.

    An approval belongs to the plan's hash: a plan that was changed needs new ones.
    """
    with opened(ctx) as rollway:
        found = find_plan(rollway, reference)
        state = rollway.approve(found, actor, decision="no" if is_no else "yes", reason=because)
    if as_json:
        print_json(
            {
                "plan": found.hash,
                "is_approved": state.is_approved,
                "yes": state.yes,
                "no": state.no,
                "missing": state.missing,
            }
        )
        return
    click.echo(
        f"{actor} said {'no' if is_no else 'yes'} to plan {found.hash[:12]} ({found.name} {found.version})."
    )
    if state.is_approved:
        click.echo(f"{coloured('ok', 'approved')}: next, `rollway start {reference}`")
    else:
        click.echo(state.missing)
