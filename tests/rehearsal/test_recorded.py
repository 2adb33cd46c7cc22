"""Recorded telemetry is read as it was, or refused with its place."""

from __future__ import annotations

import json

import pytest

from rollway.errors import InputError
from rollway.rehearsal.recorded import of_csv, of_prometheus, of_series

LONG = "time,kpi,trials,bad\n0,errors,600,6\n0,orders,60,3\n60,errors,1200,24\n60,orders,120,12\n"
WIDE = "time,trials,errors\n2026-01-05T00:00:00Z,600,6\n2026-01-05T00:01:00Z,1200,24\n"


def test_a_table_with_a_row_for_each_kpi_is_read() -> None:
    """Traffic is that of the KPI with most trials."""
    record = of_csv(LONG, "a.csv")
    assert record.per_second == (10.0, 20.0)
    assert record.rates == {"errors": (0.01, 0.02), "orders": (0.05, 0.1)}
    assert (record.starts, record.seconds) == ((0.0, 60.0), 120.0)


def test_a_table_with_a_column_for_each_kpi_is_read() -> None:
    """With moments in ISO 8601."""
    record = of_csv(WIDE, "a.csv")
    assert record.rates == {"errors": (0.01, 0.02)}
    assert record.per_second == (10.0, 20.0)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("when,what\n1,2\n", "a.csv:1"),
        ("time,trials,errors\n0,5,6\n60,5,0\n", "a.csv:2"),
        ("time,trials,errors\n0,5,1\nnoon,5,0\n", "a.csv:3"),
        ("time,trials,errors\n0,-5,1\n", "a.csv:2"),
        ("time,trials,errors\n0,5,1\n", "a.csv"),
        ("", "a.csv:1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, place: str) -> None:
    """And a hint."""
    with pytest.raises(InputError) as caught:
        of_csv(text, "a.csv")
    assert caught.value.message.startswith(place)
    assert caught.value.hint


def answer(*series: list[list[object]]) -> str:
    result = [{"metric": {}, "values": values} for values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def test_answers_of_the_range_api_are_read_together() -> None:
    """Requests and bad ones per second, at the moments that both have."""
    requests = of_prometheus(answer([[0, "10"], [15, "20"], [30, "20"]]), "requests")
    errors = of_prometheus(answer([[0, "1"], [15, "NaN"], [30, "1"]]), "errors")
    record = of_series({"requests": requests, "errors": errors}, "server")
    assert record.per_second == (10.0, 20.0)
    assert record.rates == {"errors": (0.1, 0.05)}
    assert record.seconds == 60.0


@pytest.mark.parametrize(
    "text", ["no json", "{}", answer(), answer([[0, "1"]], [[0, "2"]]), '{"status": "error", "error": "bad"}']
)
def test_other_answers_are_refused(text: str) -> None:
    """Errors of the server, several series, none."""
    with pytest.raises(InputError):
        of_prometheus(text, "x.json")
