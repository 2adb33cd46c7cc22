"""Evidence as JSON Lines: the rules, then readings and the moments of judging, in the order they came.

    {"format": "rollway.evidence/1", "rules": {"guards": [{"kpi": "errors", "kind": "rate", ...}], ...}}
    {"reading": {"kpi": "errors", "start": 0, "end": 10, "stage": "ten", "share": 0.1, "candidate": ...}}
    {"look": {"now": 10.5, "stage": "ten", "share": 0.1}}

A file is all that a verdict depends on: whoever has it can judge again, with this judge or another.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from rollway.canonical import canonical_json
from rollway.errors import InputError
from rollway.judge.absorb import update
from rollway.judge.decide import verdict
from rollway.judge.model import SAMPLES, Reading, Rules, Sample, Verdict, sample_from_json
from rollway.judge.plausible import is_placed
from rollway.judge.playback import replay
from rollway.judge.state import begin

EVIDENCE_FORMAT = "rollway.evidence/1"
LARGEST = 1e300
"""Beyond this a number could not be calculated with."""
HINT = "`rollway judge export` writes such a file; `rollway judge replay --help` names its lines"


@dataclass(frozen=True, slots=True)
class Look:
    """A moment at which a verdict was given: unix seconds, the plan's stage, and the share served."""

    now: float
    stage: str
    share: float


Course = tuple[Reading | Look, ...]
"""What came, in its order. Readings between two looks were taken in together."""


def write_evidence(rules: Rules, course: Iterable[Reading | Look]) -> Iterator[str]:
    """The lines of an evidence file, without line ends. Fields of a reading that say nothing are left out.

    Raises InputError where a number is not finite, for JSON has none such.
    """
    yield _line({"format": EVIDENCE_FORMAT, "rules": asdict(rules)}, 1)
    for number, item in enumerate(course, start=2):
        body = {key: value for key, value in asdict(item).items() if value is not None}
        if body.get("is_complete", False):
            del body["is_complete"]
        yield _line({"look" if isinstance(item, Look) else "reading": body}, number)


def _line(value: Any, number: int) -> str:
    try:
        return canonical_json(value)
    except ValueError as error:
        raise InputError(
            f"line {number} of the evidence cannot be written: a number in it is not finite",
            hint="a reading like that is no evidence; leave it out",
        ) from error


def read_evidence(text: str | Iterable[str], source: str) -> tuple[Rules, list[Reading]]:
    """Rules and readings of an evidence file. Raises InputError that says line, what, and what to do."""
    rules, course = read_course(text, source)
    return rules, [item for item in course if isinstance(item, Reading)]


def read_course(text: str | Iterable[str], source: str) -> tuple[Rules, Course]:
    """Rules, and readings and looks in their order. Raises InputError as `read_evidence` does."""
    lines = text.removeprefix("\ufeff").split("\n") if isinstance(text, str) else text
    numbered = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
    first = next(numbered, None)
    if first is None:
        raise InputError(f"{source}: the file is empty", hint=HINT)
    rules = _header(first[1], f"{source}:{first[0]}")
    return rules, tuple(_item(line, f"{source}:{n}") for n, line in numbered)


def judge_again(rules: Rules, course: Course) -> Iterator[Verdict]:
    """One verdict for each look; where the course has none, one for each distinct end of a reading.

    Raises InputError where the rules cannot be judged by.
    """
    if not any(isinstance(item, Look) for item in course):
        yield from replay(rules, (item for item in course if isinstance(item, Reading)))
        return
    state, waiting = begin(rules), list[Reading]()
    for item in course:
        if isinstance(item, Reading):
            waiting.append(item)
            continue
        state, waiting = update(rules, state, waiting), []
        yield verdict(rules, state, now=item.now, stage=item.stage, share=item.share)


def looks_of(course: Course) -> tuple[Look, ...]:
    """The moment of each verdict of `judge_again`: the course's looks, or else the ends of its readings."""
    if looks := tuple(item for item in course if isinstance(item, Look)):
        return looks
    readings = (item for item in course if isinstance(item, Reading) and is_placed(item))
    ends = {one.end: Look(one.end, one.stage, one.share) for one in sorted(readings, key=attrgetter("end"))}
    return tuple(ends.values())


def verdict_line(said: Verdict) -> str:
    """A verdict as one line of JSON, as the engine records it."""
    return canonical_json(said.to_json())


# --- reading strictly -------------------------------------------------------------------------------


def _header(line: str, where: str) -> Rules:
    raw = _object(line, where)
    if raw.get("format") != EVIDENCE_FORMAT:
        raise InputError(
            f'{where}: the first line of an evidence file has "format": "{EVIDENCE_FORMAT}", '
            f"not {raw.get('format')!r}",
            hint=HINT,
        )
    _check_names(raw, ("format", "rules"), ("rules",), where, "the first line")
    rules: Rules = _built(Rules, raw["rules"], where, "rules")
    try:
        begin(rules)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", details=error.details, hint="mend this line") from error
    return rules


