"""judge: the judge by itself, on stored evidence, on files, and on plans."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rollway.cli.common import opened, write_file
from rollway.errors import NotFoundError

if TYPE_CHECKING:
    from rollway.judge import Verdict
    from rollway.judge.evidence_file import Look

COMMANDS = {
    "ab": ("judge_ab:ab", "Judge two CSV files: is the new version worse than the old one?"),
    "power": ("judge_power:power", "Say before a rollout which faults it would catch, and how soon."),
    "export": ("judge:export", "Write the evidence of a rollout to a file."),
    "replay": ("judge:replay", "Judge a file of evidence again, and print every verdict."),
    "calibrate": ("calibrate:calibrate", "Learn from history how noisy healthy versions are."),
}


class JudgeGroup(click.Group):
    """Knows its commands' names and one-line helps; each is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"rollway.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(cls=JudgeGroup)
def judge() -> None:
    """The judge by itself: on two files, on the evidence of a rollout, and on a plan before it runs.

    It compares a new version with the old one and says healthy, harmful, undecided or blind. However
    often it looks, it calls a healthy version harmful with a probability of at most alpha.

    \b
    Example
      rollway judge ab old.csv new.csv                is the new version worse?
      rollway judge power release.yaml                what would the plan see, and how soon?
      rollway judge export ROLLOUT -o evidence.jsonl  what were its verdicts made of?
    """


@click.command()
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path))
@click.option("--brief", is_flag=True, help="For people: a line each time the verdict changes.")
def replay(file: Path, brief: bool) -> None:
    """Judge a file of evidence again, and print its verdicts as JSON Lines, one for each look.

    The file holds the rules, the readings, and the moments at which a verdict was given; without such
    moments every reading's end is one. On what `rollway judge export` wrote, the output is byte for byte
    what the engine recorded: a verdict depends on nothing that is not in the file.

    \b
    Lines of the file: the first one, then any number of the others
      {"format": "rollway.evidence/1", "rules": {"guards": [{"kpi": ..}], ..}}
      {"reading": {"kpi": .., "start": .., "end": .., "stage": .., "share": ..,
                   "candidate": {"trials": .., "bad": ..}, "baseline": ..}}
      {"look": {"now": .., "stage": .., "share": ..}}

    \b
    Example
      rollway judge export -o evidence.jsonl
      rollway judge replay evidence.jsonl | tail -1
      rollway judge replay evidence.jsonl --brief
    """
    from rollway.cli.judge_numbers import read_text
    from rollway.judge.evidence_file import judge_again, looks_of, read_course, verdict_line

    text = read_text(file, "give a file of evidence, as `rollway judge export` writes it")
    rules, course = read_course(text, str(file))
    if brief:
        _show_changes(zip(looks_of(course), judge_again(rules, course), strict=True))
        return
    for said in judge_again(rules, course):
        click.echo(verdict_line(said))


def _show_changes(judged: Iterable[tuple[Look, Verdict]]) -> None:
    """When, at what share, which verdict and why: the first one and each that differs from the one before."""
    from rollway.cli.judge_numbers import say

    begin, before, looks = None, None, 0
    for look, said in judged:
        looks, begin = looks + 1, said.at if begin is None else begin
        if (said.kind, said.stage) != before:
            click.echo(f"{said.at - begin:9.1f} s  {look.share:6.1%}  {said.stage:<12.12}  {said.kind}")
            say(said.reason, indent=" " * 13)
            before = said.kind, said.stage
    click.echo(f"{looks:,} look{'s' if looks != 1 else ''}")


@click.command()
@click.argument("rollout", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file.  [default: print it]")
@click.pass_context
def export(ctx: click.Context, rollout: str | None, output: Path | None) -> None:
    """Write the evidence of a rollout (the newest one) as JSON Lines: all that its verdicts depend on.

    First the rules, then readings and the moments of judging, in the order they came.

    \b
    Example
      rollway judge export reporting-2.4.0-1 -o evidence.jsonl
    """
    from rollway.judge.evidence_file import write_evidence

    try:
        with opened(ctx) as rollway:
            rules, course = rollway.evidence(rollout or rollway.newest_rollout())
    except NotFoundError as error:
        if demos := _demos(ctx.find_root().obj):
            hint = f"the demo keeps its own: rollway --data {demos[-1]} judge export"
            raise NotFoundError(error.message, hint=hint) from error
        raise
    lines = list(write_evidence(rules, course))
    if output is None:
        for line in lines:
            click.echo(line)
        return
    write_file(output, "".join(f"{line}\n" for line in lines))
    click.echo(f"wrote {len(lines) - 1} readings and looks to {output}")


def _demos(data: object) -> list[Path]:
    """The data folders that `rollway demo` has left below this one, the newest last."""
    return [file.parent for file in sorted(Path(str(data)).glob("demo/*/data/rollway.db"))]
