"""The JSON API."""

from __future__ import annotations

import hashlib
import json

import pytest
import sqlalchemy as sa

from rollway.errors import ConflictError, TemporaryError
from rollway.web.problems import problem_response
from web.site import Site

JSON = {"content-type": "application/json"}
SAY = {"kind": "pause", "actor": "kaya", "reason": "support asks for an hour"}


def test_the_overview_has_every_plan_and_every_rollout(site: Site) -> None:
    """A new plan, its approval and its rollout show up, with where they stand."""
    site.story.make_plan(release__version="3.0")
    rollout = site.story.start()
    seen = site.client.get("/api/overview").json()
    assert {plan["version"]: plan["is_approved"] for plan in seen["plans"]} == {"3.0": False, "2.4.0": True}
    assert [(line["id"], line["phase"]) for line in seen["rollouts"]] == [(rollout, "waiting")]


def test_the_body_of_a_plan_hashes_to_its_name(site: Site) -> None:
    """Anyone can check that the plan on the wire is the plan that was approved."""
    plan = site.story.make_plan()
    answer = site.client.get(f"/api/plans/{plan.hash[:10]}")
    assert answer.headers["x-plan-hash"] == plan.hash
    assert hashlib.sha256(answer.content).hexdigest() == plan.hash
    assert answer.json()["name"] == "reporting-module"


def test_a_rollout_is_shown_with_its_verdict_and_what_may_be_said(site: Site) -> None:
    """After some ticks the view has stages, a verdict with its numbers, guards and commands."""
    rollout = site.story.start()
    site.story.tick(rollout, 8)
    seen = site.client.get(f"/api/rollouts/{rollout}").json()
    assert (seen["phase"], seen["served_share"]) == ("running", 0.1)
    assert [line["became"] for line in seen["stages"]][:2] == ["passed", "current"]
    assert {guard["kpi"] for guard in seen["verdict"]["guards"]} == {"errors", "latency", "feedback"}
    assert seen["commands"] == ["pause", "promote", "rollback"]


def test_the_series_go_on_where_the_last_answer_ended(site: Site) -> None:
    """Asking with the last number gives what is new, and only that."""
    rollout = site.story.start()
    site.story.tick(rollout, 5)
    first = site.client.get(f"/api/rollouts/{rollout}/series").json()
    site.story.tick(rollout, 2)
    more = site.client.get(f"/api/rollouts/{rollout}/series", params={"after": first["seq"]}).json()
    assert len(more["at"]) == 2
    assert more["at"][0] > first["at"][-1]
    assert len(more["kpis"]["errors"]["ratio"]) == 2


def test_the_record_comes_whole_and_says_that_it_is(site: Site) -> None:
    """Every entry, oldest first, with the finding that the chain holds; a changed entry is found out."""
    rollout = site.story.start()
    site.story.tick(rollout, 3)
    seen = site.client.get(f"/api/rollouts/{rollout}/record").json()
    assert seen["is_whole"]
    assert [entry["n"] for entry in seen["entries"]] == list(range(1, seen["length"] + 1))
    with site.rollway.engine.begin() as connection:
        connection.execute(sa.text("UPDATE record SET text = 'nothing happened' WHERE n = 2"))
    seen = site.client.get(f"/api/rollouts/{rollout}/record").json()
    assert not seen["is_whole"]
    assert seen["faults"]


def test_the_readings_are_the_evidence_behind_the_verdicts(site: Site) -> None:
    """Each reading has both arms' numbers, and `after` leaves out the older ones."""
    rollout = site.story.start()
    site.story.tick(rollout, 6)
    path = f"/api/rollouts/{rollout}/readings"
    all_of_them = site.client.get(path).json()["readings"]
    assert all_of_them[-1]["candidate"] != all_of_them[-1]["baseline"]
    later = site.client.get(path, params={"after": all_of_them[0]["end"]}).json()["readings"]
    assert 0 < len(later) < len(all_of_them)


def test_health_is_told_by_the_database(site: Site) -> None:
    """200 while the database answers, 503 with a hint when to ask again once it does not."""
    assert site.client.get("/healthz").json()["status"] == "ok"
    with site.rollway.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE flag"))
    answer = site.client.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "temporary")
    assert int(answer.headers["retry-after"]) > 0


