"""Rows about where the numbers come from, and about the versions themselves."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing

from examples.live.servers import Places, Prometheus
from tests.faults.rows import row
from tests.faults.stand import BACK, BLIND, Stand
from tests.faults.street import NEW, OLD

BACK_WITHIN = 25.0
BY_POLICY = (
    f"no stage is entered; blind after 1.5 s, and the policy takes the release back {BLIND:g} s after that"
)
GOES_ON = "nothing changes, and the rollout goes on"
SECOND_SIGHT = "the fault in the new version is found as ever, and it is taken back"


def is_taken_back_blind(stand: Stand) -> None:
    stand.until_phase(BACK, BACK_WITHIN)
    stand.no_new_stage()
    stand.require(stand.has("^rollback: Rolling back by policy"), "not taken back by policy")


@row("signal-down", "signal", "the page of metrics refuses connections", BY_POLICY, word="blind")
def signal_down(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.go_away()
    is_taken_back_blind(stand)
    stand.street.page.come_back()


@row("signal-down-2-s", "signal", "the page of metrics is away for 2 s", GOES_ON, word="signal: errors")
def signal_down_shortly(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.page.go_away()
    stand.stays(2)
    stand.street.page.come_back()
    stand.stays(8)
    stand.goes_on()
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
    stand.require(stand.state.heard != "blind", "it is blind still")


@row("signal-slow", "signal", "the page of metrics answers after 20 s", BY_POLICY, word="blind")
def signal_slow(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.slow = 20
    is_taken_back_blind(stand)


@row(
    "signal-slow-rollback",
    "signal",
    "the page answers after 20 s, and a person says rollback 1 s later",
    "the person does not wait for the page",
    word="^rollback",
)
def signal_slow_and_person(stand: Stand) -> None:
    stand.begin()
    stand.street.page.slow = 20
    stand.stays(1)
    stand.fault()
    stand.say("rollback")
    stand.until_phase(BACK, 15)
    stand.require((stand.first("^rollback") or 99) < 5, "the person was not heard within 5 s")


@row("signal-nan", "signal", "all values are NaN", BY_POLICY, word="blind")
def signal_nan(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.is_nan = True
    is_taken_back_blind(stand)


@row("signal-empty", "signal", "the page is empty (status 200)", BY_POLICY, word="blind")
def signal_empty(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.is_empty = True
    is_taken_back_blind(stand)


@row("new-silent", "signal", "no series of the new version any more", BY_POLICY, word="blind")
def new_silent(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.lacks = NEW
    is_taken_back_blind(stand)


@row("old-silent", "signal", "no series of the old version any more", BY_POLICY, word="blind")
def old_silent(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.page.lacks = OLD
    is_taken_back_blind(stand)


# --- clocks of services -----------------------------------------------------------------------------


def _stamped(skew: float) -> Callable[[Stand], None]:
    def stamped(stand: Stand) -> None:
        stand.begin()
        stand.fault()
        stand.street.page.skew = skew
        stand.stays(5)
        stand.goes_on()
        stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
        stand.street.behave("new", fails=0.4)
        stand.until_phase(BACK, BACK_WITHIN)
        stand.require(stand.has("^rollback: Rolling back: "), "not taken back on evidence")

    return stamped


for _name, _skew in (("future", 300.0), ("past", -300.0)):
    row(
        f"openmetrics-{_name}",
        "clock",
        f"samples stamped {_skew:+.0f} s (OpenMetrics, `scrape`); 5 s later the new version fails (40 %)",
        "a counter is what it is now, whatever its stamp; the fault is found as ever",
        word="harmful|^rollback",
    )(_stamped(_skew))


def _prometheus(skew: float) -> Callable[[Stand], None]:
    def scraped(stand: Stand) -> None:
        places = Places(stand.engine.folder)
        text = (
            "global: {scrape_interval: 400ms, scrape_timeout: 400ms}\n"
            "scrape_configs:\n  - job_name: gateway\n"
            f"    metrics_path: /{stand.row}\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{stand.street.page.port}']}}]\n"
        )
        prometheus = Prometheus(places, text)
        try:
            stand.begin(signal=stand.counted("prometheus", prometheus.url), bake="8s")
            stand.fault()
            stand.street.page.skew = skew
            is_taken_back_blind(stand)
        finally:
            prometheus.stop()

    return scraped


for _name, _skew in (("future", 300.0), ("past", -300.0)):
    row(
        f"prometheus-{_name}",
        "clock",
        f"samples stamped {_skew:+.0f} s, kept so by a real Prometheus",
        f"nothing is known of now: {BY_POLICY}",
        word="blind",
        engine="own",
    )(_prometheus(_skew))


class Ledger:
    """Rows of what was counted, written into a SQLite file with stamps of a clock that is off."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._before = stand.street.page.totals()
        self._file = stand.engine.folder / "rows.db"
        with closing(sqlite3.connect(self._file)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS row (version TEXT, stored_at REAL, trials INT, bad INT)"
            )
            database.commit()

    def since(self) -> dict[str, tuple[int, int]]:
        """What was counted since the last call."""
        now, before = self._stand.street.page.totals(), self._before
        self._before = now
        return {arm: (now[arm][0] - before[arm][0], now[arm][1] - before[arm][1]) for arm in now}

    def write(self, skew: float) -> None:
        stamp = time.time() + skew
        rows = [(arm, stamp, *counted) for arm, counted in self.since().items()]
        with closing(sqlite3.connect(self._file, timeout=10)) as database:
            database.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", rows)
            database.commit()

    @property
    def signal(self) -> dict[str, object]:
        query = (
            "SELECT version AS arm, sum(trials) AS trials, sum(bad) AS bad FROM row "
            "WHERE stored_at > :start_epoch AND stored_at <= :end_epoch GROUP BY version"
        )
        arms = {"candidate": NEW, "baseline": OLD, "delay": "0s"}
        return {"type": "sql", "url_env": "ROWS_DATABASE", "query": query, **arms}


