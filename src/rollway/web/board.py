"""What the live page draws, made from the view of a rollout: words, places and joins. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rollway.app.telling import BLIND
from rollway.app.waiting import late_words, past_return_words, unheard_words
from rollway.web import words
from rollway.web.scales import evidence_scale, ratio_scale
from rollway.web.waits import waits

Json = dict[str, Any]

SHOWN_ENTRIES = 40
"""Entries of the record on the page; the whole record has a page of its own."""
SAME_SHARE = 1e-5
"""Two shares closer than this are shown as the same."""


def board(view: Json, at: datetime) -> Json:
    """The view of a rollout (`rollway.app.views.rollout_view`) with all that its page shows at a moment."""
    said = {guard["kpi"]: guard for guard in view["verdict"]["guards"]} if view["verdict"] else {}
    stage = view["stages"][view["stage"]]
    turn = view["clock"]["no_return"]
    is_counting = view["phase"] == "running" and view["entered_at"] is not None
    return {
        **view,
        "phase_look": words.PHASES[view["phase"]],
        "standing_text": words.standing(view["phase"], view["standing"]),
        "judged": _judged(view["verdict"]) if view["verdict"] else None,
        "kpis": [_kpi(guard, said.get(guard["kpi"]), view, stage) for guard in view["guards"]],
        "stage_lines": [
            {
                **line,
                "who": words.audience(line["audience"]),
                "look": words.BECAME[line["became"]],
                "counts_since": _since(line, view, is_counting),
            }
            for line in view["stages"]
        ],
        "late": late_words(view, at),
        "unheard_lines": [words.sentence(unheard_words(said, at)) for said in view["unheard"]],
        "past_return": past_return_words(turn) if turn["is_passed"] and not view["is_final"] else "",
        "served_note": _served_note(view),
        "methods": words.methods(view["sequence"]),
        "target_note": view["notes"].get("#target", ""),
        "waits": waits(view),
        "passed": sum(line["became"] == "passed" for line in view["stages"]),
        "entries": [entry(one) for one in view["record"][:SHOWN_ENTRIES]],
        "agrees": _agrees(view),
        "tab": f"{words.PHASES[view['phase']].word} {words.percent(view['served_share'])}",
    }


def _agrees(view: Json) -> bool:
    served = view["served_share"]
    is_sampled = abs(view["served_control"] - view["desired_control"]) < SAME_SHARE
    return served is not None and abs(served - view["desired_share"]) < SAME_SHARE and is_sampled


def _served_note(view: Json) -> str:
    """How the served share stands to the planned one, where it is not the same; empty where it is."""
    if view["served_share"] is None:
        return "not read back yet"
    if _agrees(view):
        return ""
    return "this is what was read back last" if view["target_problem"] else "the target serves something else"


def _since(line: Json, view: Json, is_counting: bool) -> float | None:
    """Since when the current stage bakes (unix seconds); None where no time runs."""
    if line["became"] != "current" or not is_counting or not line["bake_seconds"]:
        return None
    return datetime.fromisoformat(view["entered_at"]).timestamp()


def _judged(verdict: Json) -> Json:
    return {
        **verdict,
        "look": words.VERDICTS[verdict["kind"]],
        "scale": evidence_scale(verdict["harm_log_e"], verdict["harm_threshold"]),
    }


def _kpi(guard: Json, said: Json | None, view: Json, stage: Json) -> Json:
    """One KPI: the plan's guard, and what the newest verdict says of it."""
    shown: Json = {"guard": guard, "said": None, "slug": guard["kpi"]}
    verdict = view["verdict"]
    if said is None or verdict is None:
        return shown
    margin = stage["margins"].get(guard["kpi"])
    marks = [guard["tolerance"], *([margin] if margin else [])]
    return {
        **shown,
        "said": said,
        "look": words.VERDICTS[said["state"]],
        "margin": margin,
        "unit": _unit(guard, said),
        "ratio": ratio_scale(said["ratio"], said["ratio_low"], said["ratio_high"], marks),
        "harm": evidence_scale(said["harm_log_e"], verdict["harm_threshold"]),
        "safe": evidence_scale(said["safe_log_e"], verdict["safe_threshold"]),
        "is_driver": said["kpi"] in verdict["drivers"] and verdict["kind"] == "harmful",
        "blind_because": BLIND.get(said["blind_reason"] or "", ""),
    }


def _unit(guard: Json, said: Json) -> str:
    """What the rates are rates of, where the title does not say it."""
    if guard["kind"] != "latency":
        return ""
    cut = said["cut_seconds"] or guard["limit_seconds"]
    return f"slower than {cut:g} s" if cut else "slow of all"


# --- the record -----------------------------------------------------------------------------------


def entry(one: Json) -> Json:
    """An entry of the record with its look, and its numbers as rows and at most one table."""
    data = dict(one["data"])
    verdict = data if one["kind"] == "verdict" else data.pop("verdict", None) or {}
    rows = {key: value for key, value in data.items() if key not in ("guards", "reason", "kind")}
    if isinstance(verdict, dict) and verdict is not data:
        rows |= {key: verdict[key] for key in ("harm_log_e", "harm_threshold") if key in verdict}
    return {
        **one,
        "look": words.entry_look(one["kind"], one["data"]),
        "rows": [
            (key.removesuffix("_seconds").replace("_", " "), _plain(key, value))
            for key, value in rows.items()
            if value != ""
        ],
        "guards": [_guard_row(guard) for guard in verdict.get("guards", ())] if verdict else [],
    }


def _guard_row(guard: Json) -> Json:
    return {
        "kpi": guard["kpi"],
        "look": words.VERDICTS[guard["state"]],
        "new": f"{words.rate(guard['candidate_rate'])} of {words.count(guard['candidate_trials'])}",
        "old": f"{words.rate(guard['baseline_rate'])} of {words.count(guard['baseline_trials'])}",
        "ratio": words.times(guard["ratio"]),
        "band": words.band(guard["ratio_low"], guard["ratio_high"]),
        "harm": words.e_value(guard["harm_log_e"]),
        "safe": words.e_value(guard["safe_log_e"]),
    }


def _plain(key: str, value: Any) -> str:
    """A value of an entry's numbers as text."""
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("log_e") and isinstance(value, int | float):
        return f"{value:.3f} (e = {words.e_value(value)})"
    if key.endswith("seconds") and isinstance(value, int | float):
        return words.duration(value)
    if key in ("share", "from_share", "planned", "served") and isinstance(value, int | float):
        return words.percent(value)
    if key == "at" and isinstance(value, int | float):
        return words.moment(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "; ".join(str(one) for one in value) or words.NOTHING
    return str(value)
