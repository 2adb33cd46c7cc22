"""The promises of the target, tried on a real file; and what users get of it."""

from __future__ import annotations

from pathlib import Path

from share_file import ShareFileTarget
from which_version import version_of

from rollway.rollout.ports import Surroundings
from rollway.testing import FlagsInMemory, target_promises


def test_the_target_keeps_its_promises(tmp_path: Path) -> None:
    """Options, identity, read-back, fences, restarts, silence: what every rollout relies on."""
    (tmp_path / "share").write_text('{"share": 0.25}')
    promises = target_promises(ShareFileTarget, {"file": str(tmp_path / "share")})
    assert [promise for promise in promises if promise.state != "kept"] == []


def test_users_get_the_share_that_was_told(tmp_path: Path) -> None:
    """Of two thousand users a tenth meets the new version, and a half keeps all of these."""
    (tmp_path / "share").write_text('{"share": 0}')
    target = ShareFileTarget({"file": str(tmp_path / "share")}, Surroundings("r", FlagsInMemory()))
    served = []
    for fence, share in enumerate((0.1, 0.5)):
        target.apply(share, fence=fence)
        users = (f"user-{number}" for number in range(2000))
        served.append({user for user in users if version_of(user, target.observe().share) == "new"})
    assert abs(len(served[0]) - 200) < 60
    assert served[0] < served[1]
