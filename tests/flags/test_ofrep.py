"""OFREP's answers, byte for byte where a published client would trip."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollway.flags import Answer, FlagBook, answer_all, answer_one, change_event

ENABLED = {"state": "ENABLED"}
DOCUMENT: dict[str, Any] = {
    "metadata": {"flagSetId": "shop"},
    "flags": {
        "on": {**ENABLED, "variants": {"on": True, "off": False}, "defaultVariant": "on"},
        "price": {**ENABLED, "variants": {"low": 1, "high": 1.5}, "defaultVariant": "low"},
        "code": {**ENABLED, "variants": {"a": "A"}},
        "dark": {"state": "DISABLED", "variants": {"a": "A"}, "defaultVariant": "a"},
        "split": {
            **ENABLED,
            "variants": {"a": "A", "b": "B"},
            "targeting": {"fractional": [["a", 1], ["b", 1]]},
        },
        "safe-split": {
            **ENABLED,
            "variants": {"a": "A", "b": "B"},
            "defaultVariant": "b",
            "targeting": {"fractional": [["a", 1]]},
        },
        "named": {**ENABLED, "variants": {"a": "A"}, "targeting": {"var": "wanted"}},
    },
}
NOW = 1_760_000_000.5


@pytest.fixture
def book() -> FlagBook:
    return FlagBook(DOCUMENT)


def one(book: FlagBook, key: str, context: Any = None) -> tuple[int, dict[str, Any]]:
    body = b"" if context is None else json.dumps({"context": context}).encode()
    answer = answer_one(book, key, body, NOW)
    assert answer.headers == (("Content-Type", "application/json"),)
    return answer.status, json.loads(answer.body)


def every(book: FlagBook, context: Any, if_none_match: str = "", now: float = NOW) -> tuple[Answer, str]:
    answer = answer_all(book, json.dumps({"context": context}).encode(), if_none_match, now)
    return answer, dict(answer.headers)["ETag"]


def test_a_resolved_flag_carries_value_and_variant(book: FlagBook) -> None:
    """Clients need the variant; metadata of the set comes along."""
    assert one(book, "on") == (
        200,
        {"key": "on", "reason": "STATIC", "value": True, "variant": "on", "metadata": {"flagSetId": "shop"}},
    )


def test_a_float_has_a_decimal_point(book: FlagBook) -> None:
    """The published Python client refuses the integer 1 for a float flag."""
    assert b'"value":1.0,' in answer_one(book, "price", b"", NOW).body


@pytest.mark.parametrize(("key", "reason"), [("code", "DEFAULT"), ("dark", "DISABLED")])
def test_a_flag_without_a_value_has_none_in_its_answer(book: FlagBook, key: str, reason: str) -> None:
    """The caller then uses the default that stands in its code."""
    status, entry = one(book, key, {"targetingKey": "u"})
    assert (status, entry["reason"]) == (200, reason)
    assert not {"value", "variant", "errorCode"} & set(entry)


def test_an_unknown_flag_is_not_found(book: FlagBook) -> None:
    """404 with key, code and details, for clients that look for any of them."""
    assert one(book, "of") == (
        404,
        {"key": "of", "errorCode": "FLAG_NOT_FOUND", "errorDetails": 'there is no flag "of"'},
    )


def test_a_missing_targeting_key_is_an_error_only_where_nothing_else_is_left(book: FlagBook) -> None:
    """A flag with a default, or without need of a key, is served to anonymous users."""
    status, entry = one(book, "split", {"plan": "pro"})
    assert (status, entry["errorCode"]) == (400, "TARGETING_KEY_MISSING")
    assert one(book, "split", {"targetingKey": "u"})[0] == 200
    assert one(book, "safe-split", {})[1]["value"] == "B"
    assert one(book, "on", {})[0] == 200
    assert one(book, "named", {})[0] == 200


def test_a_rule_that_names_no_variant_is_a_general_error(book: FlagBook) -> None:
    """400 GENERAL, with details that say what the rule gave."""
    status, entry = one(book, "named", {"wanted": "zebra"})
    assert (status, entry["errorCode"]) == (400, "GENERAL")
    assert '"zebra"' in entry["errorDetails"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b'{"context": {"a": NaN}}', "PARSE_ERROR"),
        (b'{"context": {"a": ' + b"9" * 5000 + b"}}", "PARSE_ERROR"),
        (b"[" * 200_000, "PARSE_ERROR"),
        (b'{"context": 3}', "INVALID_CONTEXT"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
    ],
)
def test_a_bad_request_is_told_what_is_bad(book: FlagBook, body: bytes, code: str) -> None:
    """Both endpoints answer 400 with the protocol's code and details, whatever the bytes."""
    for answer in (answer_one(book, "on", body, NOW), answer_all(book, body, "", NOW)):
        entry = json.loads(answer.body)
        assert (answer.status, entry["errorCode"]) == (400, code)
        assert entry["errorDetails"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"context": null}', b'{"context": {"targetingKey": null}}'])
