"""The pages: releases, a rollout's live page and its record, a plan and its documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from rollway.app import Rollway, views
from rollway.errors import NotFoundError, RefusedError
from rollway.planning import Plan
from rollway.web.api import LARGEST_NUMBER, After
from rollway.web.board import board, entry
from rollway.web.commands import said_from_form
from rollway.web.headers import DOCUMENT_POLICY
from rollway.web.listing import releases
from rollway.web.live import LivePages
from rollway.web.plan_sheet import choice_sheet, plan_sheet
from rollway.web.security import COOKIE, FormTokens, read_form, same_origin
from rollway.web.templating import page

Form = Annotated[dict[str, str], Depends(read_form)]


def page_routes(rollway: Rollway, live: LivePages, tokens: FormTokens, wake: Callable[[], None]) -> APIRouter:
    """`wake` is called after each command, so that a tick hears it at once."""
    router = APIRouter(include_in_schema=False)
    _add_rollout_pages(router, rollway, tokens, wake)
    _add_plan_pages(router, rollway)

    @router.get("/")
    def start() -> HTMLResponse:
        return page("releases.html", releases(views.overview(rollway), rollway.clock()))

    @router.get("/rollouts/{rollout}/events")
    async def events(
        rollout: str,
        seq: After = -1,
        once: bool = False,
        last_event_id: Annotated[str, Header()] = "",
    ) -> StreamingResponse:
        # A stream that has begun cannot answer 404 any more.
        await run_in_threadpool(rollway.load, rollout)
        is_ours = last_event_id.isdecimal() and len(last_event_id) < len(str(LARGEST_NUMBER))
        after = int(last_event_id) if is_ours else seq
        stream = live.changes(rollout, after, once=once)
        # Buffering proxies would hold events back.
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    return router


def _add_rollout_pages(
    router: APIRouter, rollway: Rollway, tokens: FormTokens, wake: Callable[[], None]
) -> None:
    @router.get("/rollouts/{rollout}")
    def rollout_page(request: Request, rollout: str) -> HTMLResponse:
        shown = board(views.rollout_view(rollway, rollout), rollway.clock())
        cookie = tokens.cookie(request)
        response = page("rollout.html", {"r": shown, "token": tokens.token(cookie)})
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/")
        return response

    @router.get("/rollouts/{rollout}/record")
    def record_page(rollout: str) -> HTMLResponse:
        loaded = rollway.load(rollout)
        kept = rollway.rollouts.record(rollout)
        _, faults = rollway.verify_record(rollout)
        entries = [entry(views.entry_json(one)) for one in reversed(kept)]
        values = {"id": rollout, "plan": loaded.plan, "entries": entries, "faults": faults}
        return page("record.html", values)

    @router.post("/rollouts/{rollout}/commands", dependencies=[Depends(same_origin)])
    def say(request: Request, rollout: str, form: Form) -> RedirectResponse:
        tokens.check(request, form.get("token", ""))
        said = said_from_form(form)
        rollway.say(rollout, said.kind, said.actor, said.reason, said.subject)
        wake()
        return RedirectResponse(f"/rollouts/{rollout}", status_code=303)


def _add_plan_pages(router: APIRouter, rollway: Rollway) -> None:
    @router.get("/plans/{reference}")
    def plan_page(reference: str) -> HTMLResponse:
        plan = rollway.find_plan(reference)
        rollouts = [row.id for row in rollway.rollouts.summaries() if row.plan_hash == plan.hash]
        values = {
            **plan_sheet(plan),
            "approval": rollway.approval(plan),
            "approvals": rollway.plans.approvals(plan.hash),
            "rollouts": rollouts,
            "documents": _documents(rollway, plan),
            "choice": _choice(rollway, plan),
        }
        return page("plan.html", values)

    @router.get("/plans/{reference}/documents/{kind}")
    def document(reference: str, kind: str) -> HTMLResponse:
        from rollway.documents import KINDS, Pack, render

        plan = rollway.find_plan(reference)
        if kind not in KINDS:
            raise NotFoundError(f"there is no document {kind!r}", hint=f"there are: {', '.join(KINDS)}")
        facts = rollway.review(plan)
        if facts is None:
            raise RefusedError(
                f"the facts behind plan {plan.hash[:12]} are not kept here, so it has no documents",
                hint="make the plan here: rollway plan release.yaml",
            )
        release, readiness, choice = facts
        pack = Pack(release=release, readiness=readiness, choice=choice, plan=plan)
        return HTMLResponse(render(kind, "html", pack), headers={"content-security-policy": DOCUMENT_POLICY})


def _choice(rollway: Rollway, plan: Plan) -> dict[str, Any] | None:
    """The six methods by the facts that are kept with the plan; nothing where they are not."""
    from rollway.choice.outcomes import simulate
    from rollway.documents import methods_figure

    facts = rollway.review(plan)
    if facts is None:
        return None
    release, _, choice = facts
    outcomes = simulate(release)
    return choice_sheet(plan, choice, outcomes, methods_figure(outcomes, choice).inline)


def _documents(rollway: Rollway, plan: Plan) -> list[tuple[str, str]]:
    """Kind and title of what can be written of a plan; nothing where the facts behind it are not kept."""
    from rollway.documents import DOCUMENTS

    if rollway.plans.release_of(plan.hash) is None:
        return []
    return [(kind, document.title) for kind, document in DOCUMENTS.items()]