def _rows(skew: float) -> Callable[[Stand], None]:
    def written(stand: Stand) -> None:
        ledger = Ledger(stand)
        stand.begin(signal=ledger.signal, until_stage=False)
        stand.until(stand.is_at_share, 40, "20 % are served", meanwhile=lambda: ledger.write(0))
        for _ in range(8):
            ledger.write(0)
            stand.stays(0.3)
        stand.fault()
        stand.until(
            lambda: stand.state.phase in BACK,
            BACK_WITHIN,
            "rolled_back",
            meanwhile=lambda: ledger.write(skew),
        )
        stand.no_new_stage()

    return written


for _name, _skew in (("future", 300.0), ("past", -300.0)):
    row(
        f"sql-{_name}",
        "clock",
        f"the service stamps its rows {_skew:+.0f} s (`sql`)",
        f"no row is of now: {BY_POLICY}",
        word="blind",
        engine="own",
    )(_rows(_skew))


def _pushed(skew: float) -> Callable[[Stand], None]:
    def pushed(stand: Stand) -> None:
        source, answers = stand.row, list[str]()
        _, token = stand.rollway.pushed.new_token(source, "ana")
        ledger = Ledger(stand)

        def push(skew: float) -> None:
            stamp = time.time() + skew
            rows = [
                {"series": "quotes", "arm": arm, "time": stamp, "trials": trials, "bad": bad}
                for arm, (trials, bad) in ledger.since().items()
            ]
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"batch-{len(answers)}"}
            request = urllib.request.Request(
                f"{stand.engine.url}/api/v1/readings", json.dumps(rows).encode(), headers
            )
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    answers.append(answer.read().decode())
            except urllib.error.HTTPError as error:
                answers.append(error.read().decode())
                error.close()

        signal = {"type": "push", "source": source, "series": "quotes", "candidate": NEW, "baseline": OLD}
        stand.begin(signal={**signal, "delay": "0s"}, until_stage=False)
        stand.until(stand.is_at_share, 40, "20 % are served", meanwhile=lambda: push(0))
        for _ in range(8):
            push(0)
            stand.stays(0.3)
        stand.fault()
        stand.until(
            lambda: stand.state.phase in BACK, BACK_WITHIN, "rolled_back", meanwhile=lambda: push(skew)
        )
        stand.no_new_stage()
        if skew > 0:
            stand.require("clock is wrong" in answers[-1], f"the sender was told {answers[-1]}")

    return pushed


