"""A small reporting service that holds the old and the new report, and asks a flag whom to give which.

    python examples/reporting/service.py --port 8101 --ofrep http://127.0.0.1:8100 --build good

GET /report?user=ID              the report; the header X-Variant says which version made it
POST /feedback?user=ID&happy=1   what the user thinks of the last report (0: unhappy)
GET /healthz, GET /metrics       for operations, and for Rollway
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import time
from collections import OrderedDict

import reports_new
import reports_old
import uvicorn
from conditions import NEW_CODE, OLD_CODE, Conditions, WarehouseError
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Histogram,
    generate_latest,
)
from sales import load_sales
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from variants import DEFAULT, FLAG, Variants

REMEMBERED_USERS = 100_000

REQUESTS = Counter("report_requests_total", "Reports asked for.", ["variant", "outcome"])
SECONDS = Histogram(
    "report_seconds",
    "Time to make a report, without the question which version it is to be.",
    ["variant"],
    # Close together where most requests are: a tail can only be seen between two bounds.
    buckets=(
        0.01,
        0.02,
        0.03,
        0.04,
        0.05,
        0.06,
        0.07,
        0.08,
        0.09,
        0.1,
        0.11,
        0.125,
        0.15,
        0.2,
        0.3,
        0.5,
        1.0,
    ),
)
FEEDBACK = Counter("report_feedback_total", "What users said of a report.", ["variant", "answer"])

# A series that is there from the start says "none so far"; a missing one says nothing at all.
for _variant in ("old", "new"):
    SECONDS.labels(_variant)
    for _outcome in ("ok", "error"):
        REQUESTS.labels(_variant, _outcome)
    for _answer in ("happy", "unhappy"):
        FEEDBACK.labels(_variant, _answer)


class ReportingService:
    """The web service: one instance per process."""

    def __init__(self, variants: Variants, conditions: Conditions, build: str) -> None:
        self._variants = variants
        self._conditions = conditions
        self._build = build
        self._sales = load_sales()
        self._last_served: OrderedDict[str, str] = OrderedDict()

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/report", self.report),
                Route("/feedback", self.feedback, methods=["POST"]),
                Route("/healthz", self.healthz),
                Route("/metrics", self.metrics),
            ]
        )

    async def report(self, request: Request) -> Response:
        """The report for a user, made by the version that the flag names."""
        user = request.query_params.get("user") or request.headers.get("x-user", "")
        if not 0 < len(user) <= 100:
            return PlainTextResponse("say who you are: /report?user=ID\n", status_code=400)
        variant = await self._variants.of(user)
        began, outcome = time.perf_counter(), "ok"
        try:
            answer = await (self._new_report() if variant == "new" else self._old_report())
        except WarehouseError:
            answer, outcome = PlainTextResponse("the warehouse did not answer\n", status_code=500), "error"
        SECONDS.labels(variant).observe(time.perf_counter() - began)
        REQUESTS.labels(variant, outcome).inc()
        self._remember(user, variant)
        answer.headers["X-Variant"] = variant
        return answer

    async def feedback(self, request: Request) -> Response:
        """Counted for the version that the user met last, not for the one that the flag names by now."""
        variant = self._last_served.get(request.query_params.get("user", ""))
        answer = {"1": "happy", "0": "unhappy"}.get(request.query_params.get("happy", ""))
        if variant is None or answer is None:
            return PlainTextResponse("say who, and happy=1 or happy=0, after a report\n", status_code=400)
        FEEDBACK.labels(variant, answer).inc()
        return Response(status_code=204, headers={"X-Variant": variant})

    async def healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "build": self._build, "default": DEFAULT})

    async def metrics(self, request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _old_report(self) -> Response:
        await asyncio.sleep(self._conditions.seconds(OLD_CODE))
        self._conditions.refuse_some(OLD_CODE)
        return PlainTextResponse(reports_old.write_report(self._sales))

    async def _new_report(self) -> Response:
        build = NEW_CODE[self._build]
        await asyncio.sleep(self._conditions.seconds(build))
        self._conditions.refuse_some(build)
        return JSONResponse(reports_new.write_report(self._sales))

    def _remember(self, user: str, variant: str) -> None:
        self._last_served[user] = variant
        self._last_served.move_to_end(user)
        if len(self._last_served) > REMEMBERED_USERS:
            self._last_served.popitem(last=False)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A small reporting service with two versions in it.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8101, help="0 takes a free one (default: 8101)")
    parser.add_argument("--ofrep", default="http://127.0.0.1:8100", help="where Rollway serves flags")
    parser.add_argument("--flag", default=FLAG, help="which flag is asked (default: %(default)s)")
    parser.add_argument("--build", choices=tuple(NEW_CODE), default="good", help="how the new code behaves")
    parser.add_argument("--seed", type=int, default=None, help="the same seed meets the same conditions")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        listener = socket.create_server((arguments.host, arguments.port))
    except OSError as error:
        print(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 1
    # Headers and body leave in two writes; without this the second would wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    variants = Variants(arguments.ofrep, arguments.flag)
    service = ReportingService(variants, Conditions(arguments.seed), arguments.build)
    # uvicorn ends in good order on these signals and then raises them once more, for us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        service.application(),
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    host, port = listener.getsockname()[:2]
    print(f"reporting service ({arguments.build} build) on http://{host}:{port}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])
    variants.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
