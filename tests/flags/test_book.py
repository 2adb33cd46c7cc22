"""The book serves the last good flags to many threads, and tells who waits of a change."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from rollway.flags import FlagBook, FlagError, evaluate


def document(default: str) -> dict[str, Any]:
    variants = {"on": True, "off": False}
    return {"flags": {"f": {"state": "ENABLED", "variants": variants, "defaultVariant": default}}}


def test_a_new_book_has_no_flags() -> None:
    """It answers from the first moment on; every flag is just not there yet."""
    book = FlagBook()
    assert evaluate(book.flag_set, "f", {}, timestamp=0).error_code == "FLAG_NOT_FOUND"


def test_replacing_changes_what_is_served() -> None:
    """The version follows the content: new with another, old again with the old one."""
    book = FlagBook(document("off"))
    first = book.version
    assert book.replace(document("on"))
    assert evaluate(book.flag_set, "f", {}, timestamp=0).value is True
    assert book.version != first
    assert not book.replace(document("on"))
    assert book.replace(document("off"))
    assert book.version == first


def test_a_bad_document_leaves_the_last_good_one() -> None:
    """The error reaches who replaced; who evaluates does not notice."""
    book = FlagBook(document("on"))
    version = book.version
    with pytest.raises(FlagError):
        book.replace(document("grey"))
    assert book.version == version
    assert evaluate(book.flag_set, "f", {}, timestamp=0).value is True


def test_one_broken_flag_takes_no_other_with_it() -> None:
    """It is served as it was last good; one that never was good is not there; the rest moves on."""
    book = FlagBook()
    on, off, grey = (document(name)["flags"]["f"] for name in ("on", "off", "grey"))
    assert book.serve({"a": on, "b": on}) == ()
    told = book.serve({"a": grey, "b": off, "new": "{oops"})
    assert [error.flag for error in told] == ["a", "new"]
    assert {key: evaluate(book.flag_set, key, {}, timestamp=0).value for key in ("a", "b")} == {
        "a": True,
        "b": False,
    }
    assert evaluate(book.flag_set, "new", {}, timestamp=0).error_code == "FLAG_NOT_FOUND"
    assert book.version == FlagBook({"flags": {"a": on, "b": off}}).version


def test_a_change_of_one_flag_reads_no_other_again() -> None:
    """What is compiled of a definition stays as long as the same object is given; hundreds cost no more."""
    book = FlagBook()
    on, off = (document(name)["flags"]["f"] for name in ("on", "off"))
    book.serve({"a": on, "b": on})
    before = book.flag_set.flags
    book.serve({"a": off, "b": on})
    assert book.flag_set.flags["b"] is before["b"]
    assert book.flag_set.flags["a"] is not before["a"]


def test_a_broken_flag_is_told_once_until_it_changes() -> None:
    """The log is not filled while others change; a new mistake, or an old one that is back, is news."""
    book = FlagBook()
    on, grey, pink = (document(name)["flags"]["f"] for name in ("on", "grey", "pink"))
    assert len(book.serve({"a": grey, "b": on})) == 1
    assert book.serve({"a": grey}) == ()
    assert len(book.serve({"a": pink})) == 1
    assert book.serve({"a": on}) == ()
    assert len(book.serve({"a": pink})) == 1
    assert evaluate(book.flag_set, "a", {}, timestamp=0).value is True


def test_a_flag_that_was_taken_away_is_forgotten() -> None:
    """It is not served any more, and its last good definition does not come back."""
    book = FlagBook()
    book.serve({"a": document("on")["flags"]["f"]})
    book.serve({})
    assert len(book.flag_set.flags) == 0
    book.serve({"a": document("grey")["flags"]["f"]})
    assert len(book.flag_set.flags) == 0


def test_who_waits_hears_of_a_change() -> None:
    """A waiting thread wakes at once with the new version."""
    book = FlagBook(document("off"))
    heard: list[str] = []
    waiter = threading.Thread(target=lambda: heard.append(book.wait_for_change(book.version, timeout=10)))
    waiter.start()
    time.sleep(0.05)
    book.replace(document("on"))
    waiter.join(5)
    assert heard == [book.version]


def test_waiting_ends_without_a_change() -> None:
    """After the timeout the version is the old one; with an old version there is no waiting."""
    book = FlagBook(document("off"))
    assert book.wait_for_change(book.version, timeout=0.01) == book.version
    assert book.wait_for_change("of long ago", timeout=60) == book.version


def test_closing_lets_waiting_threads_go() -> None:
    """A server that stops does not wait for a change that may never come; flags are still answered."""
    book = FlagBook(document("on"))
    waiter = threading.Thread(target=lambda: book.wait_for_change(book.version, timeout=60))
    waiter.start()
    book.close()
    waiter.join(5)
    assert not waiter.is_alive()
    assert book.is_closed
    assert evaluate(book.flag_set, "f", {}, timestamp=0).value is True


def test_readers_never_see_a_mixture() -> None:
    """While one thread replaces, others evaluate two flags that always change together."""

    def pair(default: str) -> dict[str, Any]:
        flag = document(default)["flags"]["f"]
        return {"flags": {"a": flag, "b": flag}}

    book, torn, done = FlagBook(pair("off")), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            flags = book.flag_set
            answers = {evaluate(flags, key, {}, timestamp=0).value for key in ("a", "b")}
            if len(answers) != 1:
                torn.append(answers)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(200):
        book.replace(pair("on" if turn % 2 else "off"))
    done.set()
    for reader in readers:
        reader.join(5)
    assert torn == []
