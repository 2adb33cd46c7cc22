"""OpenFeature Remote Evaluation Protocol 0.3.0: bytes in, an answer out. No web framework, no clock.

Three habits keep the published clients content: a variant wherever one was resolved, details with every
error, and a decimal point in every value of a float flag.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from rollway.flags.book import FlagBook
from rollway.flags.definitions import FlagSet
from rollway.flags.evaluate import evaluate
from rollway.flags.resolution import MISSING, Resolution

EVENTS_PATH = "/ofrep/v1/events"
INACTIVITY_SECONDS = 120
"""How long a client may keep the event stream open while nobody looks at it."""

_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, ready to be sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _RequestError(Exception):
    """A request that cannot be evaluated, with OFREP's error code."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def answer_one(book: FlagBook, key: str, body: bytes, now: float) -> Answer:
    """Evaluate one flag. `body` is the request's JSON, `now` unix seconds.

    200 with the resolution; 404 FLAG_NOT_FOUND; 400 PARSE_ERROR for a body that is no JSON,
    INVALID_CONTEXT for one that is no context, GENERAL where the rule fails. A missing targetingKey is
    TARGETING_KEY_MISSING only where the flag wants one and has no default to serve without.
    """
    flag_set = book.flag_set
    try:
        entry = _entry(flag_set, key, _read_context(body), now)
    except _RequestError as error:
        entry = {"key": key, "errorCode": error.code, "errorDetails": error.details}
    return Answer(_status(entry), (_JSON,), _to_json(entry))


def answer_all(
    book: FlagBook, body: bytes, if_none_match: str, now: float, *, events_path: str = EVENTS_PATH
) -> Answer:
    """Evaluate all flags, for clients that keep them.

    The ETag covers flags and context (and, where a rule looks at the clock, the second), so a client that
    sends an old ETag with a new context is not told that nothing changed. 304 where the ETag matches.
    """
    flag_set = book.flag_set
    try:
        context = _read_context(body)
        etag = _etag(flag_set, context, now)
    except _RequestError as error:
        return Answer(400, (_JSON,), _to_json({"errorCode": error.code, "errorDetails": error.details}))
    if _matches(if_none_match, etag):
        return Answer(304, (("ETag", etag),), b"")
    flags = [_entry(flag_set, key, context, now) for key in flag_set.flags]
    stream = {
        "type": "sse",
        "endpoint": {"requestUri": events_path},
        "inactivityDelaySec": INACTIVITY_SECONDS,
    }
    content: dict[str, Any] = {"flags": flags, "eventStreams": [stream]}
    if flag_set.metadata:
        content["metadata"] = dict(flag_set.metadata)
    return Answer(200, (_JSON, ("ETag", etag)), _to_json(content))


def change_event(version: str) -> bytes:
    """The server-sent event that tells a client to fetch its flags again."""
    data = _to_json({"type": "refetchEvaluation", "etag": f'"{version}"'})
    return b"id: %s\nevent: message\ndata: %s\n\n" % (version.encode(), data)


def _entry(flag_set: FlagSet, key: str, context: Mapping[str, Any], now: float) -> dict[str, Any]:
    resolution = evaluate(flag_set, key, context, timestamp=int(now))
    if resolution.reason == "DEFAULT" and resolution.value is MISSING and "targetingKey" not in context:
        flag = flag_set.flags[key]
        if flag.uses_targeting_key:
            details = f'flag "{key}" chooses by targetingKey, and the context has none'
            return {"key": key, "errorCode": "TARGETING_KEY_MISSING", "errorDetails": details}
    return _success_or_failure(resolution)


def _success_or_failure(resolution: Resolution) -> dict[str, Any]:
    entry: dict[str, Any] = {"key": resolution.key}
    if resolution.error_code is not None:
        entry["errorCode"] = resolution.error_code
        entry["errorDetails"] = resolution.error_details
        return entry
    entry["reason"] = resolution.reason
    if resolution.value is not MISSING:
        entry["value"] = resolution.value
        entry["variant"] = resolution.variant
    if resolution.metadata:
        entry["metadata"] = dict(resolution.metadata)
    return entry


def _status(entry: Mapping[str, Any]) -> int:
    code = entry.get("errorCode")
    if code is None:
        return 200
    return 404 if code == "FLAG_NOT_FOUND" else 400


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _read_context(body: bytes) -> dict[str, Any]:
    """The request's context; empty where the request has none."""
    try:
        request = _DECODER.decode(body.decode()) if body else {}
    except (ValueError, RecursionError) as error:
        raise _RequestError("PARSE_ERROR", f"the request is no JSON: {error}") from None
    if not isinstance(request, dict):
        raise _RequestError("PARSE_ERROR", 'the request is no JSON object, such as {"context": {}}')
    context = request.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise _RequestError("INVALID_CONTEXT", "the context is no JSON object")
    key = context.get("targetingKey", "")
    if key is None:
        del context["targetingKey"]
    elif not isinstance(key, str):
        raise _RequestError("INVALID_CONTEXT", "the targetingKey is no text")
    return context


def _etag(flag_set: FlagSet, context: Mapping[str, Any], now: float) -> str:
    moment = int(now) if flag_set.uses_clock else None
    try:
        seen = json.dumps([flag_set.version, context, moment], sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise _RequestError("INVALID_CONTEXT", "the context is nested too deeply") from None
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def _matches(if_none_match: str, etag: str) -> bool:
    asked = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return etag in asked or "*" in asked


def _to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
