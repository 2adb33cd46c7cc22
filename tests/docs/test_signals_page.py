"""The examples of docs/signals.md are true: each is a KPI, and its signal can be made of it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from rollway.facts.model import Kpi
from rollway.rollout.pushed import Sent

PAGE = (Path(__file__).parents[2] / "docs" / "signals.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"### (\w+)\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)
CLASSES = {
    "csv": "csv_rows:CsvSignal",
    "http": "http:HttpSignal",
    "otlp": "otlp:OtlpSignal",
    "prometheus": "prometheus:PrometheusSignal",
    "push": "push:PushSignal",
    "scrape": "scrape:ScrapeSignal",
    "sql": "sql:SqlSignal",
}


class Nothing:
    """A shelf to which nobody has sent anything."""

    def newest(self, source: str) -> int:
        return 0

    def sent(self, *_: Any) -> Sent:
        return Sent(())

    def counters(self, *_: Any) -> tuple[()]:
        return ()


def test_every_signal_has_a_section_with_an_example() -> None:
    """In the order of the page, none twice."""
    assert sorted(name for name, _ in EXAMPLES) == sorted(CLASSES)


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_can_be_used_as_it_stands(name: str, text: str) -> None:
    """It is read as a release file's KPI would be, and the signal takes every option."""
    kpi = Kpi.model_validate(YAML(typ="safe").load(text))
    assert kpi.signal.type == name
    module, attribute = CLASSES[name].split(":")
    make = getattr(import_module(f"rollway.signals.{module}"), attribute)
    given = {"pushed": Nothing()} if getattr(make, "reads_pushed", False) else {}
    signal = make(kpi.name, kpi.kind, kpi.signal.options(), **given)
    assert signal.kpi == kpi.name


def test_the_table_tells_what_a_signal_reads() -> None:
    """A kind that the table grants is taken; one that it does not is refused."""
    rows = re.findall(r"^\| ([a-z, ]+) \|((?: (?:yes)? ?\|){5})$", PAGE, re.MULTILINE)
    kinds = ("rate", "check", "assignment", "latency", "mean")
    told = {
        (name, kind): "yes" in cell
        for names, cells in rows
        for name in names.split(", ")
        for kind, cell in zip(kinds, cells.split("|"), strict=False)
    }
    assert {name for name, _ in told} == set(CLASSES)
    from rollway.signals.counted_options import PARTS
    from rollway.signals.push import SHAPE
    from rollway.signals.windowed import COLUMNS

    known: dict[str, Any] = dict.fromkeys(("scrape", "prometheus", "otlp"), PARTS)
    known |= dict.fromkeys(("sql", "http", "csv"), COLUMNS) | {"push": SHAPE}
    assert told == {(name, kind): kind in known[name] for name in CLASSES for kind in kinds}


def visits(url: str) -> sa.Engine:
    """A hundred users who come every day, and ten more on each who come for the first time, and stay. One in
    ten has the new version, from day 50 on one in two."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    rows = [
        {"user": user, "version": "2.0" if user % 10 < (5 if day >= 50 else 1) else "1.9", "at": day + 0.5}
        for day in range(100)
        for user in range(100 + 10 * day)
    ]
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE visit (user_id int, app_version text, at double precision)"))
        connection.execute(sa.text("INSERT INTO visit VALUES (:user, :version, :at)"), rows)
    return engine


def test_users_who_come_back_are_counted_once(tmp_path: Path) -> None:
    """By the query of the page each day has its new users, split as planned, also when a share has grown."""
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    found = {}
    with visits(f"sqlite:///{tmp_path / 'shop.db'}").connect() as connection:
        for day in (49, 50, 51):
            rows = connection.execute(sa.text(query), {"start": day, "end": day + 1})
            found[day] = {row.arm: row.units for row in rows}
    assert found == {49: {"1.9": 9, "2.0": 1}, 50: {"1.9": 5, "2.0": 5}, 51: {"1.9": 5, "2.0": 5}}
