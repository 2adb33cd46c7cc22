"""What the share is for: `which_version.py FILE USER` says which version a user gets, the same each time."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path


def version_of(user: str, share: float) -> str:
    """Users with the smallest numbers come first, so that who has the new version keeps it as shares grow."""
    number = int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) / 2**64
    return "new" if number < share else "old"


if __name__ == "__main__":
    file, user = sys.argv[1:]
    print(version_of(user, json.loads(Path(file).read_text())["share"]))