def test_an_empty_context_is_a_context(book: FlagBook, body: bytes) -> None:
    """A client that knows nothing of the user may still ask."""
    assert answer_one(book, "on", body, NOW).status == 200


def test_half_a_surrogate_pair_is_served(book: FlagBook) -> None:
    """A key that is no proper Unicode is somebody's key all the same."""
    body = b'{"context": {"targetingKey": "a\\ud800"}}'
    assert answer_one(book, "split", body, NOW).status == 200
    assert answer_all(book, body, "", NOW).status == 200


def test_all_flags_come_together(book: FlagBook) -> None:
    """Each flag as its own success or failure, with the set's metadata and the stream of changes."""
    answer, _ = every(book, {"wanted": "zebra"})
    content = json.loads(answer.body)
    by_key = {entry["key"]: entry for entry in content["flags"]}
    assert set(by_key) == set(DOCUMENT["flags"])
    assert by_key["on"]["value"] is True
    assert by_key["named"]["errorCode"] == "GENERAL"
    assert by_key["split"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert content["metadata"] == {"flagSetId": "shop"}
    assert content["eventStreams"] == [
        {"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/events"}, "inactivityDelaySec": 120}
    ]


def test_nothing_new_is_not_modified(book: FlagBook) -> None:
    """The same flags and the same context need no body."""
    _, etag = every(book, {"targetingKey": "u", "plan": "pro"})
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again, same = every(book, {"plan": "pro", "targetingKey": "u"}, asked)
        assert (again.status, again.body, same) == (304, b"", etag)


def test_another_context_is_always_answered(book: FlagBook) -> None:
    """A browser that sends its old ETag with a new context must not keep the old values."""
    _, etag = every(book, {"targetingKey": "u", "plan": "pro"})
    answer, other = every(book, {"targetingKey": "u", "plan": "free"}, etag)
    assert answer.status == 200
    assert other != etag


def test_a_changed_flag_is_answered(book: FlagBook) -> None:
    """The ETag moves with any definition."""
    _, etag = every(book, {})
    book.replace({"flags": {"on": {**DOCUMENT["flags"]["on"], "defaultVariant": "off"}}})
    assert every(book, {}, etag)[0].status == 200


def test_flags_that_follow_the_clock_are_not_held_back_by_an_etag() -> None:
    """A ramp by time changes answers without any change of definitions."""
    ramp = {"if": [{">": [{"var": "$flagd.timestamp"}, NOW]}, "a", "b"]}
    book = FlagBook({"flags": {"ramp": {**ENABLED, "variants": {"a": 1, "b": 2}, "targeting": ramp}}})
    _, etag = every(book, {})
    assert every(book, {}, etag)[0].status == 304
    answer, _ = every(book, {}, etag, now=NOW + 2)
    assert json.loads(answer.body)["flags"][0]["variant"] == "a"


def test_the_event_is_what_clients_listen_for() -> None:
    """Named `message`, with an id to resume from and the type that makes clients fetch."""
    event = change_event("abc").decode()
    assert event.endswith("\n\n")
    fields = dict(line.split(": ", 1) for line in event.strip().split("\n"))
    assert (fields["id"], fields["event"]) == ("abc", "message")
    assert json.loads(fields["data"]) == {"type": "refetchEvaluation", "etag": '"abc"'}
