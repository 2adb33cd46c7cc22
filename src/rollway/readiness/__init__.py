"""The readiness review: eleven areas, every check with its evidence, its owner and its remedy.

It says what is ready, what is not and what nobody has said. It never chooses a method and never stops a
release by itself.
"""

from rollway.readiness.answer import Answer, asks, either, every, no, yes
from rollway.readiness.assess import assess
from rollway.readiness.model import AREAS, Blocks, Check, CheckState, Readiness, Tally
from rollway.readiness.questions import (
    Question,
    is_asked_elsewhere,
    is_stated,
    open_questions,
    question_about,
    question_of,
)
from rollway.readiness.wording import WORDINGS, Wording, ask_for, cite, fact_at

__all__ = [
    "AREAS",
    "WORDINGS",
    "Answer",
    "Blocks",
    "Check",
    "CheckState",
    "Question",
    "Readiness",
    "Tally",
    "Wording",
    "ask_for",
    "asks",
    "assess",
    "cite",
    "either",
    "every",
    "fact_at",
    "is_asked_elsewhere",
    "is_stated",
    "no",
    "open_questions",
    "question_about",
    "question_of",
    "yes",
]
