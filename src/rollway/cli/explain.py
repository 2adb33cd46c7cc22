"""explain: why a rollout is where it is, and what it would take; or one decision of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import COLOURS, heading, json_option, opened, print_json

if TYPE_CHECKING:
    from rollway.app import Rollway
    from rollway.app.telling import Line, Section

WIDEST, NARROWEST = 110, 40
INDENT = 28
"""Columns before the details; their labels stand in them."""


@click.command()
@click.argument("rollout", required=False)
@click.argument("entry", required=False, type=click.IntRange(min=1))
@json_option
@click.pass_context
def explain(ctx: click.Context, rollout: str | None, entry: int | None, as_json: bool) -> None:
    """Say why a rollout is where it is and what it would take, or explain one ENTRY of its record.

    \b
    What it waits for, from whom, since when, and what to type. What the judge says with its numbers, what
    would take the release back, when a change window opens, who may say what; and if it ended, why.

    \b
    Examples
      rollway explain
      rollway explain reporting-2.4.0-1
      rollway explain reporting-2.4.0-1 14      entry 14 of its record
    """
    with opened(ctx) as rollway:
        name, number = _subject(rollway, rollout, entry)
        sections = _sections(rollway, name, number)
    if as_json:
        body = {section.id: section.to_json() for section in sections}
        print_json({"rollout": name, **({"entry_number": number} if number else {}), **body})
        return
    for section in sections:
        _show(section)


def _subject(rollway: Rollway, rollout: str | None, entry: int | None) -> tuple[str, int | None]:
    """The rollout and the entry that are meant; a number alone is an entry of the newest rollout."""
    if rollout is not None and entry is None and rollout.isdigit() and rollway.rollouts.load(rollout) is None:
        return rollway.newest_rollout(), int(rollout)
    return rollout or rollway.newest_rollout(), entry


def _sections(rollway: Rollway, name: str, number: int | None) -> tuple[Section, ...]:
    from rollway.app.explaining import explain as explained
    from rollway.app.explaining_entry import explain_entry
    from rollway.app.views import WHOLE, rollout_view

    view = rollout_view(rollway, name, entries=WHOLE)
    plan = rollway.load(name).plan
    if number is not None:
        return explain_entry(plan, view, number)
    return explained(plan, view, rollway.clock())


# --- how it is printed ------------------------------------------------------------------------------


def _show(section: Section) -> None:
    heading(section.title)
    width = max(NARROWEST, min(WIDEST, _columns()))
    for line in section.lines:
        for text in _lines(line, width):
            click.echo(text)
    click.echo()


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).columns


def _lines(line: Line, width: int) -> list[str]:
    """One line with its details, wrapped; what is to be typed is never broken."""
    found = _wrapped(line.text, width, "  ", "    ")
    found[0] = _with_state(found[0], line.data)
    for label, text in line.rows:
        first, *rest = _wrapped(text, width, " " * INDENT, " " * INDENT)
        found += [_label(label) + first[INDENT:], *rest]
    found += [_label("type") + click.style(command, fg="cyan") for command in line.commands]
    return found


def _label(label: str) -> str:
    return "      " + click.style(f"{label:<{INDENT - 6}}", dim=True)


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    from textwrap import wrap

    found = wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [first]


def _with_state(text: str, data: Any) -> str:
    """The first line with the word of its state in colour, where it has one."""
    state = str(data.get("state") or data.get("kind") or "")
    for word in (state, state.capitalize()):
        if state in COLOURS and word in text:
            return text.replace(word, click.style(word, fg=COLOURS[state], bold=True), 1)
    return text
