"""The flags as they stand now, for many threads to read while one replaces them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from rollway.flags.definitions import FlagSet, joined, read_definitions
from rollway.flags.rules import FlagError

Read = tuple[Any, FlagSet]
"""A definition as it was given, and what was read from it."""


class FlagBook:
    """Holds the compiled flags that are served now. Reading takes no lock."""

    def __init__(self, document: Mapping[str, Any] | None = None) -> None:
        """Start with this flagd document, or with no flags. Raises FlagError."""
        self._flag_set = read_definitions({"flags": {}} if document is None else document)
        self._last_good: dict[str, Read] = {}
        self._told: dict[str, str] = {}
        self._changed = threading.Condition()
        self._is_closed = False

    @property
    def flag_set(self) -> FlagSet:
        """What is served now. Take it once per request, so that flags and version belong together."""
        return self._flag_set

    @property
    def version(self) -> str:
        """The hash of what is served now; equal content has an equal version."""
        return self._flag_set.version

    def replace(self, document: Mapping[str, Any]) -> bool:
        """Serve this document from now on; True where that changes anything.

        Raises FlagError for a bad one; what was served before is then served on.
        """
        return self._exchange(read_definitions(document))

    def _exchange(self, flag_set: FlagSet) -> bool:
        with self._changed:
            if flag_set.version == self._flag_set.version:
                return False
            self._flag_set = flag_set
            self._changed.notify_all()
        return True

    def serve(self, definitions: Mapping[str, Any]) -> tuple[FlagError, ...]:
        """Serve these definitions by key from now on, and each that cannot be used as it was last good.

        One that never was good is left out; what is no longer among the keys is forgotten. Gives the errors
        that were not given before: one for each broken definition, until it is broken otherwise. A definition
        that is the same object as at the last call is taken as unchanged. For one caller at a time.
        """
        served: dict[str, Read] = {}
        broken: dict[str, str] = {}
        news: list[FlagError] = []
        for key, definition in definitions.items():
            before = self._last_good.get(key)
            try:
                # What is the same object as before needs no second reading.
                served[key] = before if before and before[0] is definition else _read(key, definition)
            except FlagError as error:
                broken[key] = str(error)
                if self._told.get(key) != broken[key]:
                    news.append(error)
                if before:
                    served[key] = before
        self._exchange(joined(flag_set for _, flag_set in served.values()))
        self._last_good, self._told = served, broken
        return tuple(news)

    def wait_for_change(self, version: str, *, timeout: float) -> str:
        """Wait until the version is another than this one, at most so many seconds; gives the version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version or self._is_closed, timeout)
            return self.version

    @property
    def is_closed(self) -> bool:
        """Whether who waits for changes should stop waiting."""
        return self._is_closed

    def close(self) -> None:
        """Let all who wait go, so that a server can stop. Flags are answered all the same."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def _read(key: str, definition: Any) -> Read:
    return definition, read_definitions({"flags": {key: definition}})
