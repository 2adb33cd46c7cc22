"""The pages, as a browser without scripts sees them."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import httpx2
import pytest

from rollway.planning import Plan
from support.nights import counted
from web.site import Site

HOSTILE = '</script><script>alert("pwned")</script><img src=x onerror=alert(1)>'


class Seen(HTMLParser):
    """What matters of a page: its elements, and the text of its title and headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def changed(plan: Plan, **values: object) -> Plan:
    return Plan.model_validate({**plan.to_json(), **values})


@pytest.fixture
def paths(quiet_site: Site, quiet_rollout: str) -> list[str]:
    """Every kind of page, of a rollout with evidence."""
    rollout = quiet_rollout
    plan = quiet_site.rollway.load(rollout).plan.hash
    return [
        "/",
        f"/rollouts/{rollout}",
        f"/rollouts/{rollout}/record",
        f"/plans/{plan}",
        "/rollouts/nope",
        "/nothing",
    ]


def test_every_page_is_strict_about_what_it_runs(quiet_site: Site, paths: list[str]) -> None:
    """No inline script, style or handler, a policy that forbids them, and only links to ourselves."""
    for path in paths:
        answer = quiet_site.page(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        for tag, attributes in Seen(answer.text).elements:
            assert tag != "style", path
            assert tag != "script" or attributes["src"], path
            assert not any(name.startswith("on") or name == "style" for name in attributes), (
                path,
                attributes,
            )
            for link in (attributes.get("src"), attributes.get("href"), attributes.get("action")):
                assert link is None or re.match(r"/(?!/)|#", link), (path, link)


def test_every_page_can_be_read_by_all(quiet_site: Site, paths: list[str]) -> None:
    """A language, one main part, one first heading, a way past the navigation, a name for each field."""
    for path in paths:
        seen = Seen(quiet_site.page(path).text)
        assert seen.all("html")[0]["lang"] == "en"
        assert len(seen.all("main")) == 1, path
        assert len(seen.all("h1")) == 1, path
        assert any(link.get("href") == "#main" for link in seen.all("a"))
        labelled = {label.get("for") for label in seen.all("label")}
        for field in seen.all("input") + seen.all("textarea"):
            assert field.get("type") == "hidden" or field["id"] in labelled, (path, field)
        ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), path


def test_what_a_page_loads_is_there(quiet_site: Site, paths: list[str]) -> None:
    """Every script and style sheet of the pages is served from here, scripts' imports too."""
    wanted = set()
    for path in paths:
        seen = Seen(quiet_site.page(path).text)
        wanted |= {one["src"] for one in seen.all("script")} | {one["href"] for one in seen.all("link")}
    for script in sorted(wanted, key=str):
        answer = quiet_site.client.get(str(script))
        assert answer.status_code == 200, script
        assert answer.headers["cache-control"] == "no-cache"
        for name in re.findall(r'from "\./([a-z.]+)"', answer.text):
            assert quiet_site.client.get(f"/static/{name}").status_code == 200, name


def test_an_empty_list_teaches_the_next_command(site: Site) -> None:
    """Who comes first learns how a release gets here."""
    text = site.page("/").text
    for command in ("rollway init", "rollway plan", "rollway approve", "rollway start", "rollway demo"):
        assert f"<code>{command}" in text


def test_the_list_says_what_each_release_waits_for(site: Site) -> None:
    """Plans with what is missing, rollouts with phase, share and why they are where they are."""
    open_plan = site.story.make_plan(release__version="3.0", target__flag="other")
    rollout = site.story.start()
    site.story.tick(rollout, 8)
    text = site.page("/").text
    assert f"rollway approve {open_plan.hash[:12]}" in text
    assert "1 of 1 approvals missing" in text
    assert f'href="/rollouts/{rollout}"' in text
    assert "running" in text
    assert "Baking: 40 of 120 s." in text


def test_the_live_page_says_where_it_is_and_why(site: Site) -> None:
    """Phase, standing, stages with what became of them, both arms' figures, and the record."""
    rollout = site.story.start()
    site.story.tick(rollout, 8)
    text = site.page(f"/rollouts/{rollout}").text
    for told in ("New reporting module", "Baking: 40 of 120 s.", "planned 10%", "read back from the target"):
        assert told in text
    seen = Seen(text)
    stages = [one["class"] for one in seen.all("li") if "stage " in str(one.get("class"))]
    assert [str(one).split()[1] for one in stages] == [
        "is-passed",
        "is-current",
        "is-ahead",
        "is-ahead",
        "is-ahead",
    ]
    guard = next(
        g
        for g in site.client.get(f"/api/rollouts/{rollout}").json()["verdict"]["guards"]
        if g["kpi"] == "errors"
    )
    assert f"{guard['candidate_bad']} of {guard['candidate_trials']:,}" in text
    assert f"{guard['baseline_bad']} of {guard['baseline_trials']:,}" in text
    assert text.index("exposure read back") < text.index("jon started plan")