for _name, _skew in (("future", 300.0), ("past", -300.0)):
    row(
        f"push-{_name}",
        "clock",
        f"the sender stamps its rows {_skew:+.0f} s (`push`)",
        ("the sender is told (400), " if _skew > 0 else "rows from before the stage are not counted, ")
        + f"and nothing is guessed: {BY_POLICY}",
        word="blind|late|before",
        engine="own",
    )(_pushed(_skew))


# --- the versions -----------------------------------------------------------------------------------


@row("traffic-zero", "service", "nobody comes any more", BY_POLICY, word="blind")
def traffic_zero(stand: Stand) -> None:
    stand.begin(bake="5s")
    stand.fault()
    stand.street.users.rate = 0
    is_taken_back_blind(stand)


@row(
    "new-dies",
    "service",
    "the new version's process is killed",
    "taken back at the second look; requests go to the old version meanwhile",
    word="not ready|down: new",
)
def new_dies(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.kill("new")
    stand.until_phase(BACK, 15)
    stand.require(stand.has("is not ready"), "not because it was not ready")


@row(
    "new-unhealthy",
    "service",
    "the new version's health check fails; it answers still",
    "taken back at the second look",
    word="not ready|down: new",
)
def new_unhealthy(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.behave("new", is_sick=True)
    stand.until_phase(BACK, 15)
    stand.require(stand.has("is not ready"), "not because it was not ready")


@row(
    "both-unhealthy",
    "service",
    "both versions' health checks fail for 6 s",
    "HAProxy has nobody; the way back is decided, traffic goes back once the old version is ready",
    word="not ready|down",
)
def both_unhealthy(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    for name in ("old", "new"):
        stand.street.behave(name, is_sick=True)
    stand.until(lambda: stand.has("^rollback"), 6, "going back is decided")
    stand.stays(max(0.0, 6 - (time.monotonic() - stand.at)))
    stand.require(stand.state.phase != "rolled_back", "it said rolled back while nobody served")
    stand.street.behave("old")
    stand.until_phase(BACK, 15)


@row(
    "new-bad",
    "service",
    "40 % of the new version's answers fail (for comparison)",
    "harmful, and taken back on evidence",
    word="harmful|^rollback",
)
def new_bad(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.behave("new", fails=0.4)
    stand.until_phase(BACK, BACK_WITHIN)
    stand.require(stand.has("^rollback: Rolling back: "), "not taken back on evidence")


def _both_fail(stand: Stand) -> None:
    for name in ("old", "new"):
        stand.street.behave(name, fails=0.4)


@row(
    "both-bad",
    "service",
    "40 % of both versions' answers fail; no limit in the plan",
    "the new version is not blamed for what the old one does too; a comparison says nothing else",
    word="harmful",
)
def both_bad(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    _both_fail(stand)
    stand.stays(12)
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
    stand.no_new_stage()


@row(
    "both-bad-limit",
    "service",
    "40 % of both versions' answers fail; the plan has a limit of 10 %",
    "the limit stops the release, whatever the old version does",
    word="harmful|^rollback",
)
def both_bad_limit(stand: Stand) -> None:
    stand.begin(limit=0.1)
    stand.fault()
    _both_fail(stand)
    stand.until_phase(BACK, BACK_WITHIN)