def _item(line: str, where: str) -> Reading | Look:
    raw = _object(line, where)
    for name, kind in (("reading", Reading), ("look", Look)):
        if set(raw) == {name}:
            item: Reading | Look = _built(kind, raw[name], where, name)
            return item
    found = ", ".join(map(repr, raw)) or "nothing"
    raise InputError(
        f"{where}: a line is {{'reading': ...}} or {{'look': ...}}, but here is {found}",
        hint=_suggestion(next(iter(raw), ""), ("reading", "look")) or HINT,
    )


def _object(line: str, where: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{where}: {twice!r} is given twice", hint="keep one of them")
        return dict(pairs)

    def never(name: str) -> Any:
        raise InputError(
            f"{where}: {name} is no number that can be judged",
            hint="leave the reading out, or name its problem",
        )

    try:
        raw = json.loads(line, object_pairs_hook=once, parse_constant=never)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}:{error.colno}: not JSON: {error.msg}", hint=HINT) from error
    except RecursionError as error:
        raise InputError(f"{where}: its brackets are nested too deeply to be read", hint=HINT) from error
    except ValueError as error:
        raise InputError(f"{where}: a number in it has too many digits to be read", hint=HINT) from error
    if not isinstance(raw, dict):
        raise InputError(f"{where}: a line is an object in braces, not {_told(raw)}", hint=HINT)
    return raw


def _built(kind: type[Any], raw: Any, where: str, path: str) -> Any:
    """A dataclass from an object: every field known, none missing, each of its type."""
    if not isinstance(raw, dict):
        raise InputError(f"{where}: {path} is an object in braces, not {_told(raw)}", hint=HINT)
    needed = tuple(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )
    hints = _hints(kind)  # type: ignore[arg-type]  # every class is hashable
    _check_names(raw, tuple(hints), needed, where, path)
    return kind(**{name: _value(hints[name], value, where, f"{path}.{name}") for name, value in raw.items()})


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _check_names(
    raw: Mapping[str, Any], known: tuple[str, ...], needed: tuple[str, ...], where: str, path: str
) -> None:
    for name in raw:
        if name not in known:
            near = _suggestion(name, known)
            raise InputError(
                f"{where}: {path} has no field {name!r}", hint=near or f"its fields are {', '.join(known)}"
            )
    lacking = [name for name in needed if name not in raw]
    if lacking:
        raise InputError(f"{where}: {path} lacks {', '.join(lacking)}", hint=HINT)


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _value(hint: Any, raw: Any, where: str, path: str) -> Any:
    """A value of one of the types that the judge's model uses."""
    if hint == Sample | None:
        return _sample(raw, where, path)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kept = next(part for part in parts if part is not type(None))
        return None if raw is None else _value(kept, raw, where, path)
    if origin is Literal:
        if raw not in parts:
            near = _suggestion(str(raw), parts)
            raise InputError(f"{where}: {path} is one of {', '.join(parts)}, not {_told(raw)}", hint=near)
        return raw
    if origin is tuple:
        _demand(isinstance(raw, list), "a list", raw, where, path)
        return tuple(_value(parts[0], each, where, f"{path}[{n}]") for n, each in enumerate(raw))
    if origin is not None and issubclass(origin, Mapping):
        _demand(isinstance(raw, dict), "an object in braces", raw, where, path)
        return {name: _value(parts[1], each, where, f"{path}.{name}") for name, each in raw.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return _built(hint, raw, where, path)
    return _plain(hint, raw, where, path)


def _plain(hint: Any, raw: Any, where: str, path: str) -> Any:
    if hint is bool:
        _demand(isinstance(raw, bool), "true or false", raw, where, path)
    elif hint is str:
        _demand(isinstance(raw, str) and _is_text(raw), "a text", raw, where, path)
    else:
        _demand(_is_number(raw), "a number", raw, where, path)
    return raw


def _sample(raw: Any, where: str, path: str) -> Sample | None:
    """A sample by the fields it has; with a suggestion where one is misspelt."""
    if raw is None:
        return None
    _demand(isinstance(raw, dict), "an object in braces", raw, where, path)
    try:
        kind = type(sample_from_json(raw))
    except InputError:
        known = {field.name for each in SAMPLES.values() for field in fields(each)}
        unknown = [name for name in raw if name not in known]
        near = _suggestion(unknown[0], tuple(known)) if unknown else ""
        told = "; ".join(
            f"{name}: {', '.join(field.name for field in fields(each))}" for name, each in SAMPLES.items()
        )
        raise InputError(
            f"{where}: {path} is no sample: its fields are {', '.join(raw) or 'none'}", hint=near or told
        ) from None
    sample: Sample = _built(kind, raw, where, path)
    return sample


def _demand(is_right: bool, what: str, raw: Any, where: str, path: str) -> None:
    if not is_right:
        raise InputError(f"{where}: {path} is {what}, not {_told(raw)}", hint=HINT)


def _is_number(raw: Any) -> bool:
    return (
        isinstance(raw, int | float)
        and not isinstance(raw, bool)
        and abs(raw) <= LARGEST
        and math.isfinite(raw)
    )


def _is_text(raw: str) -> bool:
    """Whether it can be written: half of a surrogate pair cannot."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        return False
    return True


def _told(raw: Any) -> str:
    """A value, short enough for a message."""
    text = json.dumps(raw, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."
