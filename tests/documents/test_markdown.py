"""The filter through which every value goes: what a person wrote is shown, and does nothing."""

from __future__ import annotations

import html
import re

import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rollway.documents.markdown import EMPTY, as_text, render_markdown

# A reader that believes everything: HTML, tables and strikethrough are on.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NASTY = st.text(st.sampled_from("ab1 \t\n\\`*_{}[]()#+-.!|<>&~:=$@/\"'%;\u2028\x00é"), max_size=24)


def shown(markdown: str, tag: str) -> list[str]:
    """The text inside each element of this kind, after checking that nothing but text is inside."""
    cells = re.findall(f"<{tag}>(.*?)</{tag}>", READER.render(markdown), flags=re.DOTALL)
    assert not any("<" in cell for cell in cells), cells
    return [html.unescape(cell) for cell in cells]


def plain(text: str) -> str:
    """What a reader should see: controls gone, white space made one blank."""
    return " ".join(re.sub("[\x00-\x08\x0e-\x1b\x7f]", "", text).split()) or EMPTY


@given(NASTY)
@example("a\\|b")
@example("\\")
@example("| --- |")
@example("`a|b`")
@example("![x](y)")
def test_text_in_a_table_stays_in_its_cell(text: str) -> None:
    """Two cells go in and the same two come out, letter by letter."""
    table = f"| A | B |\n|---|---|\n| {as_text(text)} | end |\n"
    assert shown(table, "td") == [plain(text), "end"]


@given(NASTY)
@example("1. x")
@example("- x")
@example("# x")
@example("===")
@example("---")
@example("[a]: b")
@example("    code")
def test_text_in_a_list_stays_one_item(text: str) -> None:
    """No nested list, no heading, no quotation, no second paragraph."""
    assert shown(f"- first\n- {as_text(text)}\n", "li") == ["first", plain(text)]


@given(NASTY)
@example("x #")
@example("##")
def test_text_in_a_heading_stays_whole(text: str) -> None:
    """Closing marks are not swallowed."""
    assert shown(f"# {as_text(text)}\n", "h1") == [plain(text)]


@given(NASTY)
@example("<script>alert(1)</script>")
@example("<!-- x")
@example("```")
@example("~~~")
def test_text_as_a_paragraph_stays_a_paragraph(text: str) -> None:
    """Neither HTML nor a fence."""
    assert shown(f"{as_text(text)}\n", "p") == [plain(text)]


@pytest.mark.parametrize("text", ["see https://evil.example/x", "see www.evil.example", "HTTP://X"])
def test_addresses_are_not_offered_to_readers_that_make_links(text: str) -> None:
    """The marks by which addresses are recognised are broken, and still read the same."""
    assert "://" not in as_text(text)
    assert "www." not in as_text(text)
    assert shown(as_text(text) + "\n", "p") == [text]


def test_the_direction_of_writing_cannot_be_turned() -> None:
    """What is signed reads as it is stored."""
    assert as_text("approved \u202eon si") == "approved on si"


def test_figures_and_names_are_left_readable() -> None:
    """Markdown is read by people too: 2.4.0 and 10% need no escapes."""
    assert [as_text(value) for value in ("2.4.0", "-3", 0.5, "10% of users", "a-b", None, "")] == [
        "2.4.0",
        "-3",
        "0.5",
        "10% of users",
        "a-b",
        EMPTY,
        EMPTY,
    ]


def test_a_value_that_is_missing_is_an_error() -> None:
    """A template never prints an empty hole where a value should be."""
    with pytest.raises(jinja2.UndefinedError):
        render_markdown("strategy.md.j2", {})
