"""Rows about other targets: Envoy, nginx, and flags that Rollway serves."""

from __future__ import annotations

from tests.faults import fronts
from tests.faults.rows import row
from tests.faults.rows_engine import no_room
from tests.faults.stand import BACK, Stand

REMEMBERS = 8.0
"""Seconds for which a client remembers what a flag was."""


def _is_as_before(stand: Stand) -> None:
    """It goes on at 20 %, and 20 % are what users meet."""
    stand.goes_on()
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")
    stand.no_new_stage()
    stand.until(lambda: stand.state.heard != "blind", 15, "it sees again")
    served = stand.street.users.counts.served
    before = served.copy()
    stand.stays(4)
    new, old = (served[version] - before[version] for version in ("2.0", "1.0"))
    share = new / max(1, new + old)
    stand.require(0.1 < share < 0.3, f"{share:.0%} of the requests meet the new version")


# --- Envoy ------------------------------------------------------------------------------------------


@row(
    "envoy-restarted",
    "target",
    "Envoy is killed, and started again 4 s later",
    "said while it is away; it comes back with the share of its file, and the rollout goes on",
    word="^target_failed",
)
def envoy_restarted(stand: Stand) -> None:
    front = stand.stack.enter_context(fronts.envoy(stand))
    stand.begin(target=front.target)
    stand.fault()
    front.envoy.stop()
    stand.stays(4)
    stand.require(stand.has("^target_failed"), "nothing was said while it was away")
    front.envoy.start()
    stand.until(lambda: stand.has("^target_back"), 15, "it answers again")
    stand.require(not stand.has("^drift"), "taken for somebody's hand")
    _is_as_before(stand)


@row(
    "envoy-frozen",
    "target",
    "Envoy hangs (SIGSTOP) for 6 s: users wait, its admin interface accepts and does not answer",
    "ended by its timeout (1 s) and said; goes on when it answers",
    word="^target_failed",
)
def envoy_frozen(stand: Stand) -> None:
    front = stand.stack.enter_context(fronts.envoy(stand))
    stand.begin(target=front.target)
    stand.fault()
    with front.frozen():
        stand.stays(6)
    stand.require(stand.has("^target_failed"), "nothing was said while it hung")
    stand.until(lambda: stand.has("^target_back"), 15, "it answers again")
    _is_as_before(stand)


@row(
    "envoy-refuses-back",
    "target",
    "the new version is bad (40 %), and Envoy's admin interface refuses (status 403) for 8 s",
    "the way back is a file, and reaches Envoy all the same; not called rolled back before it is read back",
    word="harmful|^rollback",
)
def envoy_refuses_back(stand: Stand) -> None:
    front = stand.stack.enter_context(fronts.envoy(stand))
    stand.begin(target=front.target)
    stand.fault()
    front.admin.refuses = True
    stand.street.behave("new", fails=0.4)
    stand.stays(8)
    stand.require(stand.has("^target_failed.*403"), "the refusal is not said")
    stand.require(
        stand.state.phase == "rolling_back", f"it is {stand.state.phase} while nothing is read back"
    )
    last = stand.last_of_new()
    stand.require(last is not None and last < 6, f"users met the new version {last} s later")
    front.admin.refuses = False
    stand.until_phase(BACK, 15)


# --- nginx ------------------------------------------------------------------------------------------


@row(
    "nginx-restarted",
    "target",
    "nginx is stopped, and started again 4 s later",
    "said while it is away; it comes back with the share of its file, and the rollout goes on",
    word="^target_failed",
)
def nginx_restarted(stand: Stand) -> None:
    front = stand.stack.enter_context(fronts.nginx(stand))
    stand.begin(target=front.target)
    stand.fault()
    front.nginx.stop()
    stand.stays(4)
    stand.require(stand.has("^target_failed"), "nothing was said while it was away")
    front.nginx.start()
    stand.until(lambda: stand.has("^target_back"), 15, "it answers again")
    stand.require(not stand.has("^drift"), "taken for somebody's hand")
    _is_as_before(stand)


@row(
    "nginx-broken-back",
    "target",
    "the new version is bad (40 %), and for 8 s somebody else's error stands in nginx.conf",
    "nginx loads nothing then: said in its words, with the line; taken back as soon as that is mended",
    word="harmful|^rollback",
)
def nginx_broken_back(stand: Stand) -> None:
    front = stand.stack.enter_context(fronts.nginx(stand))
    stand.begin(target=front.target)
    stand.fault()
    with front.broken():
        stand.street.behave("new", fails=0.4)
        stand.until(lambda: stand.has("^target_failed"), 20, "the refusal is said")
        stand.require(stand.has("^target_failed.*nginx.conf:"), "where the error is, is not said")
        stand.stays(8)
        stand.require(stand.state.phase == "rolling_back", f"it is {stand.state.phase} while 20 % are served")
        # Each try has its file there for the moment of the test; what stands between two tries counts.
        file = front.nginx.file
        stand.until(
            lambda: "20.00%" in file.read_text(encoding="utf-8"), 1, "the file that was tested is back"
        )
    stand.until_phase(BACK, 15)


# --- flags ------------------------------------------------------------------------------------------


@row(
    "flag-service-killed",
    "target",
    "Rollway, whose flag the code asks, is killed (SIGKILL), and started again 6 s later",
    "the code serves its default, the old version; afterwards the flag is served as before, and it goes on",
    word="^mismatch|^not_watched|blind",
    engine="own",
)
def flag_service_killed(stand: Stand) -> None:
    stand.stack.enter_context(fronts.code(stand))
    stand.begin(target=fronts.Code.target)
    stand.fault()
    stand.engine.process.stop(9)
    stand.stays(1)
    counts = stand.street.users.counts
    before = counts.served["2.0"], counts.unserved
    stand.stays(5)
    after = counts.served["2.0"], counts.unserved
    stand.require(after[0] == before[0], "the new version was served while no flag was")
    stand.require(after[1] == before[1], "users met nobody while no flag was served")
    stand.engine.start()
    _is_as_before(stand)


@row(
    "flag-remembered",
    "target",
    f"40 % of the new version's answers fail, and the code remembers flags for {REMEMBERS:g} s",
    "the flag goes back on evidence, at once; users follow as their clients ask again",
    word="harmful|^rollback",
)
def flag_remembered(stand: Stand) -> None:
    code = stand.stack.enter_context(fronts.code(stand))
    stand.begin(target=fronts.Code.target)
    code.remembers = REMEMBERS
    stand.stays(REMEMBERS)
    stand.fault()
    stand.street.behave("new", fails=0.4)
    stand.until_phase(BACK, 20)
    stand.require(stand.has("^rollback: Rolling back: "), "not taken back on evidence")
    back = stand.first("^rolled_back") or 0.0
    stand.stays(REMEMBERS + 2)
    last = stand.last_of_new()
    stand.require(last is not None and last < back + REMEMBERS + 1, f"the new version served until {last} s")


@row(
    "flag-disk-full",
    "target",
    "the disk is full for 20 s, and 40 % of the new version's answers fail; the target is a flag",
    "the flag stands on that disk as well: taken back as soon as there is room",
    word="harmful|^rollback",
    engine="small disk",
)
def flag_on_a_full_disk(stand: Stand) -> None:
    stand.stack.enter_context(fronts.code(stand))
    stand.begin(target=fronts.Code.target)
    stand.fault()
    with no_room(stand.engine.data):
        stand.street.behave("new", fails=0.4)
        stand.stays(20)
        stand.require(stand.engine.process.is_running, "the engine ended")
    stand.until_phase(BACK, 15)
