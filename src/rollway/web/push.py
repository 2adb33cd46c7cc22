"""What senders push: readings as JSON, and OpenTelemetry metrics (OTLP over HTTP)."""

from __future__ import annotations

import json
import zlib
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from rollway.app import Rollway
from rollway.errors import InputError, RefusedError
from rollway.signals.otlp_json import Rejected, decode_json, points_of
from rollway.signals.otlp_totals import fold_points
from rollway.signals.otlp_wire import decode_protobuf, encode_partial_success
from rollway.signals.push_rows import sent_rows
from rollway.web.problems import problem_response

LARGEST_READINGS = 1 << 20
LARGEST_METRICS = 8 << 20
"""Bytes of a request, after unpacking."""
LONGEST_KEY = 200
JSON, PROTOBUF = "application/json", "application/x-protobuf"


class _NoTokenError(RefusedError):
    """Nobody knows who sends this."""


class _TooLargeError(InputError):
    """More bytes than a request may have."""


def push_routes(rollway: Rollway) -> APIRouter:
    """Both endpoints want `Authorization: Bearer TOKEN`; the token says which source it is that sends."""
    router = APIRouter()

    @router.post("/api/v1/readings", status_code=201)
    async def readings(request: Request) -> Response:
        """Take all rows of a JSON list, or none. The same `Idempotency-Key` again changes nothing."""
        return await _answered(rollway, request, LARGEST_READINGS, _take_readings)

    @router.post("/v1/metrics")
    async def metrics(request: Request) -> Response:
        """Take the counters and histograms of an OTLP export, as JSON or protobuf, plain or gzip."""
        return await _answered(rollway, request, LARGEST_METRICS, _take_metrics)

    return router


async def _answered(rollway: Rollway, request: Request, most: int, take: Any) -> Response:
    try:
        source = await run_in_threadpool(_source, rollway, request)
        body = await _body(request, most)
        answer: Response = await run_in_threadpool(take, rollway, request, source, body)
        return answer
    except _NoTokenError as error:
        response = problem_response(error, 401)
        response.headers["www-authenticate"] = "Bearer"
        return response
    except _TooLargeError as error:
        return problem_response(error, 413)


def _source(rollway: Rollway, request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    source = rollway.pushed.source_of(token.strip()) if scheme.casefold() == "bearer" else None
    if source is None:
        hint = "make one with `rollway tokens create SOURCE`; send it as Authorization: Bearer TOKEN"
        raise _NoTokenError("there is no valid token with this request", hint=hint)
    return source


async def _body(request: Request, most: int) -> bytes:
    """The body, unpacked, and never more than `most` bytes of it in memory."""
    packing = request.headers.get("content-encoding", "identity").strip().casefold()
    if packing not in ("identity", "gzip"):
        raise InputError(f"the body is packed as {packing[:20]}", hint="send it plain, or with gzip")
    unpack = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    body = bytearray()
    async for chunk in request.stream():
        try:
            body += chunk if unpack is None else unpack.decompress(chunk, most + 1 - len(body))
        except zlib.error as error:
            raise InputError("the body is no gzip, although its header says so") from error
        if len(body) > most:
            raise _TooLargeError(
                f"the request has more than {most >> 20} MiB", hint="send it in several parts"
            )
    if unpack is not None and not unpack.eof:
        raise InputError("the packed body ends too early")
    return bytes(body)


# --- readings -------------------------------------------------------------------------------------


def _take_readings(rollway: Rollway, request: Request, source: str, body: bytes) -> Response:
    key = request.headers.get("idempotency-key", "").strip()
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        hint = "a text of your own for this batch, such as tickets-2027-03-01T09; the same again repeats it"
        raise InputError(f"the header Idempotency-Key is missing, or longer than {LONGEST_KEY}", hint=hint)
    # Known first: what was good once may be too old by now, and is still a repetition.
    taken = rollway.pushed.known(source, key, body)
    if taken is None:
        rows = sent_rows(_json(body), source=source, now=rollway.clock().timestamp())
        taken = rollway.pushed.take(source, key, body, rows)
    told: dict[str, Any] = {"source": source, "key": key, "taken": taken.rows}
    if taken.known_since is None:
        return JSONResponse(told, 201)
    since = taken.known_since.isoformat(timespec="seconds")
    return JSONResponse({**told, "known_since": since, "told": "a repetition; nothing was changed"}, 200)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from error


# --- metrics --------------------------------------------------------------------------------------


def _take_metrics(rollway: Rollway, request: Request, source: str, body: bytes) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind not in (JSON, PROTOBUF):
        raise InputError(f"metrics come as {JSON} or {PROTOBUF}, not as {kind[:40] or 'nothing'}")
    export = decode_json(_json(body)) if kind == JSON else decode_protobuf(body)
    rejected = Rejected()
    points = points_of(export, rejected)
    now = rollway.clock().timestamp()
    if points:
        rollway.pushed.fold(
            source, tuple(points), lambda kept, count: fold_points(points, kept, count, now, rejected)
        )
    if kind == JSON:
        told = {"rejectedDataPoints": str(rejected.count), "errorMessage": rejected.told()}
        return JSONResponse({"partialSuccess": told} if rejected.count else {})
    return Response(encode_partial_success(rejected.count, rejected.told()), media_type=PROTOBUF)
