"""Rows about the target: it refuses, hangs, lies, forgets, or somebody else moves it."""

from __future__ import annotations

import time

from rollway.rollout.needs import lacking
from tests.faults.rows import row
from tests.faults.stand import BACK, HELD, SHARE, Stand

SAME = 0.005


def _enters(stand: Stand, mode: str) -> None:
    """Begin with a service behind the webhook that is well, and becomes so before the first share is told."""
    stand.begin(target=stand.webhook(), until_stage=False)
    stand.until(lambda: stand.state.phase == "running", 40, "it begins")
    stand.fault()
    stand.street.deployer.mode = mode


def _is_verified(stand: Stand) -> bool:
    return stand.has("^exposure_verified: The target serves 20%")


@row(
    "target-refuses",
    "target",
    "the webhook refuses the first share (status 500) for 6 s",
    "said at once, tried again; the stage counts from when it is read back",
    word="^target_failed",
)
def target_refuses(stand: Stand) -> None:
    _enters(stand, "refuses")
    stand.until(lambda: stand.has("^target_failed"), 15, "it is said")
    stand.stays(6)
    stand.require(not _is_verified(stand), "verified while it was refused")
    stand.street.deployer.mode = "well"
    stand.until(lambda: _is_verified(stand), 10, "the share is read back")


@row(
    "target-refuses-back",
    "target",
    "the new version is bad (40 %), and the webhook refuses the way back for 6 s",
    "tried again until it is heard; not called rolled back before",
    word="harmful|^rollback",
)
def target_refuses_back(stand: Stand) -> None:
    stand.begin(target=stand.webhook())
    stand.fault()
    stand.street.deployer.mode = "refuses"
    stand.street.behave("new", fails=0.4)
    stand.until(lambda: stand.has("^rollback"), 20, "going back is decided")
    stand.stays(6)
    stand.require(stand.has("^target_failed"), "the refusal is not said")
    stand.require(stand.state.phase == "rolling_back", f"it is {stand.state.phase} while it was refused")
    stand.street.deployer.mode = "well"
    stand.until_phase(BACK, 15)


@row(
    "target-hangs",
    "target",
    "the webhook accepts the connection, does nothing and never answers, for 6 s",
    "ended by its timeout (1 s) and said, tried again; the stage counts from when it is read back",
    word="^target_failed",
)
def target_hangs(stand: Stand) -> None:
    _enters(stand, "hangs")
    stand.until(lambda: stand.has("^target_failed"), 15, "it is said")
    stand.stays(6)
    stand.require(not _is_verified(stand), "verified while it hung")
    stand.street.deployer.mode = "well"
    stand.until(lambda: _is_verified(stand), 10, "the share is read back")


@row(
    "target-mute",
    "target",
    "the webhook applies the share and never answers",
    "what is read back counts, not the answer: the stage begins",
    word="^target_failed|^exposure_verified",
)
def target_mute(stand: Stand) -> None:
    _enters(stand, "mute")
    stand.until(lambda: _is_verified(stand), 15, "the share is read back")
    stand.street.deployer.mode = "well"
    stand.stays(4)
    stand.require(stand.state.phase == "running", f"it is {stand.state.phase}")


@row(
    "target-drips",
    "target",
    "the webhook's answers come a byte each 0.3 s, for 6 s; it does as it is told",
    "given up after its timeout (1 s) and said; goes on when it answers",
    word="^target_failed",
)
def target_drips(stand: Stand) -> None:
    stand.begin(target=stand.webhook())
    stand.fault()
    stand.street.deployer.drips = True
    stand.until(lambda: stand.has("^target_failed"), 10, "it is said")
    stand.stays(6)
    stand.street.deployer.drips = False
    stand.until(lambda: stand.has("^target_back"), 10, "it answers again")
    stand.goes_on()


@row(
    "target-more",
    "target",
    "the webhook serves twice the share that is asked for, and tells so, for 40 s",
    "not verified; told again; the record says what is served, so that somebody comes",
    word="40%",
)
def target_more(stand: Stand) -> None:
    _enters(stand, "more")
    stand.until(lambda: stand.street.deployer.asked == SHARE, 15, "20 % is asked for")
    stand.until(lambda: stand.has("40%"), 40, "the record says something of the 40 % that are served")
    stand.require(not _is_verified(stand), "another share was taken for the one asked for")
    stand.no_further_stage()
    stand.street.deployer.mode = "well"
    stand.until(stand.is_at_share, 10, "20 % are read back")


