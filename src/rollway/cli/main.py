"""The `rollway` command. Each command's module is imported only when it is called: see decision 0002."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from rollway import __version__
from rollway.errors import RollwayError

CHAPTERS: dict[str, dict[str, tuple[str, str]]] = {
    "Decide": {
        "init": ("facts:init", "Write a release file to fill in."),
        "schema": ("facts:schema", "Print the JSON Schema of the release file, for editors."),
        "check": ("facts:check", "Read a release file and say what is wrong with it, or what it states."),
        "facts": ("facts:facts", "List every fact with its value, its state and its source."),
        "import": ("imports:import_command", "Read tests, findings, risks, stories and freezes as facts."),
        "assess": ("readiness:assess_command", "Review whether the release is ready, area by area."),
        "choose": ("decide:choose_command", "Choose the deployment method, and say why."),
    },
    "Plan and approve": {
        "plan": ("plans:plan", "Make the rollout plan; show or compare plans."),
        "rehearse": ("rehearse:rehearse", "Carry a plan out on a simulated service, many times, beforehand."),
        "docs": ("plans:docs", "Write the documents of a plan."),
        "runbook": ("runbook:runbook", "Check, show and time a cutover's runbook; YAML or workbook."),
        "calendar": ("calendar:calendar", "Windows, freezes, absences; the next slot of a release."),
        "approve": ("plans:approve", "Say yes (or no) to a plan."),
    },
    "Run": {
        "serve": ("serve:serve", "Serve the page, the API and the flags, and carry rollouts out."),
        "preflight": ("preflight:preflight", "Look whether all that a rollout depends on works, beforehand."),
        "start": ("start:start", "Start carrying out an approved plan."),
        "watch": ("watch:watch", "Follow a rollout until it ends."),
        "explain": ("explain:explain", "Say why a rollout is where it is, and what it would take."),
        "status": ("rollouts:status", "Say what runs and what waits, or where one rollout stands."),
        "pause": ("rollouts:pause", "Hold a rollout where it is."),
        "resume": ("rollouts:resume", "Let a paused rollout go on."),
        "promote": ("rollouts:promote", "Go to the next stage now, over the stage's rule."),
        "override-window": ("rollouts:override_window", "Go on outside of change windows and freezes."),
        "rollback": ("rollouts:rollback", "Take the release back, at once."),
        "roll-forward": ("rollouts:roll_forward", "Go on past the point of no return, after a mend."),
        "retry": ("start:retry", "Start a rollout that was taken back once more."),
        "task": ("tasks:task", "See gates and tasks, and say what became of them."),
        "record": ("rollouts:record", "Print or verify what happened."),
        "errands": ("errands:errands", "Say what people are asked to do."),
        "errand": ("errands:errand", "Say that an errand is done, or that it failed."),
        "sites": ("errands:sites", "Say where each site of a rollout stands."),
        "tokens": ("tokens:tokens", "Who may send readings and metrics to Rollway."),
        "channels": ("channels:channels", "Where notifications go: webhooks, mail, chat."),
    },
    "Look into": {
        "target": ("target_check:target", "Try whether a target keeps the promises rollouts rely on."),
        "judge": ("judge:judge", "Judge files and evidence by themselves; foresee what a plan would catch."),
    },
    "Try": {
        "demo": ("demo:demo", "See a good release go out and two bad ones come back."),
    },
}

EXIT_CODES = """\
\b
Exit codes
  0   done as asked          4   refused by a rule       10  watch: rolled back
  1   something broke        5   somebody was faster     11  assess: not ready
  2   the input is wrong     6   try again later         12  choose: no method fits
  3   there is no such thing                             13  record: not whole
                                                         14  rehearse: promise missed
                                                         15  a preflight or target check failed
                                                         16  watch: time is over, it goes on
                                                         17  watch: time is over, it waits for people"""

EXAMPLE = """\
\b
From facts to done
  rollway init                        a release file to fill in
  rollway choose release.yaml         which method, and why
  rollway plan release.yaml           plan.json, and its hash
  rollway approve plan.json --as bo   a second person says yes
  rollway serve &                     page, API, flags, and the engine
  rollway start plan.json             and off it goes
  rollway watch"""


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in CHAPTERS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for commands in CHAPTERS.values():
            if cmd_name in commands:
                module, attribute = commands[cmd_name][0].split(":")
                command: click.Command = getattr(import_module(f"rollway.cli.{module}"), attribute)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for chapter, commands in CHAPTERS.items():
            with formatter.section(chapter):
                formatter.write_dl([(name, told) for name, (_, told) in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            told = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"{error.message}{told}", ctx) from error


@click.group(cls=LazyGroup, epilog=f"{EXAMPLE}\n\n{EXIT_CODES}", context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="rollway")
@click.option(
    "--data",
    envvar="ROLLWAY_DATA",
    default=".rollway",
    show_default=True,
    help="Data folder, or the URL of a PostgreSQL database.  [env: ROLLWAY_DATA]",
)
@click.pass_context
def cli(ctx: click.Context, data: str) -> None:
    """Rollway takes a release from decision to done: it chooses how the release reaches its users, plans it,
    runs it, watches it, and scales it up or takes it back on evidence."""
    ctx.obj = data


def main() -> None:
    """The entry point: errors a person can mend are one message, never a traceback."""
    try:
        # Without standalone mode Click hands back the code of an Exit instead of exiting.
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except RollwayError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("ROLLWAY_DEBUG"):
            raise
        hint = "this is a fault in Rollway; ROLLWAY_DEBUG=1 shows where"
        show_error(RollwayError(f"{type(error).__name__}: {error}", hint=hint))
        sys.exit(1)


def show_error(error: RollwayError) -> None:
    """The error as a person reads it: what, the findings, and what to do."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {error.message}", err=True)
    for line in error.details:
        click.echo(line, err=True)
    if error.hint:
        click.echo(f"{click.style('hint:', fg='cyan', bold=True)} {error.hint}", err=True)