# --- commands -------------------------------------------------------------------------------------


def test_a_command_is_kept_and_wakes_the_engine(site: Site) -> None:
    """202: it is written down, the engine is woken, and the next tick hears it."""
    rollout = site.story.start()
    site.story.tick(rollout, 5)
    answer = site.client.post(f"/api/rollouts/{rollout}/commands", json=SAY)
    assert answer.status_code == 202
    assert answer.json()["kind"] == "pause"
    assert len(site.wakes) == 1
    (pending,) = site.rollway.load(rollout).pending
    assert (pending.id, pending.event.actor) == (answer.json()["command"], "kaya")
    site.story.tick(rollout)
    assert site.rollway.load(rollout).state.phase == "paused"


@pytest.mark.parametrize(
    "body",
    [
        {**SAY, "kind": "explode"},
        {**SAY, "actor": "   "},
        {**SAY, "actor": "a\nb"},
        {**SAY, "actor": "a" * 201},
        {**SAY, "reason": "a" * 2001},
        {**SAY, "hurry": True},
        {"kind": "pause"},
        [],
    ],
)
def test_a_command_that_cannot_be_used_is_400_and_says_where(
    quiet_site: Site, quiet_rollout: str, body: object
) -> None:
    """Unknown words, no name, endless texts and unknown keys are refused with one line for each."""
    answer = quiet_site.client.post(f"/api/rollouts/{quiet_rollout}/commands", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "input")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["details"]


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\u202e"])
@pytest.mark.parametrize(("field", "named"), [("actor", ("actor", "name")), ("reason", ("reason",))])
def test_characters_that_cannot_be_seen_are_refused(
    quiet_site: Site, quiet_rollout: str, field: str, named: tuple[str, ...], sign: str
) -> None:
    """A NUL, an escape or a turn of direction would make the record lie; the answer names the field."""
    path = f"/api/rollouts/{quiet_rollout}/commands"
    answer = quiet_site.client.post(path, json={**SAY, field: f"so{sign}so"})
    assert (answer.status_code, answer.json()["code"]) == (400, "input")
    said = " ".join([answer.json()["detail"], *answer.json().get("details", ())])
    assert any(name in said for name in named)


def test_a_reason_may_have_several_lines(site: Site) -> None:
    """Lines and tabs are kept as spaces, so that an entry of the record stays one line."""
    rollout = site.story.start()
    site.story.tick(rollout, 5)
    body = {**SAY, "reason": "support asks\n\tfor an hour"}
    assert site.client.post(f"/api/rollouts/{rollout}/commands", json=body).status_code == 202
    (pending,) = site.rollway.load(rollout).pending
    assert pending.event.reason == "support asks for an hour"


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("series", "99999999999999999999"),
        ("series", "-2"),
        ("series", "9" * 5000),
        ("readings", "nan"),
        ("readings", "1e999"),
    ],
)
def test_a_number_out_of_range_is_400(quiet_site: Site, quiet_rollout: str, path: str, after: str) -> None:
    """No number of a query reaches the database that it cannot hold."""
    answer = quiet_site.client.get(f"/api/rollouts/{quiet_rollout}/{path}", params={"after": after})
    assert (answer.status_code, answer.json()["code"]) == (400, "input")
    assert "after" in answer.json()["details"][0]


def test_the_largest_number_is_only_an_empty_answer(quiet_site: Site, quiet_rollout: str) -> None:
    """It is in range, and nothing came after it."""
    path = f"/api/rollouts/{quiet_rollout}/series"
    answer = quiet_site.client.get(path, params={"after": 2**63 - 1})
    assert (answer.status_code, answer.json()["at"]) == (200, [])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"kind": "promote", "actor": "jon"}, "reason"),
        ({"kind": "promote", "actor": "eve", "reason": "go"}, "may not"),
    ],
)
def test_a_command_against_a_rule_is_403_with_the_way_out(
    quiet_site: Site, quiet_rollout: str, said: dict[str, str], why: str
) -> None:
    """What a rule of the plan forbids is refused, with what to do about it."""
    answer = quiet_site.client.post(f"/api/rollouts/{quiet_rollout}/commands", json=said)
    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert why in answer.json()["detail"]
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_cannot_say_anything(
    quiet_site: Site, quiet_rollout: str, headers: dict[str, str]
) -> None:
    """A browser tells where a request comes from, and only our own pages may write."""
    answer = quiet_site.client.post(f"/api/rollouts/{quiet_rollout}/commands", json=SAY, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "refused")


