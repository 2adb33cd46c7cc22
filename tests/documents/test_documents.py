"""The document pack as people read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from rollway.documents import KINDS, Pack, files, render
from rollway.documents.people_rows import people_values, sentences
from rollway.errors import InputError
from rollway.facts.model import MethodName

MakePack = Callable[..., Pack]
METHODS = get_args(MethodName)
HOSTILE = (
    "<script>alert(1)</script> | [x](javascript:alert(1)) \n\n# head\n- item ![i](http://e.example/i.png) <b>"
)


class Elements(HTMLParser):
    """Collects the tags and attributes of a page, and complains about tags that do not match."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("methods", [*((method,) for method in METHODS), ("pilot", "phased"), ()])
def test_every_document_of_every_method_is_whole(
    pack_of: MakePack, kind: str, methods: tuple[MethodName, ...]
) -> None:
    """Tables keep their columns, the page is well formed, and the plan is named by its hash."""
    pack = pack_of(*methods)
    markdown, page = render(kind, "md", pack), render(kind, "html", pack)
    assert pack.plan.hash in markdown
    assert pack.plan.hash in page
    assert "None" not in re.sub("None(?= that would|\\.)", "", markdown)
    for block in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(columns) == 1, block
    assert "|" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL), "a table was not recognised"
    Elements(page)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_loads_nothing_and_leads_nowhere(pack_of: MakePack, kind: str) -> None:
    """It can be mailed, kept and printed: no scripts, no images, no address but its own sections."""
    found = Elements(render(kind, "html", pack_of())).found
    assert not {tag for tag, _ in found} & {"script", "img", "link", "iframe", "object", "form"}
    targets = [attrs["href"] for tag, attrs in found if tag == "a"]
    ids = {attrs["id"] for _, attrs in found if "id" in attrs}
    assert targets
    assert {str(target).removeprefix("#") for target in targets} == {one for one in ids if "section" in one}
    assert not any("src" in attrs for _, attrs in found)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_stays_text(pack_of: MakePack, kind: str) -> None:
    """Whatever people write into names, risks and reasons is shown, and does nothing."""
    hostile: dict[str, Any] = {
        "release": {
            "name": "r",
            "version": "1",
            "title": HOSTILE,
            "summary": HOSTILE,
            "prepared_by": HOSTILE,
        },
        "goals": {"objective": HOSTILE, "success": [HOSTILE]},
        "risks": {"items": [{"id": HOSTILE, "title": HOSTILE, "response": HOSTILE, "trigger": HOSTILE}]},
        "stakeholders": {
            "groups": [{"name": HOSTILE, "users": 3, "representative": True}, {"name": "B", "users": 9}]
        },
        "agreements": {"approvers": [HOSTILE], "operators": [HOSTILE]},
        "rollout": {"method": "pilot", "because": HOSTILE},
    }
    calm = Elements(render(kind, "html", pack_of("pilot", "phased", rollout={"method": "pilot"}))).found
    page = render(kind, "html", pack_of("pilot", "phased", **hostile))
    found = Elements(page).found
    assert {tag for tag, _ in found} <= {tag for tag, _ in calm}
    assert all(str(attrs.get("href", "#")).startswith("#") for _, attrs in found)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | [x](javascript:alert(1)) # head - item" in page


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fmt", ["md", "html"])
def test_the_same_pack_gives_the_same_bytes(pack_of: MakePack, kind: str, fmt: str) -> None:
    """No date, no chance: a document can be made again from what is kept."""
    assert render(kind, fmt, pack_of()) == render(kind, fmt, pack_of())  # type: ignore[arg-type]


def test_the_strategy_shows_what_each_method_may_bring(pack_of: MakePack) -> None:
    """The page holds the drawing for wide and for narrow screens, and the Markdown leads to its file."""
    pack = pack_of()
    written = dict(files(pack))
    assert set(written) == {
        "strategy.md",
        "strategy.html",
        "strategy-methods.svg",
        "rollout-plan.md",
        "rollout-plan.html",
    }
    (alt, target) = re.findall(r"^!\[(.*)\]\((.*)\)$", written["strategy.md"], flags=re.MULTILINE)[0]
    assert written[target].startswith("<svg ")
    assert "Canary, recommended" in alt
    page = written["strategy.html"]
    assert page.count("<svg ") == 2
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "\x02" not in "".join(written.values())
    assert set(dict(files(pack, ["html"]))) == {"strategy.html", "rollout-plan.html"}
    assert dict(files(pack)) == written


def test_every_method_has_its_figures_in_a_table(pack_of: MakePack) -> None:
    """What the drawing shows can be read without it, with each method's standing."""
    text = render("strategy", "md", pack_of())
    table = text.partition("## What each method may bring")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z][\w-]+) \| (allowed|rules open|blocked) \|", table, re.M)
    assert {title for title, _ in rows} == {ranked.title for ranked in pack_of().choice.ranking}


def test_a_reason_is_read_without_the_lines_of_the_file(pack_of: MakePack) -> None:
    """Places stand once, beside the facts; in the sentences they would bury the reason."""
    text = render("strategy", "md", pack_of())
    reasons, _, facts = text.partition("## Facts used")
    assert "outcome uncertain: yes" in reasons
    assert not re.search(r":\d+:\d+", reasons)
    assert "| known | release.yaml:9:3 |" in facts


def test_a_document_says_where_today_it_would_be_another_method(pack_of: MakePack) -> None:
    """Facts are read again by the rules of the day; a plan that they no longer lead to stands out."""
    pack = pack_of("canary")
    assert "By today’s rules" not in render("strategy", "md", pack)
    later = replace(pack, choice=replace(pack.choice, chosen="pilot"))
    assert "**By today’s rules the choice is another one (Pilot).**" in render("strategy", "md", later)


