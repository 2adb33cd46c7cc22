"""Signatures of what Rollway sends, by which a receiver knows who speaks and when it was said."""

from __future__ import annotations

import hashlib
import hmac
import os
import time

from rollway.errors import TemporaryError


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256 (hexadecimal) of the timestamp, a dot and the body."""
    mark = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={mark.hexdigest()}"


def signed(secret_env: str, body: bytes) -> dict[str, str]:
    """The headers that sign a body now (unix seconds) with the secret in this environment variable; none
    where no variable is named. Raises TemporaryError where it is empty."""
    if not secret_env:
        return {}
    secret = os.environ.get(secret_env)
    if not secret:
        raise TemporaryError(
            f"the environment has no {secret_env}",
            hint="start `rollway serve` with the secret in this variable",
        )
    at = str(int(time.time()))
    return {"Rollway-Timestamp": at, "Rollway-Signature": signature(secret, at, body)}
