"""The parser's complaints in plain words."""

from __future__ import annotations

import re

from rollway.facts.problems import Place, Problem, ReleaseFileError, SourceText

# What the parser says -> message, suggestion. First match wins; None as message: see `_unclosed`.
_WORDS: tuple[tuple[str, str, str], ...] = (
    (r"mapping values are not allowed", "a ':' stands inside a text", "put the text in quotes"),
    (r"could not find expected ':'", "this is no 'key: value'", "is a ':' missing, or the space after it?"),
    (
        r"expected <block end>, but found '(<block mapping start>|\?|<block sequence start>|-)'",
        "this line is not indented like its neighbours",
        "lines of one section begin in the same column and are of one kind",
    ),
    (r"expected <block end>", "the value before this has ended", "put the whole text in quotes"),
    (
        r"sequence entries are not allowed",
        "a '- ' stands where no list can be",
        "put it on a line of its own",
    ),
    (
        r"unknown escape character",
        "this backslash means nothing in double quotes",
        "write the text in single quotes, or double the backslash",
    ),
    (r"expected escape sequence of", "this escape needs more hexadecimal digits", "such as \\u00e9"),
    (r"expected ',' or '\]'", "this '[' has no ']', or a ',' is missing inside it", ""),
    (r"expected ',' or '\}'", "this '{' has no '}', or a ',' is missing inside it", ""),
    (r"unexpected end of stream", "this quote is opened and never closed", ""),
    (r"unexpected document separator", "this quote is opened and never closed", ""),
    (r"expected alphabetic or numeric", "a text cannot begin with this", "put it in quotes"),
    (r"expected chomping or indentation", "after '|' or '>' the text begins on the next line", ""),
    (
        r"expected the node content, but found '<stream end>'",
        "the file ends where a value is expected",
        "is a '[' or '{' not closed?",
    ),
    (r"expected the node content", "a value is missing here", ""),
    (r"expected '<document start>'", "the file's one mapping ends before this", "check the indentation"),
    (r"incompatible YAML document", "this is not YAML 1.x", "remove the line %YAML"),
)
_AT_CONTEXT = (
    "expected ',' or",
    "could not find expected ':'",
    "unexpected end of stream",
    "unexpected document separator",
)


def syntax_error(source: SourceText, error: Exception, reached: int) -> ReleaseFileError:
    """What the parser raised, as a problem with its place; `reached` is how far it got (an index)."""
    complaint = str(getattr(error, "problem", None) or "")
    place = _place(source, error, complaint, reached)
    return ReleaseFileError(source.name, [_problem(source, error, complaint, place)])


def _problem(source: SourceText, error: Exception, complaint: str, place: Place) -> Problem:
    line = source.line(place.line)
    indentation = re.match(r"\s*", line[: place.column])
    if complaint and indentation and "\t" in indentation[0]:
        tab = Place(source.name, place.line, indentation[0].index("\t") + 1)
        return source.problem(tab, "a tab indents this line", "indent with spaces")
    if odd := re.search(r"found character '(.+)' that cannot start any token", complaint):
        return _odd_character(source, place, odd[1])
    if unacceptable := getattr(error, "character", None):
        code = unacceptable if isinstance(unacceptable, int) else ord(unacceptable)
        return source.problem(place, f"the character U+{code:04X} cannot stand in a text file", "remove it")
    closing = line[place.column - 1 : place.column]
    if closing and closing in "]}" and "<block end>" in complaint:
        return source.problem(place, f"this '{closing}' closes nothing", "remove it")
    if "mapping values" in complaint and re.fullmatch(r"\s*[\w-]+", line[: place.column - 1]):
        message = "this line continues the value above it, and cannot be 'key: value'"
        return source.problem(place, message, "is it indented too far, or does a ':' above lack its space?")
    for pattern, message, suggestion in _WORDS:
        if re.search(pattern, complaint):
            return source.problem(place, message, suggestion)
    return source.problem(
        place, f"this is not YAML: {complaint or 'a character that is written as an escape does not exist'}"
    )


def _place(source: SourceText, error: Exception, complaint: str, reached: int) -> Place:
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    if context is not None and any(words in complaint for words in _AT_CONTEXT):
        mark = context
    position = getattr(mark, "index", getattr(error, "position", None))
    return source.place(min(position if isinstance(position, int) else reached, len(source.text)))


def _odd_character(source: SourceText, place: Place, character: str) -> Problem:
    if character == "\\t":
        return source.problem(place, "a tab stands here", "use spaces")
    message = f"a text cannot begin with {character}"
    return source.problem(place, message, "put it in quotes")
