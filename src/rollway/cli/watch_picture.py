"""A rollout as a tree in a terminal: stages, needs, KPIs, verdict, the way back, and the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from rollway.app import words
from rollway.app.explaining import served
from rollway.app.telling import STANDINGS
from rollway.app.waiting import late_words, unheard_words
from rollway.cli.common import COLOURS

View = dict[str, Any]

WIDEST = 120
BAR = 10
LEAST_ENTRIES, MOST_ENTRIES = 3, 12


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of a picture: for terminals that know them, and for those that do not."""

    marks: dict[str, str]
    full: str
    empty: str
    branch: str
    last: str
    stem: str
    dash: str


FINE = Signs({"passed": "✔", "current": "▶", "ahead": "·", "undone": "✖"}, "█", "░", "├─", "└─", "│ ", "–")
PLAIN = Signs({"passed": "+", "current": ">", "ahead": ".", "undone": "x"}, "#", ".", "|-", "`-", "| ", "-")

_TONES = {"passed": "green", "current": "cyan", "ahead": "dim", "undone": "red"}
_LEAVES = {
    "ready": "once the old version's numbers are there",
    "evidence": "once every gate is shown safe",
    "time": "once its time is over",
    "person": "once a person says go",
}
_NEEDS = {"version": "new version", "evidence": "evidence", "person": "a word"}


def signs_of(console: Console) -> Signs:
    return FINE if "utf" in (console.encoding or "").lower() else PLAIN


def picture(view: View, now: datetime, console: Console, *, height: int | None = None) -> list[Text]:
    """The lines of the picture, none wider than the console; with a height, the record fills what is left."""
    width, signs = min(console.width, WIDEST), signs_of(console)
    draw = _Drawing(view, now, width, signs, console)
    lines = [*draw.head(), *draw.stages(), *draw.needs(), *draw.kpis(), *draw.verdict(), *draw.way_back()]
    room = MOST_ENTRIES if height is None else height - len(lines) - 3
    lines += draw.record(max(LEAST_ENTRIES, min(MOST_ENTRIES, room)))
    if height is not None and len(lines) > height:
        lines = [*lines[: height - 1], Text("... (a higher window shows more)", style="dim")]
    return lines