def test_a_harmful_release_is_shown_as_such_without_colour(site: Site) -> None:
    """The page of a release that was taken back says so in words, and which KPI did it."""
    story = site.story
    story.world.new["errors"] = 0.08
    rollout = story.start()
    story.tick_until(rollout, lambda state: state.is_final)
    text = site.page(f"/rollouts/{rollout}").text
    assert "rolled back" in text
    assert "Rolled back: errors: the new version" in text
    assert re.search(r'class="card kpi is-driver" id="kpi-errors"', text)
    assert 'class="actions"' not in text


def test_a_plan_is_readable_and_leads_to_its_documents(site: Site) -> None:
    """Stages, guards, rollback and approvals on one page, and documents that need no script."""
    plan = site.story.make_plan()
    text = site.page(f"/plans/{plan.hash[:8]}").text
    for told in (plan.hash, "Hold-back: 95% of users", "Reports that fail", "not approved", "jon, kaya"):
        assert told in text
    for told in ("What each stage catches", "Before everyone", "opens only when", "step 1", "roll back"):
        assert told in text
    links = [str(one["href"]) for one in Seen(text).all("a") if "/documents/" in str(one.get("href"))]
    assert len(links) >= 2
    for link in links:
        answer = site.page(link)
        assert answer.status_code == 200
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "New reporting module" in answer.text


def test_a_guard_that_does_not_count_here_is_shown_as_such(site: Site) -> None:
    """On the live page, and on the plan's with the stages in which it counts."""
    rollout = site.story.start(counted())
    site.story.tick(rollout, 8)
    text = site.page(f"/rollouts/{rollout}").text
    card = text.partition('id="kpi-latency"')[2].partition("</article>")[0]
    assert "not counted" in card
    assert "Not asked in this stage" in card
    assert "tone-blind" not in card
    plan = site.page(f"/plans/{site.rollway.load(rollout).plan.hash}").text
    assert "Time to make a report counts in &#39;Everyone&#39; only" in plan


def test_a_plan_shows_the_six_methods_with_their_standing(site: Site) -> None:
    """A drawing that the page's own policy lets through, and a table that says the same."""
    answer = site.page(f"/plans/{site.story.make_plan().hash}")
    _, _, section = answer.text.partition('<h2 id="methods-heading">')
    section = section.partition("</section>")[0]
    assert section.count('<svg xmlns="http://www.w3.org/2000/svg" class="methods" role="img"') == 2
    assert "<style" not in section
    assert " style=" not in section
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    for title in ("Pilot", "Phased", "Canary", "Blue-green", "Parallel", "Big-bang"):
        assert f'<th scope="row">{title}' in section
    assert '<th scope="row">Canary <span class="dim">(planned)</span></th>' in section
    assert '<span class="badge tone-bad">blocked</span> <span class="dim">V' in section
    assert "By today’s rules" not in section


def test_a_plan_that_todays_rules_would_not_make_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page works out again may differ from what was planned, and then nobody is to miss it."""
    plan = site.story.make_plan()
    facts = site.rollway.review(plan)
    assert facts is not None
    release, readiness, choice = facts
    later = release, readiness, replace(choice, recommended="pilot", chosen="pilot")
    monkeypatch.setattr(site.rollway, "review", lambda plan: later)
    assert "By today’s rules Pilot would be chosen." in site.page(f"/plans/{plan.hash}").text


def test_a_document_that_does_not_exist_names_those_that_do(site: Site) -> None:
    """404 with the list."""
    plan = site.story.make_plan()
    answer = site.page(f"/plans/{plan.hash}/documents/poem")
    assert answer.status_code == 404
    assert "rollout-plan" in answer.text


def test_a_plan_without_facts_has_no_documents_and_says_why(site: Site) -> None:
    """A plan that came as a file alone is shown; its documents are refused with what to do."""
    plan = changed(site.story.make_plan(), notes=["from elsewhere"])
    site.rollway.plans.save(plan, site.story.now)
    assert "/documents/" not in site.page(f"/plans/{plan.hash}").text
    answer = site.page(f"/plans/{plan.hash}/documents/strategy")
    assert answer.status_code == 403
    assert "rollway plan release.yaml" in answer.text


def test_an_error_page_says_what_and_what_to_do(quiet_site: Site) -> None:
    """People get a page, programs get problem details, from the same error."""
    answer = quiet_site.page("/rollouts/nope")
    assert answer.status_code == 404
    assert "There is no rollout &#39;nope&#39;." in answer.text
    assert "<code>rollway status</code> lists them" in answer.text
    assert quiet_site.client.get("/rollouts/nope").json()["code"] == "not-found"


def test_hostile_text_stays_text(site: Site) -> None:
    """Titles, names and reasons come from people; none of them becomes part of the page."""
    story = site.story
    plan = changed(story.make_plan(), title=HOSTILE, objective=HOSTILE, notes=[HOSTILE])
    story.rollway.approve(plan, "ines", reason=HOSTILE)
    rollout = story.start(plan)
    story.tick(rollout, 8)
    story.rollway.say(rollout, "pause", HOSTILE[:100], HOSTILE)
    story.tick(rollout)
    for path in ("/", f"/rollouts/{rollout}", f"/rollouts/{rollout}/record", f"/plans/{plan.hash}"):
        text = site.page(path).text
        assert "alert(" in text
        assert "<script>alert" not in text
        assert "<img" not in text
    _, _, change = next(site.events(f"/rollouts/{rollout}/events"))
    for html in change["regions"].values():
        assert "<script>" not in html
        assert "<img" not in html


# --- forms ----------------------------------------------------------------------------------------


def form_of(site: Site, rollout: str) -> dict[str, str]:
    """The fields of the page's form; the client keeps the cookie."""
    token = next(
        one["value"]
        for one in Seen(site.page(f"/rollouts/{rollout}").text).all("input")
        if one["name"] == "token"
    )
    return {"token": str(token), "kind": "rollback", "actor": "kaya", "reason": ""}