@row(
    "target-less",
    "target",
    "the webhook serves half the share that is asked for, and tells so, for 12 s",
    "not verified; told again; `rollway status` says what is served",
    word="10%|^exposure_verified",
)
def target_less(stand: Stand) -> None:
    _enters(stand, "less")
    stand.until(lambda: stand.street.deployer.asked == SHARE, 15, "20 % is asked for")
    stand.stays(12)
    stand.require(not _is_verified(stand), "another share was taken for the one asked for")
    stand.no_further_stage()
    plan, state = stand.rollway.load(stand.rollout).plan, stand.state
    told = " ".join(need.takes for need in lacking(plan, state, stand.rollway.clock()))
    stand.require("10%" in told, f"it does not say what is served: {told}")
    stand.street.deployer.mode = "well"
    stand.until(lambda: _is_verified(stand), 10, "the share is read back")


@row(
    "target-deaf-back",
    "target",
    "the new version is bad (40 %), and the webhook says yes and does not go back, for 40 s",
    "not called rolled back; told again; the record says that it is not followed, so that somebody comes",
    word="harmful|^rollback",
)
def target_deaf_back(stand: Stand) -> None:
    stand.begin(target=stand.webhook())
    stand.fault()
    stand.street.deployer.mode = "deaf"
    stand.street.behave("new", fails=0.4)
    stand.until(lambda: stand.has("^rollback"), 20, "going back is decided")
    words = r"^(?!rollback|verdict|exposure_verified).*20%"
    stand.until(lambda: stand.has(words), 40, "the record says that 20 % are served still")
    stand.require(stand.state.phase == "rolling_back", f"it is {stand.state.phase} while 20 % are served")
    stand.street.deployer.mode = "well"
    stand.until_phase(BACK, 15)


@row(
    "target-liar",
    "target",
    "the webhook says yes to each share and tells it back, and serves nobody",
    "read-back cannot see it, the evidence can: the new version is silent, blind, and taken back by policy",
    word="blind",
)
def target_liar(stand: Stand) -> None:
    _enters(stand, "liar")
    stand.until_phase(BACK, 30)
    stand.require(stand.has("^rollback: Rolling back by policy"), "not taken back by policy")
    stand.require(not stand.has("^stage_entered: Entering 50"), "50 % was entered")


@row(
    "balancer-forgets",
    "target",
    "HAProxy is restarted without its state file (weights as in its configuration: nobody)",
    "seen as lowered by somebody else: held at what is served, for people",
    word="^drift|^target_failed",
)
def balancer_forgets(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.restart_balancer()
    stand.until_phase(HELD, 15)
    stand.require(stand.state.desired_share == 0, "it wants more than is served")


@row(
    "balancer-frozen",
    "target",
    "HAProxy hangs (SIGSTOP) for 8 s: users wait, its socket accepts and does not answer",
    "ended by its timeout (1 s) and said; goes on when it answers",
    word="^target_failed",
)
def balancer_frozen(stand: Stand) -> None:
    stand.begin(target={**stand.haproxy(), "timeout": 1})
    stand.fault()
    with stand.street.frozen_balancer():
        stand.stays(8)
    stand.until(lambda: stand.has("^target_back"), 15, "it answers again")
    stand.require(stand.has("^target_failed"), "nothing was said while it hung")
    stand.until(lambda: stand.state.is_final or stand.state.heard != "blind", 15, "it sees again")


@row(
    "drift-up",
    "target",
    "somebody sets the weights to 80 % by hand",
    "set back, said, and the stage counts anew",
    word="^drift",
)
def drift_up(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.set_share(0.8)
    stand.until(lambda: stand.has("^drift"), 10, "it is said")
    stand.until(stand.is_at_share, 10, "20 % are read back")
    before = stand.street.users.counts.served.copy()
    stand.stays(3)
    since = stand.street.users.counts.served - before
    share = since["2.0"] / max(1, since.total())
    stand.require(share < 0.35, f"{share:.0%} of the requests still meet the new version")


@row(
    "drift-down",
    "target",
    "somebody sets the weights to 5 % by hand",
    "not fought: held at 5 %, for people",
    word="^drift",
)
def drift_down(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.set_share(0.05)
    stand.until_phase(HELD, 10)
    time.sleep(2)
    stand.require(abs(stand.state.desired_share - 13 / 256) < SAME, "it wants more than is served")


@row(
    "drift-all-down",
    "target",
    "somebody takes the new version from everybody by hand (0 %)",
    "not fought: held at nobody, for people",
    word="^drift",
)
def drift_to_nobody(stand: Stand) -> None:
    stand.begin()
    stand.fault()
    stand.street.set_share(0.0)
    stand.until_phase(HELD, 10)
    stand.stays(10)
    stand.require(stand.state.desired_share == 0, "it wants more than is served")
