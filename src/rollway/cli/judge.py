"""judge: the judge by itself, on stored evidence, on files, and on plans."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from rollway.cli.common import opened, write_file
from rollway.errors import InputError

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
def replay(file: Path) -> None:
    """Judge a file of evidence again, and print its verdicts as JSON Lines, one for each look.

    The file holds the rules, the readings, and the moments at which a verdict was given; without such
    moments every reading's end is one. On what `rollway judge export` wrote, the output is byte for byte
    what the engine recorded: a verdict depends on nothing that is not in the file.

    \b
    Example
      rollway judge export -o evidence.jsonl
      rollway judge replay evidence.jsonl | tail -1
    """
    from rollway.judge.evidence_file import judge_again, read_course, verdict_line

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}", hint="`rollway judge export` writes one") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text: {error.reason}") from error
    rules, course = read_course(text, str(file))
    for said in judge_again(rules, course):
        click.echo(verdict_line(said))


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

    with opened(ctx) as rollway:
        rules, course = rollway.evidence(rollout or rollway.newest_rollout())
    lines = list(write_evidence(rules, course))
    if output is None:
        for line in lines:
            click.echo(line)
        return
    write_file(output, "".join(f"{line}\n" for line in lines))
    click.echo(f"wrote {len(lines) - 1} readings and looks to {output}")
