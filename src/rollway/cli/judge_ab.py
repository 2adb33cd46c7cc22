"""judge ab: two files, one verdict, and a picture of how it came about."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import json_option, print_json, write_file
from rollway.cli.judge_numbers import PART, Number, headline, say
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.cli.judge_csv import FileKind, Pair
    from rollway.judge import GuardRule, GuardVerdict, Rules, Verdict
    from rollway.judge.picture import Text, Track

STAGE = "files"
LONGEST_BLINDNESS = 1e12
COLOURS = {"band": "blue", "estimate": "cyan", "line": "yellow", "faint": "bright_black"}
PICTURED = 400


@click.command("ab")
@click.argument("baseline", metavar="OLD.csv", type=click.Path(path_type=Path))
@click.argument("candidate", metavar="NEW.csv", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["rate", "latency", "mean"]),
    help="rate: 0 or 1 in each row, 1 is bad. latency: durations, the slow ones count. mean: figures.",
)
@click.option("--column", metavar="NAME", help="What is judged, where a file has several columns.")
@click.option(
    "--time",
    "time_column",
    metavar="NAME",
    help="Seconds, or ISO 8601 (UTC without a zone).  [default: a column so called]",
)
@click.option("--less-is-worse", is_flag=True, help="A fall is the harm: orders, logins, revenue.")
@click.option(
    "--tolerance",
    type=Number(min=0, max=1e100, min_open=True),
    default=1.0,
    show_default=True,
    help="So many times as bad is no harm yet.",
)
@click.option(
    "--margin",
    type=Number(min=1, max=1e6, min_open=True),
    default=1.25,
    show_default=True,
    help="So many times as bad must be ruled out before the verdict is healthy.",
)
@click.option(
    "--cap",
    type=Number(min=0, max=1e100, min_open=True),
    help="mean: figures are cut off here.  [default: what one in a thousand exceeds]",
)
@click.option(
    "--bound",
    type=Number(min=0, max=1e100, min_open=True),
    help="mean: all figures lie between 0 and this; judged exactly then.",
)
@click.option(
    "--alpha",
    type=PART,
    default=0.01,
    show_default=True,
    help="Chance of calling a healthy version harmful, however often one looks.",
)
@click.option(
    "--intervals",
    type=click.IntRange(1, 10_000),
    default=60,
    show_default=True,
    help="Into how many intervals the rows are cut; the versions are compared within each.",
)
@click.option("--svg", "svg_file", type=click.Path(path_type=Path), help="Also write the picture here.")
@json_option
def ab(
    baseline: Path,
    candidate: Path,
    kind: FileKind | None,
    column: str | None,
    time_column: str | None,
    less_is_worse: bool,
    tolerance: float,
    margin: float,
    bound: float | None,
    cap: float | None,
    alpha: float,
    intervals: int,
    svg_file: Path | None,
    as_json: bool,
) -> None:
    """Judge two CSV files by the rules of a rollout: is the new version worse than the old one?

    A row is one request or user (a column of 0 and 1, of durations, or of figures), or one interval with
    its counts (columns trials and bad). A column `time` puts the rows of both files side by side; without
    one their order does. The first line names the columns.

    \b
    Example
      failed.csv has a column `failed` with 0 and 1:
        rollway judge ab old/failed.csv new/failed.csv --svg failed.svg
      durations in seconds, among other columns:
        rollway judge ab old.csv new.csv --kind latency --column duration
    """
    from rollway.cli.judge_csv import read_pair
    from rollway.cli.judge_intervals import compared, readings_of
    from rollway.judge import Rules, replay

    if margin <= tolerance:
        raise InputError(
            f"--margin {margin:g} is not above --tolerance {tolerance:g}",
            hint="what is tolerated cannot be ruled out too; raise --margin",
        )
    pair = read_pair(baseline, candidate, kind=kind, column=column, time=time_column)
    pair, rule = _ruled(pair, tolerance=tolerance, less_is_worse=less_is_worse, bound=bound, cap=cap)
    readings = readings_of(pair, kpi=rule.kpi, stage=STAGE, intervals=intervals)
    rules = Rules(
        guards=(rule,),
        margins={STAGE: {rule.kpi: margin}},
        alpha=alpha,
        planned_seconds=max(1.0, readings[-1].end - readings[0].start),
        blind_seconds=LONGEST_BLINDNESS,
    )
    history = replay(rules, readings)
    track = track_of(pair, rules, history)
    told = _sentence(pair, rules, history)
    if svg_file is not None:
        from rollway.judge.picture import svg

        write_file(svg_file, svg(track, title=f"{pair.name}: {history[-1].kind}", told=told))
    if as_json:
        print_json(_as_json(pair, rules, history))
        return
    _show(pair, rules, history, track)
    _remarks(pair, compared(pair, intervals))
    if svg_file is not None:
        click.echo(f"wrote {svg_file}")


def _ruled(
    pair: Pair, *, tolerance: float, less_is_worse: bool, bound: float | None, cap: float | None
) -> tuple[Pair, GuardRule]:
    """The rule to judge by, and the values as it needs them.

    Figures with a bound are judged exactly. Others are cut off at a cap, by default at what one in a
    thousand of both files exceeds, so that no single figure decides.
    """
    from rollway.cli.judge_csv import beyond, cut_off
    from rollway.judge import GuardRule

    rule = GuardRule(
        kpi=pair.name,
        kind=pair.kind,
        tolerance=tolerance,
        direction="less_is_worse" if less_is_worse else "more_is_worse",
    )
    given = " and ".join(n for n, v in (("--bound", bound), ("--cap", cap)) if v is not None)
    if (given and pair.kind != "mean") or (bound is not None and cap is not None):
        raise InputError(
            f"{given} cannot be used with a {pair.kind}",
            hint="for figures (--kind mean) give one of the two; for others none",
        )
    if pair.kind != "mean":
        return pair, rule
    if bound is not None:
        beyond(pair, bound)
        return pair, replace(rule, bound=bound)
    pair, cap = cut_off(pair, cap)
    return pair, replace(rule, kind="total", cap=cap)


def _show(pair: Pair, rules: Rules, history: Sequence[Verdict], track: Track) -> None:
    from rollway.judge.picture import characters
    from rollway.judge.words import e_value

    said, rule = history[-1], rules.guards[0]
    guard, what = said.guards[0], _what(pair, said.guards[0])
    margin = rules.margins[STAGE][rule.kpi]
    headline(said.kind, _sentence(pair, rules, history))
    click.echo()
    click.echo(
        f"  new      {_arm(guard.candidate_trials, guard.candidate_rate, guard.candidate_mean)} {what}"
    )
    click.echo(f"  old      {_arm(guard.baseline_trials, guard.baseline_rate, guard.baseline_mean)} {what}")
    say(_effect(pair, guard))
    for name, log_e, alpha, shown in (
        ("harm  ", guard.harm_log_e, rules.alpha, f"worse than {_ratio(rule, rule.tolerance)}"),
        ("safety", guard.safe_log_e, rules.alpha_promote, f"better than {_ratio(rule, margin)}"),
    ):
        click.echo(f"  {name}   e = {e_value(log_e)}, {1 / alpha:.4g} is enough to show it {shown}")
    if rule.cap is not None:
        told = f"{pair.baseline.cut:,} figures of the old and {pair.candidate.cut:,} of the new"
        say(f"{told} version are beyond {rule.cap:.4g} (--cap) and count as that")
    click.echo()
    for line in characters(track, width=78, plain=not _is_unicode()):
        click.echo(f"  {_coloured(line)}".rstrip())


def _remarks(pair: Pair, rows: tuple[int, int]) -> None:
    """What a reader should know of the files before the verdict is believed."""
    for name, arm, count in (("old", pair.baseline, rows[0]), ("new", pair.candidate, rows[1])):
        if count < len(arm.values):
            say(
                f"note: {len(arm.values) - count:,} of {len(arm.values):,} rows of the {name} version lie in "
                "intervals without a row of the other one; they are not compared"
            )
    if pair.baseline.source and Path(pair.baseline.source).samefile(pair.candidate.source):
        say("note: both files are the same file")


def _ratio(rule: GuardRule, value: float) -> str:
    """A tolerance or a margin as the ratio new/old that it stands for."""
    return f"a ratio of {value ** (-1 if rule.direction == 'less_is_worse' else 1):.3g}"


def _is_unicode() -> bool:
    return "utf" in (getattr(sys.stdout, "encoding", "") or "").lower()


def _coloured(line: Text) -> str:
    return "".join(click.style(text, fg=COLOURS[role]) if role in COLOURS else text for text, role in line)


def _sentence(pair: Pair, rules: Rules, history: Sequence[Verdict]) -> str:
    """The verdict in words that fit two files: no stage, and no traffic that is still to come."""
    from rollway.judge.words import amount

    said, rule = history[-1], rules.guards[0]
    guard, margin = said.guards[0], rules.margins[STAGE][rule.kpi]
    if said.kind == "harmful":
        first = next(n for n, each in enumerate(history, start=1) if each.kind == "harmful")
        return f"{pair.name}: the new version is worse, shown after {first / len(history):.0%} of the data"
    if said.kind == "healthy":
        return f"{pair.name}: the new version is shown to be less than {margin:g} times as bad as the old one"
    start = f"{pair.name}: neither worse nor safe is shown"
    if guard.needed_trials is None or guard.safe_log_e >= -math.log(rules.alpha_promote):
        lacking = (said.missing or (said.reason,))[0].removeprefix(f"{pair.name}: ")
        return f"{start}; {lacking.partition(' needed: ')[2] or lacking}"
    more = amount(guard.needed_trials)
    return f"{start}; if both are alike, about {more} more rows of the new one show it safe"


def _arm(trials: int, rate: float | None, mean: float | None) -> str:
    from rollway.judge.words import percent

    figure = percent(rate) if rate is not None else "nothing" if mean is None else f"{mean:.4g}"
    return f"{figure} of {trials:,}" if mean is None else f"{figure} over {trials:,}"


def _what(pair: Pair, guard: GuardVerdict) -> str:
    if pair.kind == "latency":
        cut = "the cut" if guard.cut_seconds is None else f"{guard.cut_seconds:.3g}{_unit(pair.name)}"
        return f"slower than {cut}"
    return {"rate": "bad", "mean": "on average"}[pair.kind]


def _unit(name: str) -> str:
    """The unit that a column's name tells: duration_ms."""
    words = name.lower().replace("-", "_").split("_")
    units = {"ms": " ms", "us": " us", "ns": " ns", "s": " s", "seconds": " s", "sec": " s"}
    return next((units[word] for word in words if word in units), "")


