"""One row of the fault matrix: a rollout that runs on the street, a fault, and what is seen of both."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from examples.live.servers import Process, free_port
from examples.live.servers.reached import status_at
from rollway.app import Rollway
from rollway.errors import RollwayError
from rollway.facts import Release
from rollway.planning import Plan
from rollway.rollout import CommandKind, State
from rollway.rollout.gates import confirmations
from rollway.store.record import Recorded
from tests.faults.database import Postgres, a_postgres
from tests.faults.street import NEW, OLD, ROOT, USERS, Street

TICK = 0.5
BLIND = 6.0
"""Seconds after which the policy acts on a judge that is blind; it calls itself so after 1.5 s."""
SHARE = 0.2
LOOK_EVERY = 0.1
BACK = ("rolled_back",)
HELD = ("paused",)
ROOM = "16m"


class Engine:
    """`rollway serve` as a process, on a data folder of its own, or on a `server`."""

    def __init__(self, folder: Path, *, is_skewed: bool = False, server: Postgres | None = None) -> None:
        self.folder, self.data, self.server = folder, folder / "data", server
        self.store = server.url if server else str(self.data)
        self.port = free_port()
        self._is_skewed = is_skewed
        self.start()

    @property
    def clock(self) -> Path:
        """The seconds that are added to its clock, where it is skewed."""
        return self.folder / "clock"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        plain = ["-m", "rollway", "--data", self.store, "serve", "--port", self.port]
        skewed = [
            "-m",
            "tests.faults.skewed",
            "--data",
            self.data,
            "--port",
            self.port,
            "--clock",
            self.clock,
        ]
        environment = {"ROWS_DATABASE": f"sqlite:///{self.folder / 'rows.db'}"}
        self.process = Process(
            [sys.executable, *(skewed if self._is_skewed else plain)],
            self.folder / "rollway.log",
            folder=ROOT,
            environment=environment,
        )
        self.process.wait_until(lambda: status_at(self.port, "/healthz") == 200, within=60)

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            self.process.stop()


@contextmanager
def an_engine(kind: str = "") -> Iterator[Engine]:
    """An engine in a folder that goes with it. skewed: its clock can be set; small disk: its data folder is
    a file system of its own with little room, which only root may make; postgres: on a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    data = folder / "data"
    data.mkdir()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if kind == "small disk":
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", data], check=True)
            stack.callback(lambda: subprocess.run(["umount", "-l", data], check=False))
        server = stack.enter_context(a_postgres()) if kind == "postgres" else None
        engine = Engine(folder, is_skewed=kind == "skewed", server=server)
        stack.callback(engine.stop)
        yield engine