class _Drawing:
    """One picture being made."""

    def __init__(self, view: View, now: datetime, width: int, signs: Signs, console: Console) -> None:
        self.view, self.now, self.width, self.signs = view, now, width, signs
        self._console = console

    # --- head ---

    def head(self) -> Iterator[Text]:
        view = self.view
        phase = view["phase"]
        colour = COLOURS.get(phase, "white")
        name = f"{view['name']} {view['version']}"
        yield self._line(
            (view["title"] or name, "bold"),
            (f"  {view['method'].replace('_', '-')}  ", ""),
            (phase.replace("_", " ").upper(), f"bold {colour}"),
        )
        yield self._line((f"{name}, {view['id']}", "dim"))
        if view["standing"]:
            yield from self._wrapped(words.sentence(view["standing"]))
        if view["target_problem"]:
            yield from self._wrapped(f"The target: {view['target_problem']}", style="red")
        if note := view["notes"].get("#target"):
            yield from self._wrapped(f"The target says: {note}")
        if late := late_words(view, self.now):
            yield from self._wrapped(late, style="bold red")
        for said in view["unheard"]:
            yield from self._wrapped(words.sentence(unheard_words(said, self.now)), style="bold red")

    # --- stages ---

    def stages(self) -> Iterator[Text]:
        yield Text()
        stages = self.view["stages"]
        title = min(34, max(len(stage["title"]) for stage in stages))
        for index, stage in enumerate(stages):
            is_last = index == len(stages) - 1
            yield self._stage(stage, title, is_last=is_last)
            if stage["became"] in ("current", "undone"):
                stem = "   " if is_last else f"{self.signs.stem} "
                for text in self._about(stage):
                    yield from self._wrapped(text, f"{stem}    ", style=_TONES[stage["became"]])

    def _stage(self, stage: View, title: int, *, is_last: bool) -> Text:
        signs, tone = self.signs, _TONES[stage["became"]]
        full = round(BAR * stage["share"])
        mode = "" if stage["mode"] == "live" else f" {stage['mode']}"
        entered = f"  since {self._clock(stage['entered_at'])}" if stage["entered_at"] else ""
        return self._line(
            (f"{signs.last if is_last else signs.branch} ", "dim"),
            (f"{signs.marks[stage['became']]} {stage['title'][:title]:<{title}}  ", tone),
            (signs.full * full, tone),
            (signs.empty * (BAR - full), "dim"),
            (f" {words.percent(stage['share']):>5}{mode}{entered}", tone),
        )

    def _about(self, stage: View) -> Iterator[str]:
        view = self.view
        yield f"served: {served(view)}"
        if stage["groups"]:
            yield f"groups planned: {', '.join(stage['groups'])}"
        if view["phase"] not in ("running", "paused"):
            return
        leaves = _LEAVES[stage["advance"]]
        if stage["advance"] == "evidence" and not stage["margins"]:
            leaves = "once both versions report and nothing speaks against the new one"
        if view["entered_at"] is None:
            yield f"not read back yet; left {leaves}"
            return
        lived = self._seconds(view["entered_at"])
        bake = stage["bake_seconds"]
        left = f", {words.duration(bake - lived)} of its bake time left" if lived < bake else ""
        yield f"here for {words.duration(max(0.0, round(lived)))}{left}; left {leaves}"

    # --- needs ---

    def needs(self) -> Iterator[Text]:
        needs = self.view["needs"]
        if not needs:
            return
        yield Text()
        yield Text("Waits for", style="bold")
        for need in needs[:6]:
            told = need["what"] + (f" ({' or '.join(need['who'])})" if need["who"] else "")
            if need["until"]:
                told += f", until {self._clock(need['until'])}, {self._left(need['until'])}"
            elif need["since"]:
                told += f", for {self._ago(need['since'])}"
            word = _NEEDS.get(need["kind"], need["kind"])
            tone = "yellow" if need["is_people"] else ""
            yield from self._labelled(word, told, tone)
            for command in need["commands"][:1] if need["is_people"] else ():
                yield self._line((" " * 14 + command, "cyan"))
        if len(needs) > 6:
            yield self._line((f"  and {len(needs) - 6} more: rollway explain {self.view['id']}", "dim"))

    # --- KPIs and verdict ---

    def kpis(self) -> Iterator[Text]:
        verdict = self.view["verdict"]
        if verdict is None or not verdict["guards"]:
            return
        name = min(20, max(len(guard["kpi"]) for guard in verdict["guards"]))
        yield Text()
        yield self._line((f"{'KPI':<{name + 8}}{'new':>9}{'old':>9}{'ratio':>8}  {'95% band':<18}", "dim"))
        for guard in verdict["guards"]:
            yield self._kpi(guard, name)
            yield self._evidence(guard, verdict, name)

    def _kpi(self, guard: View, name: int) -> Text:
        new, old, ratio, band = self._figures(guard)
        tone = COLOURS.get(guard["state"], "")
        return self._line(
            (f"{guard['kpi'][:name]:<{name}} ", "bold"),
            (f"{guard['say']:<7}", "dim"),
            (f"{new:>9}{old:>9}{ratio:>8}  {band:<18}", ""),
            (f" {STANDINGS.get(guard['state'], guard['state'])}", f"bold {tone}"),
        )

    def _figures(self, guard: View) -> tuple[str, str, str, str]:
        dash = self.signs.dash
        if guard["candidate_mean"] is not None or guard["baseline_mean"] is not None:
            mean = [guard["candidate_mean"], guard["baseline_mean"], guard["difference"]]
            new, old, apart = (dash if one is None else f"{one:.4g}" for one in mean)
            low, high = guard["difference_low"], guard["difference_high"]
            return new, old, apart, "" if low is None or high is None else f"{low:.3g} to {high:.3g}"
        new, old = (
            words.rate(guard[f"{arm}_rate"]).replace(words.NOTHING, dash) for arm in ("candidate", "baseline")
        )
        if guard["ratio"] is None:
            return new, old, dash, ""
        return new, old, words.times(guard["ratio"]), words.band(guard["ratio_low"], guard["ratio_high"])

    def _evidence(self, guard: View, verdict: View, name: int) -> Text:
        """Harm and safety in words, under the KPI's figures."""
        if guard["blind_reason"]:
            return self._line((f"{'':<{name + 1}}{guard['blind_reason'].replace('_', ' ')}", "magenta"))
        parts = []
        if guard["say"] != "watch":
            parts.append(f"harm e {words.e_value(guard['harm_log_e'])}")
        if guard["margin"] and guard["say"] == "gate":
            safe = f"safe e {words.e_value(guard['safe_log_e'])} of {words.count(verdict['safe_threshold'])}"
            parts.append(f"{safe} (below {words.times(guard['margin'])})")
        if guard["wait_seconds"]:
            parts.append(f"about {words.duration(guard['wait_seconds'])} more")
        return self._line((f"{'':<{name + 1}}{'; '.join(parts)}", "dim"))

    def verdict(self) -> Iterator[Text]:
        verdict = self.view["verdict"]
        if verdict is None or self.view["is_final"]:
            return
        kind = verdict["kind"]
        yield Text()
        told = f"{kind}: {verdict['reason']}"
        yield from self._labelled("Verdict", told, f"{COLOURS.get(kind, '')}", indent=0)
        harm = words.e_value(verdict["harm_log_e"])
        rest = f"evidence of harm e = {harm} of {words.count(verdict['harm_threshold'])}"
        if kind == "undecided":
            wait = verdict["wait_seconds"]
            sight = "no decision in sight" if wait is None else f"decision in about {words.duration(wait)}"
            rest += f"; {sight}"
        yield self._line((" " * 14 + rest, "dim"))

    # --- the way back ---

    def way_back(self) -> Iterator[Text]:
        view, clock = self.view, self.view["clock"]
        if view["is_final"] or view["phase"] == "rolling_back":
            return
        turn, window = clock["no_return"], clock["window"]
        told = []
        if turn["is_passed"]:
            told.append(f"closed: point of no return passed at '{turn['title']}'")
        else:
            told.append(f"open until '{turn['title']}'" if turn["at"] else "open to the end")
            if clock["last_call"]:
                told.append(f"last call {self._clock(clock['last_call'])}, {self._left(clock['last_call'])}")
        if window and window["is_open"] and window["closes_at"]:
            closes = window["closes_at"]
            told.append(f"window closes {self._clock(closes)}, {self._left(closes)}")
        elif window and not window["is_open"] and window["next_open"]:
            told.append(f"window opens {self._clock(window['next_open'])}, {self._left(window['next_open'])}")
        tone = "red" if turn["is_passed"] else ""
        yield from self._labelled("Way back", "; ".join(told), tone, indent=0)

    # --- the record ---

    def record(self, room: int) -> Iterator[Text]:
        yield Text()
        yield Text("Record", style="bold")
        for entry in self.view["record"][:room]:
            at = datetime.fromisoformat(entry["at"]).astimezone()
            text = " ".join(entry["text"].split())
            yield self._line((f"{entry['n']:>4} {at:%H:%M:%S} ", "dim"), (text, ""))

    # --- how lines are made ---

    def _line(self, *parts: tuple[str, str]) -> Text:
        """One line, cut where it is too long."""
        line = Text.assemble(*parts, no_wrap=True, overflow="ellipsis")
        line.truncate(self.width, overflow="ellipsis")
        return line

    def _wrapped(self, text: str, indent: str = "", style: str = "") -> Iterator[Text]:
        found = Text(text, style=style).wrap(self._console, max(20, self.width - len(indent)))
        for line in found:
            line.rstrip()
            yield Text.assemble((indent, "dim"), line)

    def _labelled(self, label: str, text: str, style: str, indent: int = 2) -> Iterator[Text]:
        """A label, and the text beside it, wrapped."""
        lines = Text(text, style=style).wrap(self._console, max(20, self.width - 14))
        for number, line in enumerate(lines):
            line.rstrip()
            start = f"{'':<{indent}}{label}" if number == 0 else ""
            yield Text.assemble((f"{start:<14}", "bold" if indent == 0 else "dim"), line)

    # --- times ---

    def _seconds(self, iso: str) -> float:
        return (self.now - datetime.fromisoformat(iso)).total_seconds()

    def _ago(self, iso: str) -> str:
        return words.duration(round(max(0.0, self._seconds(iso))))

    def _left(self, iso: str) -> str:
        left = -self._seconds(iso)
        return f"in {words.duration(round(left))}" if left > 0 else f"{words.duration(round(-left))} ago"

    def _clock(self, iso: str) -> str:
        """The time on this machine's clock, with the day where it is another one."""
        at = datetime.fromisoformat(iso).astimezone()
        is_today = at.date() == self.now.astimezone().date()
        return f"{at:%H:%M:%S}" if is_today else f"{at:%a %d %b %H:%M}"


def as_text(lines: Sequence[Text]) -> str:
    return "\n".join(line.plain.rstrip() for line in lines)