def test_our_own_page_may(site: Site) -> None:
    """A browser's request from our page carries our own origin."""
    rollout = site.story.start()
    headers = {"origin": site.url, "sec-fetch-site": "same-origin"}
    assert site.client.post(f"/api/rollouts/{rollout}/commands", json=SAY, headers=headers).status_code == 202


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_what_is_declared_as_json_is_read(quiet_site: Site, quiet_rollout: str, declared: str) -> None:
    """A form of another site could declare the other types without asking the browser."""
    path = f"/api/rollouts/{quiet_rollout}/commands"
    answer = quiet_site.client.post(path, content=json.dumps(SAY), headers={"content-type": declared})
    assert answer.status_code == 400


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/rollouts/nope",
        "/api/rollouts/nope/series",
        "/api/rollouts/nope/readings",
        "/api/rollouts/nope/record",
        "/api/plans/ffffff",
        "/api/plans/no-hash",
        "/api/nothing",
        "/rollouts/nope/events",
    ],
)
def test_what_does_not_exist_is_a_404_problem(quiet_site: Site, path: str) -> None:
    """Never a traceback and never an empty answer: what is missing, and where to look."""
    answer = quiet_site.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_conflict_and_temporary_have_their_own_status() -> None:
    """Programs can tell somebody-was-faster from try-again."""
    assert problem_response(ConflictError("somebody moved it")).status_code == 409
    answer = problem_response(TemporaryError("no answer", hint="later", details=("a", "b")))
    assert answer.status_code == 503
    assert json.loads(bytes(answer.body))["details"] == ["a", "b"]


def test_an_error_that_nobody_foresaw_is_no_traceback(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 as problem details with the security headers, and nothing of the inside."""
    monkeypatch.setattr(site.rollway.flags, "stamp", lambda: 1 / 0)
    answer = site.client.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert "division" not in answer.text
    assert "content-security-policy" in answer.headers


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8100", "localhost.evil.example", "", "["])
@pytest.mark.parametrize("path", ["/", "/api/overview", "/static/rollway.css", "/ofrep/v1/evaluate/flags/x"])
def test_a_name_that_is_not_ours_is_not_answered(quiet_site: Site, host: str, path: str) -> None:
    """DNS rebinding: a foreign name that points here gets nothing, whatever it asks for."""
    method = "POST" if path.startswith("/ofrep") else "GET"
    answer = quiet_site.client.request(method, path, headers={"host": host})
    assert answer.status_code == 403 or (host in ("", "[") and answer.status_code == 400)
    assert "plans" not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8100", "127.0.0.1:1", "[::1]:8100", "10.1.2.3", "rollway.example"]
)
def test_our_names_and_addresses_are_answered(quiet_site: Site, host: str) -> None:
    """Loopback, what was configured, and any address, since nothing can be rebound without a name."""
    assert quiet_site.client.get("/healthz", headers={"host": host}).status_code == 200


def test_the_flags_are_served_beside_the_pages(quiet_site: Site) -> None:
    """OFREP answers on the same port."""
    answer = quiet_site.client.post("/ofrep/v1/evaluate/flags/none", json={"context": {"targetingKey": "a"}})
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_the_description_of_the_api_names_the_commands(quiet_site: Site) -> None:
    """OpenAPI for those who generate clients; no page that would load scripts from elsewhere."""
    described = quiet_site.client.get("/api/openapi.json").json()
    assert "/api/rollouts/{rollout}/commands" in described["paths"]
    assert "/rollouts/{rollout}" not in described["paths"]
    assert quiet_site.client.get("/docs").status_code == 404