def test_a_kind_that_does_not_exist_is_named(pack_of: MakePack) -> None:
    """With those that do."""
    with pytest.raises(InputError, match="no document 'memo'") as error:
        render("memo", "md", pack_of())
    assert "strategy" in error.value.hint


def test_the_strategy_is_a_decision_with_its_reasons(pack_of: MakePack) -> None:
    """Objective, options with scores and hard rules, dissent, facts with sources, and room to sign."""
    pack = pack_of()
    text = render("strategy", "md", pack)
    for told in (
        "Figures at seven in the morning",
        "| Big-bang |",
        "**(chosen)**",
        f"{pack.choice.ranking[0].score:.2f}",
        "| outcome uncertain | yes | known | release.yaml:9:3 |",
        "| traffic split | yes | assumed | as in 2.3, not stated |",
        "The assumption on “traffic split” (yes) proves wrong.",
        "| Approver | ines | | | |",
        "| Approval 2 |",
        pack.plan.facts_hash,
    ):
        assert told in text
    assert all(question.split("(")[0] in text for question in pack.choice.next_questions)


def test_a_person_who_overrules_the_facts_is_on_record(pack_of: MakePack) -> None:
    """The page says that the facts spoke for another method, and gives the person's words."""
    wish = {"method": "pilot", "because": "the works council asked for it"}
    pack = pack_of("pilot", rollout=wish)
    assert pack.choice.recommended != "pilot"
    text = render("strategy", "md", pack)
    assert "a person chose this one" in text
    assert "the works council asked for it" in text


def test_the_rollout_plan_can_be_worked_from(pack_of: MakePack) -> None:
    """Stages, windows, guards, promises, the way back, tasks, messages, risks and duties are all there."""
    text = render("rollout-plan", "md", pack_of("canary"))
    for told in (
        "| 3 | 10% of users | █░░░░░░░░░ 10% | everyone | 20 minutes | every gate is shown",
        "95% | everyone | 1 hour | both versions report and nothing speaks against the new one | ",
        "Rollway goes on after at least 1 hour, when both versions report and nothing speaks against",
        "| sat 22:00-06:00 Europe/Berlin |",
        "| 2026-12-20 to 2027-01-03 UTC (books) |",
        "| errors | bad events | gate | ×1.1 | 20% bad | 1% | 1 |",
        "with a probability of at most 1%",
        "| Takes | 15 seconds |",
        "The target flag (new-reports) is told share 0",
        "| ☐ | T-1w | – | Confirm the rollback test | Scrum Team, else Operations |",
        "| if it is rolled back |",
        "| register, R-1 |",
        "| Going back on a harmful KPI | Operations | Operations |",
    ):
        assert told in text, told
    assert re.search(r"^\| 10% of users \| errors \| [^|]*\d", text, flags=re.MULTILINE)


def test_the_rollout_plan_says_where_a_guard_counts(pack_of: MakePack) -> None:
    """A sentence under the table for each that does not count everywhere, and none where all do."""
    plain = {"kind": "rate", "expected": 0.01, "signal": {"type": "scrape"}}
    kpis = [{"name": "errors", **plain}, {"name": "survey", "during": ["pilot"], **plain}]
    text = render("rollout-plan", "md", pack_of("pilot", kpis=kpis))
    assert "- survey counts in 'Look at the old version' and 'Pilot: Oslo' only: in the other stages" in text
    assert " only: in the other stages" not in render("rollout-plan", "md", pack_of("pilot"))


def test_what_is_not_shown_is_said(pack_of: MakePack) -> None:
    """An untested rollback and a missing authority stand out."""
    text = render("rollout-plan", "md", pack_of("canary", done={}, agreements={}))
    assert "| Tested | **not shown** |" in text
    assert "| Who may say it | anybody, at any hour |\n| Called first | nobody is named |" in text
    assert "No change windows are agreed" in text


def test_a_page_can_be_read_on_a_telephone_and_on_paper(pack_of: MakePack) -> None:
    """Each cell carries the head of its column, lists to tick have one mark only, and pages are counted."""
    page = render("rollout-plan", "html", pack_of("big_bang"))
    assert '<td data-label="What to do">' in page
    assert '<td data-label="How one sees that it worked">' in page
    assert page.count('<ul class="checks">') == page.count("<li>☐ ") - page.count("</li>\n<li>☐ ")
    assert "counter(page)" in page


def test_the_runbook_is_in_the_order_of_time(pack_of: MakePack) -> None:
    """Stage by stage, what is to be done two weeks before stands above what is for the day before."""
    plan = pack_of("big_bang").plan
    order = [stage.id for stage in plan.stages]
    (before, *_) = (rows for title, rows in people_values(plan)["phases"] if title == "Before")
    found = [(order.index(row.task.stage), row.task.at) for row in before]
    assert len(set(found)) > 2
    assert found == sorted(found)


def test_a_kpi_has_one_name_in_the_document(pack_of: MakePack) -> None:
    """Margins and promises name a KPI as its table does, and not by its id."""
    pack = pack_of("canary")
    named = tuple(
        guard.model_copy(update={"title": f"Named {number}"}) for number, guard in enumerate(pack.plan.guards)
    )
    plan = pack.plan.model_copy(update={"guards": named})
    text = render("rollout-plan", "md", replace(pack, plan=plan))
    assert plan.promises
    assert "Named 0 ×" in text
    assert not any(f"| {guard.kpi} |" in text or f"{guard.kpi} ×" in text for guard in named)


def test_sentences_are_not_joined_by_semicolons() -> None:
    """A full stop and a semicolon do not follow each other."""
    assert sentences(("A person said go.", "All are at hand.")) == "A person said go. All are at hand."
    assert sentences(("all well", "no limit is broken")) == "all well; no limit is broken"
