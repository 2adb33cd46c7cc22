"""What holds for the review of any release."""

from __future__ import annotations

from hypothesis import given, settings

from rollway.facts.model import Release
from rollway.readiness import assess
from support.releases import releases


@settings(max_examples=80, deadline=None)
@given(releases())
def test_the_review_answers_any_release(release: Release) -> None:
    """It never raises; what is ok needs no remedy, what is open names its fact, scores are shares."""
    review = assess(release)
    for check in review.checks:
        assert bool(check.remedy) is (check.state != "ok")
        assert bool(check.fact) is (check.state == "unknown")
        assert check.evidence
    assert all(score is None or 0 <= score <= 1 for score in review.scores.values())
    assert (review.next_question is None) is (not review.unknowns)
