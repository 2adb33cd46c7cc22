"""The JSON API under /api, and /healthz. Errors are problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from rollway import __version__
from rollway.app import Rollway, views
from rollway.web.commands import Said
from rollway.web.security import json_only, same_origin

Json = views.Json
LARGEST_NUMBER = 2**63 - 1
"""The largest that a database column holds."""
After = Annotated[int, Query(ge=-1, le=LARGEST_NUMBER, description="only what came after this number")]
Moment = Annotated[float, Query(allow_inf_nan=False, description="unix seconds")]


def api_routes(rollway: Rollway, wake: Callable[[], None]) -> APIRouter:
    """`wake` is called after each command, so that a tick hears it at once."""
    router = APIRouter()
    _add_plan_reads(router, rollway)
    _add_rollout_reads(router, rollway)

    @router.post(
        "/api/rollouts/{rollout}/commands",
        status_code=202,
        dependencies=[Depends(same_origin), Depends(json_only)],
    )
    def say(rollout: str, said: Said) -> Json:
        """Say something to a rollout; the next tick hears it, and the record tells what became of it."""
        number = rollway.say(rollout, said.kind, said.actor, said.reason, said.subject)
        wake()
        return {"command": number, "rollout": rollout, "kind": said.kind, "actor": said.actor}

    return router


def _add_plan_reads(router: APIRouter, rollway: Rollway) -> None:
    @router.get("/healthz")
    def healthz() -> Json:
        """Whether the database answers; 503 where it does not."""
        rollway.flags.stamp()
        return {"status": "ok", "version": __version__}

    @router.get("/api/overview")
    def overview() -> Json:
        """Every plan with its approval, and every rollout with its phase; newest first."""
        return views.overview(rollway)

    @router.get("/api/plans/{reference}")
    def plan(reference: str) -> Response:
        """A plan as its canonical JSON text: the SHA-256 of this body is the plan's hash (X-Plan-Hash)."""
        found = rollway.find_plan(reference)
        headers = {"x-plan-hash": found.hash, "etag": f'"{found.hash}"'}
        return Response(found.text(), media_type="application/json", headers=headers)


def _add_rollout_reads(router: APIRouter, rollway: Rollway) -> None:
    @router.get("/api/rollouts/{rollout}")
    def rollout_view(rollout: str) -> Json:
        """One rollout, whole: stages, newest verdict, guards, possible commands, newest entries."""
        return views.rollout_view(rollway, rollout)

    @router.get("/api/rollouts/{rollout}/series")
    def series(rollout: str, after: After = -1) -> Json:
        """The verdicts as chart series, oldest first; `seq` of one answer is `after` of the next question."""
        return views.series(rollway, rollout, after_seq=after)

    @router.get("/api/rollouts/{rollout}/record")
    def record(rollout: str) -> Json:
        """The whole record, oldest first, and whether its chain of hashes holds."""
        entries, faults = rollway.verify_record(rollout)
        kept = [views.entry_json(entry) for entry in rollway.rollouts.record(rollout)]
        return {
            "rollout": rollout,
            "entries": kept,
            "is_whole": not faults,
            "faults": faults,
            "length": entries,
        }

    @router.get("/api/rollouts/{rollout}/readings")
    def readings(rollout: str, after: Moment = 0.0) -> Json:
        """The evidence behind the verdicts: readings that ended after this moment, oldest first."""
        rollway.load(rollout)
        return {
            "rollout": rollout,
            "readings": views.readings_json(rollway.rollouts.readings(rollout, after=after)),
        }
