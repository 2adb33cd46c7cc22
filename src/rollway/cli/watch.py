"""watch: follow a rollout in the terminal until it ends."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import click

from rollway.cli.common import COLOURS, opened

ROLLED_BACK = 10
LOOK_EVERY = 0.5


@click.command()
@click.argument("rollout", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON line for each entry of the record, as it comes."
)
@click.option("--until", type=click.Choice(["end", "now"]), default="end", help="now: look once.")
@click.pass_context
def watch(ctx: click.Context, rollout: str | None, as_json: bool, until: str) -> None:
    """Follow a rollout until it ends: stages, exposure, both versions' KPIs, and the record.

    Exit code 0 when it is done, 10 when it was rolled back. Ctrl-C stops looking, not the rollout.
    """
    from rollway.app.views import entry_json, rollout_view

    with opened(ctx) as rollway:
        name = rollout or rollway.newest_rollout()
        if as_json:
            seen = 0
            while True:
                view = rollout_view(rollway, name, entries=1)
                for entry in rollway.rollouts.record(name, after=seen):
                    click.echo(json.dumps(entry_json(entry), ensure_ascii=False))
                    seen = entry.n
                if view["is_final"] or until == "now":
                    break
                time.sleep(LOOK_EVERY)
        else:
            from rich.console import Console
            from rich.live import Live

            console = Console()
            with Live(console=console, auto_refresh=False) as live:
                while True:
                    view = rollout_view(rollway, name, entries=8)
                    live.update(picture(view), refresh=True)
                    if view["is_final"] or until == "now":
                        break
                    time.sleep(LOOK_EVERY)
    if view["phase"] == "rolled_back":
        raise click.exceptions.Exit(ROLLED_BACK)


def picture(view: dict[str, Any]) -> Any:
    """The rollout as a rich renderable: ladder, KPIs, the newest entries of the record."""
    from rich.console import Group
    from rich.text import Text

    colour = COLOURS.get(view["phase"], "white")
    title = Text.assemble(
        (view["title"] or view["name"], "bold"),
        f" {view['version']}  {view['method'].replace('_', '-')}  ",
        (view["phase"].replace("_", " "), f"bold {colour}"),
    )
    return Group(title, Text(view["standing"], style="italic"), _ladder(view), _kpis(view), _record(view))


def _ladder(view: dict[str, Any]) -> Any:
    from rich.text import Text

    marks = {
        "passed": ("✔", "green"),
        "current": ("▶", "cyan"),
        "ahead": ("·", "dim"),
        "undone": ("✖", "red"),
    }
    lines = Text("\n")
    for stage in view["stages"]:
        mark, style = marks[stage["became"]]
        since = ""
        if stage["became"] == "current" and view["entered_at"]:
            lived = (datetime.now().astimezone() - datetime.fromisoformat(view["entered_at"])).total_seconds()
            since = f"  {lived:.0f} s, bake {stage['bake_seconds']:.0f} s"
        lines.append(
            f" {mark} {stage['title']:<28} {stage['share']:>6.1%}  {stage['advance']:<9}{since}\n",
            style=style,
        )
    served = view["served_share"]
    lines.append(f"   served: {'not read back yet' if served is None else f'{served:.1%}'}\n")
    return lines


def _kpis(view: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("KPI")
    for head in ("old", "new", "ratio by interval", "band"):
        table.add_column(head, justify="right")
    table.add_column("verdict")
    for guard in (view["verdict"] or {}).get("guards", ()):
        colour = COLOURS.get(guard["state"], "white")
        band = (
            ""
            if guard["ratio_low"] is None
            else f"{guard['ratio_low']:.2f} – {guard['ratio_high'] or float('inf'):.2f}"
        )
        table.add_row(
            f"{guard['kpi']} ({guard['say']})",
            _rate(guard["baseline_rate"]),
            _rate(guard["candidate_rate"]),
            "" if guard["ratio"] is None else f"{guard['ratio']:.2f}",
            band,
            f"[{colour}]{guard['state']}[/]",
        )
    return table


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2%}"


def _record(view: dict[str, Any]) -> Any:
    from rich.text import Text

    lines = Text("\n")
    for entry in reversed(view["record"]):
        lines.append(f" {entry['at'][11:19]} ", style="dim")
        lines.append(f"{entry['text']}\n")
    return lines
