"""Errors a person may meet: each says where, what, and what to do."""

from __future__ import annotations


class RollwayError(Exception):
    """Base of every error that is shown to a person.

    `message` says what is wrong (and where), `hint` what to do about it, `code` names the kind for
    programs, `details` carries one line per finding where there are several.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return "\n".join([self.message, *self.details, *([f"hint: {self.hint}"] if self.hint else [])])


class InputError(RollwayError):
    """A file or an argument that a person gave cannot be used; nothing was changed."""

    code = "input"
    exit_code = 2


class NotFoundError(RollwayError):
    """A thing that was named does not exist."""

    code = "not-found"
    exit_code = 3


class RefusedError(RollwayError):
    """What was asked is understood, and a rule forbids it; nothing was changed."""

    code = "refused"
    exit_code = 4


class ConflictError(RollwayError):
    """Somebody else changed the same thing first; nothing was changed."""

    code = "conflict"
    exit_code = 5


class TemporaryError(RollwayError):
    """The world did not answer as it should; trying again may help."""

    code = "temporary"
    exit_code = 6
