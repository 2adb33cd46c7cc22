"""Errors as answers: problem details (RFC 9457) for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from rollway.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    RefusedError,
    RollwayError,
    TemporaryError,
)
from rollway.web.headers import HEADERS
from rollway.web.templating import page

STATUS: dict[type[RollwayError], HTTPStatus] = {
    InputError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    RefusedError: HTTPStatus.FORBIDDEN,
    ConflictError: HTTPStatus.CONFLICT,
    TemporaryError: HTTPStatus.SERVICE_UNAVAILABLE,
}

TITLES = {
    400: "That cannot be used",
    403: "Refused by a rule",
    404: "There is no such thing",
    405: "Not in this way",
    409: "Somebody was faster",
    500: "Something broke here",
    503: "Not at the moment",
}


def status_of(error: RollwayError) -> HTTPStatus:
    return next(
        (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR
    )


def problem(error: RollwayError, status: int) -> dict[str, Any]:
    """The error as problem details. `code` names the kind of error, `hint` says what to do."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "code": error.code,
        "detail": error.message,
    }
    if error.hint:
        body["hint"] = error.hint
    if error.details:
        body["details"] = list(error.details)
    return body


def problem_response(error: RollwayError, status: int | None = None) -> JSONResponse:
    status = status or status_of(error)
    headers = {"retry-after": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(problem(error, status), status, headers, media_type="application/problem+json")


def handle_errors(app: FastAPI) -> None:
    """Turn every error into an answer: none reaches a person as a traceback."""
    app.add_exception_handler(RollwayError, _on_rollway_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(OperationalError, _on_database_down)
    app.add_exception_handler(Exception, _on_crash)


def _answer(request: Request, error: RollwayError, status: int | None = None) -> Response:
    status = status or status_of(error)
    wants_page = "text/html" in request.headers.get("accept", "")
    if request.url.path.startswith(("/api/", "/ofrep/", "/healthz", "/static/")) or not wants_page:
        return problem_response(error, status)
    return page("problem.html", {"problem": problem(error, status)}, status=status)


def _on_rollway_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RollwayError)  # noqa: S101  # what it was registered for
    return _answer(request, error)


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it was registered for
    found = tuple(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
    return _answer(request, InputError("the request cannot be used", details=found))


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it was registered for
    if error.status_code == HTTPStatus.NOT_FOUND:
        shown: RollwayError = NotFoundError(f"there is nothing at {request.url.path}", hint="begin at /")
    else:
        shown = InputError(str(error.detail))
    response = _answer(request, shown, error.status_code)
    response.headers.update(error.headers or {})
    return response


def _on_database_down(request: Request, error: Exception) -> Response:
    return _answer(request, TemporaryError("the database does not answer", hint="try again in a moment"))


def _on_crash(request: Request, error: Exception) -> Response:
    hint = "what happened is in the log of the server"
    response = _answer(request, RollwayError("an error that nobody foresaw", hint=hint))
    # This answer is made outside of all middleware.
    response.headers.update(HEADERS)
    return response
