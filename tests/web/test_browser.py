"""The live page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from rollway.errors import TemporaryError
from rollway.planning import Plan
from rollway.rollout import Loaded
from support.nights import bare
from web.site import Site

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOO_WIDE = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>"


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty tab; at the end nothing may have been complained about or asked of another server.

    That a rule refused something, or that server or database were away, is no complaint of the page's.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if "://127.0.0.1:" in request.url else complaints.append(f"asked {request.url}"),
    )
    yield page
    context.close()
    assert complaints == []


def boxes_of(tab: Page, chart: str) -> list[dict[str, float]]:
    """Where the letters of the methods' names stand on the screen, without the halo around them."""
    measure = """names => names.map(name => {
        const box = name.getBBox(), by = name.getScreenCTM();
        return {x: by.e + by.a * box.x, y: by.f + by.d * box.y,
                width: by.a * box.width, height: by.d * box.height};
    })"""
    boxes: list[dict[str, float]] = tab.locator(f"{chart} text.halo").evaluate_all(measure)
    assert len(boxes) == 6
    return boxes


def covers(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


def outlines(tab: Page, chart: str) -> dict[str, float]:
    box = tab.locator(f"{chart} svg").bounding_box()
    assert box is not None
    return dict(box)


def brightness(colour: str) -> float:
    """Of `rgb(23, 28, 36)`, from 0 to 255."""
    red, green, blue = (float(part) for part in re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def database_is_down(rollout: str) -> Loaded:
    raise TemporaryError("the database does not answer")


def _is_complaint(said: ConsoleMessage) -> bool:
    expected = ("status of 403", "status of 503", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED")
    return said.type == "error" and not any(one in said.text for one in expected)


def test_a_person_watches_and_takes_the_release_back(site: Site, tab: Page) -> None:
    """The page shows a new stage as it comes, keeps what was opened, and its red button takes all back."""
    story = site.story
    rollout = story.start()
    story.tick(rollout, 4)
    tab.goto(f"{site.url}/rollouts/{rollout}")
    expect(tab.locator("#link")).to_have_text("live")
    expect(tab.locator(".stage.is-current")).to_contain_text("10% of users")
    tab.locator("#entry-1 summary").click()

    story.tick_until(rollout, lambda state: state.stage == 2 and state.entered_at is not None)
    expect(tab.locator(".stage.is-current")).to_contain_text("50% of users", timeout=3000)
    expect(tab.locator(".head-share strong.num")).to_have_text("50%")
    expect(tab.locator("#entry-1 details")).to_have_attribute("open", "")
    expect(tab).to_have_title("running 50% · reporting-module 2.4.0")
    expect(tab.locator("#chart-errors canvas")).to_be_visible()

    tab.get_by_label("You are").fill("kaya")
    tab.get_by_role("button", name="Roll back…").click()
    question = tab.locator("#ask-rollback")
    expect(question.get_by_label("Your name")).to_have_value("kaya")
    expect(question.get_by_label("Reason")).to_be_focused()
    tab.keyboard.type(HOSTILE)
    question.get_by_role("button", name="Roll back now").click()
    expect(tab.locator("#said")).to_contain_text("Roll back: said.")
    (pending,) = site.rollway.load(rollout).pending
    assert (pending.event.kind, pending.event.actor, pending.event.reason) == ("rollback", "kaya", HOSTILE)
    assert site.wakes

    story.tick(rollout, 2)
    expect(tab.locator(".head .badge")).to_contain_text("rolled back", timeout=3000)
    expect(tab.locator("#link")).to_have_text("ended")
    expect(tab.get_by_role("button")).to_have_count(0)
    assert tab.evaluate("window.pwned") is None
    tab.reload()
    expect(tab.locator(".standing")).to_contain_text("<img src=x")


def test_a_promotion_is_not_sent_without_a_reason(site: Site, tab: Page) -> None:
    """The browser asks for the reason, and the rule's refusal is shown where one was given by a stranger."""
    story = site.story
    rollout = story.start()
    story.tick(rollout, 5)
    tab.goto(f"{site.url}/rollouts/{rollout}")
    tab.get_by_label("You are").fill("eve")
    tab.get_by_role("button", name="Promote…").click()
    question = tab.locator("#ask-promote")
    question.get_by_role("button", name="Promote").click()
    expect(question).to_be_visible()
    assert site.rollway.load(rollout).pending == ()
    question.get_by_label("Reason").fill("because")
    question.get_by_role("button", name="Promote").click()
    expect(tab.locator("#said")).to_contain_text("eve may not promote this rollout")
    expect(tab.locator("#said")).to_contain_text("jon, kaya")
    assert site.rollway.load(rollout).pending == ()


def test_a_page_outlives_its_server(site: Site, tab: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection is told; when server and database are back, the page shows what it missed."""
    story = site.story
    rollout = story.start()
    story.tick(rollout, 5)
    tab.goto(f"{site.url}/rollouts/{rollout}")
    expect(tab.locator("#link")).to_have_text("live")
    site.stop()
    expect(tab.locator("#link")).to_contain_text("connection lost")
    story.tick_until(rollout, lambda state: state.stage == 2)
    with monkeypatch.context() as patch, tab.expect_response(lambda response: response.status == 503):
        patch.setattr(site.rollway, "load", database_is_down)
        site.start()
    expect(tab.locator("#link")).to_have_text("live", timeout=8000)
    expect(tab.locator(".stage.is-current")).to_contain_text("50% of users")


def test_a_person_sees_that_nobody_listens(site: Site, tab: Page) -> None:
    """The line comes while the page is open, and goes with the next look at the rollout."""
    story = site.story
    rollout = story.start(bare())
    story.tick(rollout, 4)
    tab.goto(f"{site.url}/rollouts/{rollout}")
    expect(tab.locator("#link")).to_have_text("live")
    expect(tab.locator("#late")).to_have_count(0)
    story.now += timedelta(hours=1)
    expect(tab.locator("#late")).to_contain_text("Nobody carries it out", timeout=3000)
    expect(tab.locator('#region-head [role="status"]')).to_contain_text("Nobody carries it out")
    story.tick(rollout)
    expect(tab.locator("#late")).to_have_count(0, timeout=3000)


def test_the_list_is_renewed_by_itself(site: Site, tab: Page) -> None:
    """A rollout that is started while somebody looks at the list appears there."""
    tab.goto(site.url)
    expect(tab.locator("#releases")).to_contain_text("No release yet")
    rollout = site.story.start()
    expect(tab.locator(f'.row a[href="/rollouts/{rollout}"]')).to_be_visible(timeout=6000)


@pytest.mark.parametrize("width", [400, 1280])
def test_no_page_is_wider_than_its_window(
    quiet_site: Site, quiet_rollout: str, tab: Page, width: int
) -> None:
    """On a phone and on a desk nothing has to be scrolled sideways."""
    tab.set_viewport_size({"width": width, "height": 800})
    plan: Plan = quiet_site.rollway.load(quiet_rollout).plan
    for path in (
        "/",
        f"/rollouts/{quiet_rollout}",
        f"/rollouts/{quiet_rollout}/record",
        f"/plans/{plan.hash}",
    ):
        tab.goto(f"{quiet_site.url}{path}")
        tab.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
        assert tab.locator(".wide").evaluate_all(TOO_WIDE) == [], path


@pytest.mark.parametrize(
    ("width", "shown", "hidden"), [(1280, ".on-wide", ".on-narrow"), (390, ".on-narrow", ".on-wide")]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "/documents/strategy"])
def test_the_six_methods_can_be_read_on_every_screen(
    quiet_site: Site,
    quiet_rollout: str,
    tab: Page,
    width: int,
    shown: str,
    hidden: str,
    scheme: Literal["light", "dark"],
    path: str,
) -> None:
    """Of two drawings the one that fits is shown: its type large enough, its names apart, its ink seen."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    plan: Plan = quiet_site.rollway.load(quiet_rollout).plan
    tab.goto(f"{quiet_site.url}/plans/{plan.hash}{path}")
    expect(tab.locator(f"{shown} svg")).to_be_visible()
    expect(tab.locator(f"{hidden} svg")).to_be_hidden()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    frame, names = outlines(tab, shown), boxes_of(tab, shown)
    for box in names:
        assert box["height"] >= 11, "too small to read"
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert not any(covers(one, other) for one, other in combinations(names, 2))
    drawing = tab.get_by_role("img", name="Time to full value against harm")
    expect(drawing).to_have_count(1)
    expect(drawing.locator("text", has_text="Canary, recommended")).to_have_count(1)
    ink, ground = drawing.evaluate(
        "svg => [getComputedStyle(svg).color, getComputedStyle(svg.querySelector('.paper')).fill]"
    )
    assert (brightness(ink) > brightness(ground)) == (scheme == "dark")
    assert abs(brightness(ink) - brightness(ground)) > 150
