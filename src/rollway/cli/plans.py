"""plan, docs, approve: from a choice to a plan that may run."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import (
    actor_option,
    coloured,
    find_plan,
    json_option,
    opened,
    print_json,
    read_release,
    release_argument,
    write_file,
)
from rollway.cli.plan_edit import edit
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.facts import Release
    from rollway.planning import Plan
    from rollway.planning.calendar.model import Calendar
    from rollway.planning.runbooks import Runbook

DIFFERENT = 1
"""What `plan diff` ends with where something changed, as the diff of files does."""


class PlanGroup(click.Group):
    """`rollway plan release.yaml` makes a plan; a known word after `plan` is a command of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=PlanGroup, subcommand_metavar="RELEASE.YAML | show PLAN | diff PLAN PLAN | edit PLAN")
def plan() -> None:
    """Make the rollout plan of a release file, or show, compare and overrule plans.

    \b
    rollway plan release.yaml              writes plan.json and keeps it
                     [-o FILE] [--set FACT=VALUE] [--runbook FILE] [--calendar FILE]
                     [--check] [--json]
    rollway plan show plan.json            as a readable tree
    rollway plan diff old.json new.json    what changed, in words
    rollway plan edit plan.json            overrule it, with a reason that stays in it
    """


@plan.command("make")
@release_argument
@click.option("-o", "--output", default="plan.json", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--runbook",
    "runbook_file",
    type=click.Path(path_type=Path),
    help="The team's own runbook (YAML, .xlsx or a plan), put together with the generated tasks.",
)
@click.option(
    "--calendar",
    "calendar_files",
    metavar="FILE",
    multiple=True,
    help="The organisation's calendar; what of it concerns the release holds while it runs. May be repeated.",
)
@click.option("--check", "is_checked", is_flag=True, help="Rehearse it shortly; exit code 14 where it fails.")
@json_option
@click.pass_context
def make(
    ctx: click.Context,
    release_file: Path,
    changes: tuple[str, ...],
    output: Path,
    runbook_file: Path | None,
    calendar_files: tuple[str, ...],
    is_checked: bool,
    as_json: bool,
) -> None:
    """Choose the method, make the plan, keep it and write it. The same facts give the same plan."""
    from rollway.planning import describe

    release = read_release(release_file, changes)
    book = _team_runbook(release, release_file, runbook_file)
    calendar = _calendar(release, release_file, calendar_files)
    with opened(ctx) as rollway:
        made = rollway.plan(release, book, calendar)
    write_file(output, made.text() + "\n")
    if as_json:
        print_json({"hash": made.hash, "file": str(output), "plan": made.to_json()})
    else:
        click.echo(describe(made))
        click.echo(f"\nwrote {output}")
        _say_next(release_file, output, made)
    if is_checked:
        from rollway.cli.rehearse import check_plan

        check_plan(made, as_json=as_json)


def _say_next(release_file: Path, output: Path, made: Plan) -> None:
    """What is to be done with the plan, or stated before."""
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


def _team_runbook(release: Release, release_file: Path, given: Path | None) -> Runbook | None:
    """The team's own runbook: the file that is given, else the one that the release wishes for."""
    wished = release.rollout.runbook
    if given is None and not wished:
        return None
    from rollway.cli.runbook_files import read_runbook

    book, warnings = read_runbook(given or release_file.parent / wished)
    for warning in warnings:
        click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {warning}", err=True)
    return book


def _calendar(release: Release, release_file: Path, given: tuple[str, ...]) -> Calendar | None:
    """The calendar in the files that are given, else in the one that the release wishes for."""
    wished = release.rollout.calendar
    if not given and not wished:
        return None
    from rollway.cli.calendar import read_calendar

    return read_calendar(given or (str(release_file.parent / wished),))


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
@click.argument("old", metavar="PLAN")
@click.argument("new", metavar="PLAN")
@json_option
@click.pass_context
def diff_command(ctx: click.Context, old: str, new: str, as_json: bool) -> None:
    """Say in words what changed from one plan to another (files, or the beginnings of their hashes).

    Ends with 0 where nothing changed and with 1 where something did; other codes are errors.
    """
    from rollway.planning import diff

    with opened(ctx) as rollway:
        before, after = find_plan(rollway, old), find_plan(rollway, new)
    changes = diff(before, after)
    if as_json:
        print_json({"old": before.hash, "new": after.hash, "changes": changes})
    else:
        for line in changes or ("nothing changed",):
            click.echo("\n".join(textwrap.wrap(line, 80, subsequent_indent="    ", break_on_hyphens=False)))
    if changes:
        raise SystemExit(DIFFERENT)


plan.add_command(edit)


@click.command()
@click.argument("reference", metavar="PLAN")
@click.option("-o", "--output", default="documents", show_default=True, type=click.Path(path_type=Path))
@click.option("--format", "formats", multiple=True, type=click.Choice(["md", "html"]), default=("md", "html"))
@click.pass_context
def docs(ctx: click.Context, reference: str, output: Path, formats: tuple[str, ...]) -> None:
    """Write the documents of a plan: the deployment strategy and the rollout plan."""
    from rollway.documents import Format, Pack, files

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
    wanted: list[Format] = ["html" if fmt == "html" else "md" for fmt in formats]
    for name, text in files(pack, wanted):
        write_file(output / name, text)
        click.echo(f"wrote {output / name}")


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