def _effect(pair: Pair, guard: GuardVerdict) -> str:
    if guard.difference is not None:
        told = _range(guard.difference_low, guard.difference_high)
        return f"new - old {guard.difference:.4g}, {told}"
    if pair.kind == "mean":
        return "new - old cannot be said yet: too few rows"
    if guard.ratio is None:
        return f"new / old cannot be said: {_why_no_ratio(guard)}"
    return f"new / old {guard.ratio:.3g}, {_range(guard.ratio_low, guard.ratio_high)}"


def _why_no_ratio(guard: GuardVerdict) -> str:
    if not guard.candidate_trials or not guard.baseline_trials:
        return "one of the versions was not seen"
    if not guard.baseline_rate:
        return "nothing bad was seen of the old version"
    return "nothing of the old version was bad in the intervals that have both versions"


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "and the data leave everything open"
    if high is None:
        return f"95%: {low:.3g} or more"
    if low is None:
        return f"95%: {high:.3g} or less"
    return f"95%: {low:.3g} to {high:.3g}, at every moment at once"


def _as_json(pair: Pair, rules: Rules, history: Sequence[Verdict]) -> dict[str, Any]:
    names = ("ratio", "ratio_low", "ratio_high", "difference", "difference_low", "difference_high")
    return {
        "kind": pair.kind,
        "column": pair.name,
        "told": _sentence(pair, rules, history),
        "verdict": history[-1].to_json(),
        "history": [
            {
                "at": said.at,
                "kind": said.kind,
                "harm_log_e": said.harm_log_e,
                "safe_log_e": said.guards[0].safe_log_e,
                **{name: getattr(said.guards[0], name) for name in names},
            }
            for said in history
        ],
    }


