"""judge calibrate: how often healthy releases would be rolled back, and the dispersion that mends it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollway.cli.common import coloured, heading, json_option, print_json, write_file
from rollway.cli.judge_dispersion import FORMAT
from rollway.cli.judge_numbers import PART, read_text, say
from rollway.errors import InputError

if TYPE_CHECKING:
    from rollway.judge import Reading, Rules
    from rollway.judge.calibration import Calibration, Realised


@click.command("calibrate")
@click.argument("history", metavar="HISTORY.JSONL", type=click.Path(path_type=Path))
@click.option(
    "--windows",
    "most",
    type=click.IntRange(min=1),
    metavar="N",
    help="Replay the latest N windows only.  [default: all that the history holds]",
)
@click.option(
    "--alpha",
    type=PART,
    help="The share of false rollbacks to keep to.  [default: the history's own rules]",
)
@click.option(
    "--keep",
    "is_kept",
    is_flag=True,
    help="Keep the dispersion that the rules name, instead of learning it from the history.",
)
@click.option(
    "--write", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write the dispersion as JSON."
)
@json_option
def calibrate(
    history: Path, most: int | None, alpha: float | None, is_kept: bool, target: Path | None, as_json: bool
) -> None:
    """Replay history without a release through the judge: how often would it have rolled back?

    HISTORY.JSONL is evidence (`rollway judge export`) in which both arms ran the same version. The arms'
    own noise is learned from it, the history is cut into windows as long as a rollout, and each is judged
    from a fresh start. Where more than alpha of them would be rolled back, the noise is taken to be the
    smallest multiple at which no more are. The more windows, the more can be said: 200 cannot show 1%.

    \b
    rollway judge calibrate history.jsonl
    rollway judge calibrate history.jsonl --alpha 0.05 --write dispersion.json
    """
    from rollway.judge.calibration import calibrate as replay_all
    from rollway.judge.calibration import cut, held_out, with_learned_dispersion

    rules, readings = _read(history)
    if alpha is not None:
        rules = replace(rules, alpha=alpha)
    learned = rules if is_kept else with_learned_dispersion(rules, readings)
    windows = cut(readings, rules.planned_seconds, most)
    if not windows:
        raise InputError(
            f"{history}: no window of {_minutes(rules.planned_seconds)} in which both arms were seen",
            hint="a history must last longer than a rollout is planned to (planned_seconds of its rules)",
        )
    found = replay_all(learned, windows)
    unseen = held_out(rules, readings, windows, is_kept=is_kept)
    if target is not None:
        write_file(target, json.dumps(_written(found, unseen), indent=2, sort_keys=True) + "\n")
    if as_json:
        print_json(_as_json(rules, learned, found, unseen))
    else:
        _show(rules, learned, found, unseen)
        if target is not None:
            click.echo(f"wrote {target}; `rollway judge power --dispersion {target}` foresees with it")


def _read(history: Path) -> tuple[Rules, list[Reading]]:
    from rollway.judge.evidence_file import read_evidence

    text = read_text(history, "give a file of evidence, as `rollway judge export` writes it")
    return read_evidence(text, str(history))


def _written(found: Calibration, unseen: Realised | None) -> dict[str, Any]:
    """What a plan can take its dispersion from, with what was realised with it."""
    return {
        "format": FORMAT,
        "alpha": found.alpha,
        "realised": asdict(found.after),
        "held_out": None if unseen is None else asdict(unseen),
        "dispersion": {
            rule.kpi: asdict(rule.dispersion) for rule in found.rules.guards if not rule.dispersion.is_none
        },
    }


def _counting(rules: Rules) -> list[Any]:
    from rollway.judge.calibration import LEARNABLE

    return [rule for rule in rules.guards if rule.kind in LEARNABLE]


def _as_json(rules: Rules, learned: Rules, found: Calibration, unseen: Realised | None) -> dict[str, Any]:
    from rollway.judge.calibration import conclusions

    return {
        **_written(found, unseen),
        "learned": {rule.kpi: asdict(rule.dispersion) for rule in _counting(learned)},
        "window_seconds": rules.planned_seconds,
        "multiplier": found.multiplier,
        "before": asdict(found.before),
        "after": asdict(found.after),
        "tried": [{"multiplier": each, "rolled_back": count} for each, count in found.tried],
        "is_shown": found.is_shown,
        "conclusions": list(conclusions(found)),
    }


def _show(rules: Rules, learned: Rules, found: Calibration, unseen: Realised | None) -> None:
    from rollway.judge.calibration import conclusions

    heading("Noise of the two arms' own")
    for rule in _counting(learned):
        noise = rule.dispersion
        say(
            f"{rule.kpi}: evidence divided by {noise.floor:.2f} and more; the arms' rates differ by "
            f"{noise.growth**0.5:.0%} from time to time, for {_minutes(noise.block_seconds)}"
        )
    for rule in rules.guards:
        if rule not in _counting(rules):
            say(f"{rule.kpi}: kind {rule.kind} counts no events; its noise is not learned here")
    heading(f"Healthy windows of {_minutes(rules.planned_seconds)}, alpha {found.alpha:.2%}")
    say(f"with that noise: {_told(found.before)}")
    if found.multiplier is None:
        say(f"{coloured('gap', 'not mended')}: {_told(found.after)}")
    elif found.multiplier > 1:
        say(f"{found.multiplier:g} times as much: {_told(found.after)}")
    heading("Held out")
    if unseen is None:
        say("there are too few windows to learn from one half and try on the other")
    else:
        say(f"learned from the older half alone, and tried on the newer: {_told(unseen)}")
    heading("What this says")
    for sentence in conclusions(found):
        say(sentence)
    _show_release(found)


def _show_release(found: Calibration) -> None:
    """The lines that bring the noise into a release file."""
    noisy = [rule for rule in found.rules.guards if not rule.dispersion.is_none]
    if noisy:
        heading("For the release file, below each KPI")
    for rule in noisy:
        noise = rule.dispersion
        click.echo(
            f"  {rule.kpi}:  dispersion: {{floor: {noise.floor:.4g}, growth: {noise.growth:.4g}, "
            f"block_seconds: {noise.block_seconds:.0f}}}"
        )


def _told(realised: Realised) -> str:
    stopped = f", {realised.stopped:,} of them by a hard stop" if realised.stopped else ""
    return (
        f"{realised.rolled_back:,} of {realised.windows:,} rolled back{stopped} "
        f"({realised.share:.2%}; 95% bounds {realised.low:.2%} to {realised.high:.2%})"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