class Stand:
    """One rollout. What is not as it should be is kept in `wrong`, in words."""

    def __init__(self, row: str, street: Street, engine: Engine) -> None:
        self.row, self.street, self.engine = row, street, engine
        self.rollway = Rollway(engine.store)
        self.rollout = ""
        self.stack = ExitStack()
        """What this row alone needs; it ends after the rollout."""
        self.wrong: list[str] = []
        self.seen: list[tuple[float, Recorded]] = []
        """Entries of the record with the moment at which they could be read (monotonic seconds)."""
        self.at = 0.0
        """When the fault began (monotonic seconds), and by the wall clock."""
        self.wall = 0.0
        self.before = 0
        self.ended_after = 0.0

    # --- the rollout ---

    def begin(
        self,
        *,
        signal: dict[str, Any] | None = None,
        target: dict[str, Any] | None = None,
        bake: str = "10m",
        until_stage: bool = True,
        **kpi: Any,
    ) -> None:
        """Start a canary of 20 % and 50 %, and wait until the first share was read back."""
        release = Release.model_validate(
            self._facts(signal or self.scrape(), target or self.haproxy(), bake, kpi)
        )
        plan = self.rollway.plan(release)
        policy = plan.policy.model_copy(update={"blind_seconds": BLIND})
        plan = Plan.model_validate({**plan.model_dump(), "policy": policy.model_dump()})
        self.rollway.approve(plan, "bo")
        self.rollout = self.rollway.start(plan, "ops")
        for said in confirmations(plan, self.state, "ops", self.rollway.clock()):
            self.say(said.kind, said.reason, said.subject)
        if until_stage:
            self.until(self.is_at_share, 40, "the stage of 20 % is served")
            self.stays(1.5)

    def scrape(self) -> dict[str, Any]:
        return self.counted("scrape", f"{self.street.page.url}/{self.row}")

    def counted(self, kind: str, url: str) -> dict[str, Any]:
        arms = {"arm_label": "version", "candidate": NEW, "baseline": OLD}
        parts = {"total": "quotes_total", "bad": 'quotes_total{outcome="error"}'}
        return {"type": kind, "url": url, **arms, **parts}

    def haproxy(self) -> dict[str, Any]:
        arms = {"backend": "web", "candidate": ["new"], "baseline": ["old"]}
        return {"type": "haproxy", "socket": str(self.street.socket), **arms}

    def webhook(self, **more: Any) -> dict[str, Any]:
        url = f"{self.street.deployer.url}/share"
        return {"type": "webhook", "url": url, "observe": url, "timeout": 1, "retries": 0, **more}

    def _facts(
        self, signal: dict[str, Any], target: dict[str, Any], bake: str, kpi: dict[str, Any]
    ) -> dict[str, Any]:
        gate = {
            "name": "errors",
            "kind": "rate",
            "tolerance": 1.25,
            "expected": 0.02,
            "signal": signal,
            **kpi,
        }
        return {
            "release": {"name": self.row, "version": NEW, "title": self.row, "prepared_by": "ana"},
            "architecture": {
                "traffic_split": True,
                "per_version_telemetry": True,
                "telemetry": "high",
                "automation": "high",
                "requests_per_second": 120,
            },
            "stakeholders": {"users": USERS},
            "done": {"tests": {"rollback_tested": True}},
            "migration": {"needed": False, "backward_compatible": True},
            "agreements": {"approvers": ["bo"], "operators": ["ops"]},
            "kpis": [gate],
            "target": target,
            "rollout": {
                "method": "canary",
                "because": "this is what is tried",
                "shares": [SHARE, 0.5],
                "margin": 4,
                "bake": bake,
                "check_every": f"{TICK}s",
            },
        }

    def say(self, kind: CommandKind, reason: str = "it was asked for", subject: str = "") -> None:
        self.rollway.say(self.rollout, kind, "ops", reason, subject)

    @property
    def state(self) -> State:
        return self.rollway.load(self.rollout).state

    @property
    def seq(self) -> int:
        return self.rollway.rollouts.seq(self.rollout) or 0

    def is_at_share(self) -> bool:
        state = self.state
        return state.desired_share == SHARE and state.entered_at is not None

    # --- the fault, and what is seen ---

    def fault(self) -> None:
        """Call it as the fault begins: from here on users and entries are counted."""
        self.look()
        self.street.users.count_anew()
        self.at, self.wall, self.before = time.monotonic(), time.time(), len(self.seen)

    def look(self) -> None:
        """Read what is new in the record."""
        last = self.seen[-1][1].n if self.seen else 0
        with suppress(Exception):  # a database that is locked or has no room is a fault of some rows
            now = time.monotonic()
            self.seen += [(now, entry) for entry in self.rollway.rollouts.record(self.rollout, after=last)]

    def until(
        self,
        is_so: Callable[[], object],
        within: float,
        what: str,
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Look until it is so, and do what is to be done meanwhile; what is not so in time is wrong."""
        end = time.monotonic() + within
        while True:
            meanwhile()
            self.look()
            with suppress(Exception):
                if is_so():
                    self.look()
                    return True
            if time.monotonic() > end:
                self.wrong.append(f"not within {within:.0f} s: {what}")
                return False
            time.sleep(LOOK_EVERY)

    def until_phase(self, phases: tuple[str, ...], within: float) -> bool:
        return self.until(lambda: self.state.phase in phases, within, f"{' or '.join(phases)}")

    def stays(self, seconds: float) -> None:
        """Look for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(LOOK_EVERY)

    def require(self, is_so: object, otherwise: str) -> None:
        if not is_so:
            self.wrong.append(otherwise)

    def goes_on(self, within: float = 10.0) -> None:
        """Ticks follow each other again."""
        seq = self.seq
        self.until(lambda: self.seq >= seq + 3, within, "three more ticks")

    # --- what is told of it ---

    @property
    def after(self) -> list[tuple[float, Recorded]]:
        """Entries since the fault, with the seconds from it."""
        return [(max(0.0, moment - self.at), entry) for moment, entry in self.seen[self.before :]]

    def first(self, pattern: str) -> float | None:
        """Seconds from the fault to the first entry whose kind and text match."""
        found = (s for s, entry in self.after if re.search(pattern, f"{entry.kind}: {entry.text}"))
        return next(found, None)

    def has(self, pattern: str) -> bool:
        return self.first(pattern) is not None

    def no_new_stage(self) -> None:
        self.require(not self.has("^stage_entered"), "a stage was entered while the fault lasted")

    def no_further_stage(self) -> None:
        """As `no_new_stage`, where the first one is entered after the fault began."""
        entered = [entry for _, entry in self.after if entry.kind == "stage_entered"]
        self.require(all(e.data["share"] <= SHARE for e in entered), "a larger stage was entered")

    def went_back_unwritten(self, within: float) -> None:
        """Users had left the new version in this time, before the record could say so; then it did."""
        last = self.last_of_new()
        self.require(last is not None and last < within, f"users met the new version until {last} s")
        self.require(self.has("^told_unwritten"), "the record does not say that the target heard it first")
        self.require(not self.has("^drift"), "its own word is taken for somebody's hand")

    def last_of_new(self) -> float | None:
        """Seconds from the fault to the last answer that users had of the new version; to the end where
        nobody came any more."""
        at = self.street.users.counts.new_at
        return max(0.0, at - self.wall) if at and self.street.users.rate else self.first("^rolled_back")

    def verify(self) -> None:
        """The chain of the record holds."""
        with suppress(Exception):
            count, broken = self.rollway.verify_record(self.rollout)
            self.require(count and not broken, "the record is not whole")

    def close(self) -> None:
        """Heal everything and take back what still runs, so that the next row begins from nobody."""
        self.street.heal()
        with suppress(RollwayError, AssertionError):
            if self.rollout and not self.state.is_final:
                self.say("rollback")
        end = time.monotonic() + 20
        while self.rollout and not self.state.is_final and time.monotonic() < end:
            time.sleep(LOOK_EVERY)
        self.street.deployer.share = 0.0
        with suppress(OSError):
            self.street.set_share(0.0)
        self.stack.close()
        self.rollway.close()
