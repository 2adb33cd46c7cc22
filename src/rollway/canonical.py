"""One JSON text per value, so that a hash of the text is a hash of the value."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """The value as JSON with sorted keys, no spaces and no NaN; equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON text, in lower-case hex (64 characters)."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