def send(site: Site, rollout: str, form: dict[str, str], **headers: str) -> httpx2.Response:
    return site.client.post(
        f"/rollouts/{rollout}/commands", data=form, headers={"accept": "text/html", **headers}
    )


def test_a_form_works_without_scripts(site: Site) -> None:
    """The page's own form says the command and leads back to the page."""
    rollout = site.story.start()
    form = form_of(site, rollout)
    answer = send(site, rollout, form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/rollouts/{rollout}")
    assert [one.event.kind for one in site.rollway.load(rollout).pending][-1] == "rollback"
    assert site.wakes


def test_the_cookie_of_the_form_stays_with_us(quiet_site: Site, quiet_rollout: str) -> None:
    """No script reads it, and no other site's request carries it."""
    cookie = quiet_site.page(f"/rollouts/{quiet_rollout}").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("token", [None, "", "0" * 64, "ü" * 64, "\x00"])
def test_a_form_without_its_token_is_refused(quiet_site: Site, quiet_rollout: str, token: str | None) -> None:
    """A form that somebody else wrote has no token of this browser."""
    form = form_of(quiet_site, quiet_rollout)
    del form["token"]
    form |= {} if token is None else {"token": token}
    answer = send(quiet_site, quiet_rollout, form)
    assert answer.status_code == 403
    assert "load the page again" in answer.text


def test_a_token_belongs_to_one_browser(quiet_site: Site, quiet_rollout: str) -> None:
    """A token that an attacker got with a cookie of their own is worth nothing with ours."""
    form = form_of(quiet_site, quiet_rollout)
    quiet_site.client.cookies.clear()
    form_of(quiet_site, quiet_rollout)
    assert send(quiet_site, quiet_rollout, form).status_code == 403


def test_a_form_from_another_site_is_refused_even_with_a_token(quiet_site: Site, quiet_rollout: str) -> None:
    """Where the browser names another origin, the token does not help."""
    form = form_of(quiet_site, quiet_rollout)
    assert send(quiet_site, quiet_rollout, form, origin="https://evil.example").status_code == 403


def test_a_form_without_a_name_asks_for_one(quiet_site: Site, quiet_rollout: str) -> None:
    """The record names who spoke, so nobody speaks without a name."""
    form = form_of(quiet_site, quiet_rollout) | {"actor": "  "}
    answer = send(quiet_site, quiet_rollout, form)
    assert answer.status_code == 400
    assert "Say who you are." in answer.text


@pytest.mark.parametrize(("field", "text"), [("actor", "ka\x00ya"), ("actor", "k\x9b"), ("reason", "so\x00")])
def test_a_form_with_control_characters_is_refused(
    quiet_site: Site, quiet_rollout: str, field: str, text: str
) -> None:
    """What would not be seen in the record, or not fit into the database, does not come into it."""
    form = form_of(quiet_site, quiet_rollout) | {field: text + "x"}
    answer = send(quiet_site, quiet_rollout, form)
    assert answer.status_code == 400
    assert ("name" if field == "actor" and "\x9b" in text else field) in answer.text


def test_a_form_that_is_too_large_is_not_read(quiet_site: Site, quiet_rollout: str) -> None:
    """Nobody fills the memory through a form."""
    form = form_of(quiet_site, quiet_rollout) | {"reason": "a" * 70_000}
    assert send(quiet_site, quiet_rollout, form).status_code == 400