def track_of(pair: Pair, rules: Rules, history: Sequence[Verdict]) -> Track:
    """The confidence sequence of a judged course, with the lines that matter, as something to draw."""
    from rollway.judge.picture import Mark, Point, Track

    guards = [(said.at, said.guards[0]) for said in history]
    is_ratio = all(guard.difference is None for _, guard in guards)
    rule = rules.guards[0]
    points = [
        Point(at, guard.ratio, guard.ratio_low, guard.ratio_high)
        if is_ratio
        else Point(at, guard.difference, guard.difference_low, guard.difference_high)
        for at, guard in guards
    ]
    every = -(-len(points) // PICTURED)
    marks = [Mark(1.0 if is_ratio else 0.0, "no difference")]
    if is_ratio:
        turned = -1 if rule.direction == "less_is_worse" else 1
        if rule.tolerance != 1:
            marks.append(Mark(rule.tolerance**turned, "tolerated"))
        margin = rules.margins.get(STAGE, {}).get(rule.kpi)
        marks += [Mark(margin**turned, "to be ruled out")] if margin else []
    return Track(
        points=tuple(points[::-every][::-1]),
        marks=tuple(marks),
        what=f"{'new / old' if is_ratio else 'new - old'}, {pair.name}",
        is_ratio=is_ratio,
        begin="start",
        end=_length(pair, rules),
    )


def _length(pair: Pair, rules: Rules) -> str:
    from rollway.judge.words import seconds

    if pair.baseline.times is not None:
        return f"{seconds(rules.planned_seconds)} later"
    return f"{len(pair.baseline.values) + len(pair.candidate.values):,} rows"
