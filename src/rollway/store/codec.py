"""Values to the text of a column and back."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from rollway.canonical import canonical_json
from rollway.judge import Reading, sample_from_json, sample_to_json


def to_text(value: Any) -> str:
    return canonical_json(value)


def from_text(text: str) -> Any:
    return json.loads(text)


def reading_to_row(rollout: str, seq: int, reading: Reading) -> dict[str, Any]:
    return {
        "rollout_id": rollout,
        "seq": seq,
        "kpi": reading.kpi,
        "start_at": reading.start,
        "end_at": reading.end,
        "stage": reading.stage,
        "share": reading.share,
        "candidate": _sample_text(reading.candidate),
        "baseline": _sample_text(reading.baseline),
        "problem": reading.problem,
        "candidate_until": reading.candidate_until,
        "baseline_until": reading.baseline_until,
        "is_complete": reading.is_complete,
    }


def reading_from_row(row: Any) -> Reading:
    return Reading(
        kpi=row.kpi,
        start=row.start_at,
        end=row.end_at,
        stage=row.stage,
        share=row.share,
        candidate=sample_from_json(json.loads(row.candidate)) if row.candidate else None,
        baseline=sample_from_json(json.loads(row.baseline)) if row.baseline else None,
        problem=row.problem,
        candidate_until=row.candidate_until,
        baseline_until=row.baseline_until,
        is_complete=row.is_complete,
    )


def new_id(inserted: sa.CursorResult[Any]) -> int:
    """The number that the database gave to the row just inserted."""
    key = inserted.inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no key to the new row")
    return int(key[0])


def _sample_text(sample: Any) -> str | None:
    return None if sample is None else canonical_json(sample_to_json(sample))
