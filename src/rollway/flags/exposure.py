"""The flagd definition by which a rollout exposes a share of its users, and the share read back from one.

    bucket(salt + targetingKey) < share * 100,000                 ->  candidate
    bucket(salt + targetingKey) >= (1 - control) * 100,000        ->  control

The candidate comes first and the total never changes, so a growing share only ever adds users: nobody
who saw the new version loses it before a rollback. The control group, where there is one, comes from the
other end: nobody leaves it while it grows, and who is in it gets the new version after everyone else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollway.errors import InputError
from rollway.flags.definitions import Flag, read_definitions
from rollway.flags.evaluate import evaluate
from rollway.flags.rules import shown

TOTAL = 100_000
"""Shares are served in steps of 1/100,000."""
HALF_STEP = 0.5 / TOTAL
SAMPLE = 10_000
"""Users asked where a definition is not ours; the share is then right within about 0.01."""
_TARGETING_KEY = {"var": "targetingKey"}


def exposure_definition(
    *,
    key: str,
    candidate_variant: str,
    baseline_variant: str,
    variants: Mapping[str, Any],
    share: float,
    salt: str,
    control: float = 0.0,
    control_variant: str = "",
) -> dict[str, Any]:
    """The definition of flag `key` that serves the candidate to this share (0..1) of users.

    Share 0 serves everyone the baseline and 1 everyone the candidate, anonymous users too. In between, a
    user without targetingKey gets the baseline, and the share is rounded to 1/100,000, but neither to
    nobody nor to everybody. The salt says who comes first; keep it for all stages and retries of a release.
    `control` is the share of users who get the control variant, rounded alike; without targetingKey nobody
    does.

    Raises InputError for shares or a salt that cannot be used, FlagError for the rest.
    """
    for each in (share, control):
        if not isinstance(each, int | float) or not 0 <= each <= 1:
            hint = "a share is a number from 0 to 1"
            raise InputError(f'flag "{key}": {shown(each)} is no share', hint=hint)
    if share + control > 1 + HALF_STEP:
        raise InputError(
            f'flag "{key}": {share:.3%} with the new version and a control group of {control:.3%} are more '
            "users than there are"
        )
    if not salt or salt != salt.strip():
        # flagd's own server trims the text it hashes, and would choose other users.
        raise InputError(f'flag "{key}": {shown(salt)} is no salt', hint="a salt has no space at its ends")
    if candidate_variant == baseline_variant:
        raise InputError(f'flag "{key}": candidate and baseline are both "{candidate_variant}"')
    for variant in (candidate_variant, baseline_variant, *((control_variant,) if control else ())):
        if variant not in variants:
            known = ", ".join(map(str, variants))
            raise InputError(f'flag "{key}" has no variant "{variant}"', hint=f"it has {known}")
    definition: dict[str, Any] = {
        "state": "ENABLED",
        "variants": dict(variants),
        "defaultVariant": candidate_variant if share == 1 else baseline_variant,
    }
    if share < 1 and (share > 0 or control > 0):
        exposed = min(max(round(share * TOTAL), 1), TOTAL - 1) if share else 0
        sampled = min(max(round(control * TOTAL), 1), TOTAL - exposed) if control else 0
        weights = {
            candidate_variant: exposed,
            baseline_variant: TOTAL - exposed - sampled,
            control_variant: sampled,
        }
        definition["targeting"] = _targeting(salt, weights, baseline_variant)
    _read(key, definition)
    return definition


def _targeting(salt: str, weights: Mapping[str, int], baseline: str) -> dict[str, Any]:
    shares = [[variant, weight] for variant, weight in weights.items() if weight]
    chosen = {"fractional": [{"cat": [salt, _TARGETING_KEY]}, *shares]}
    return {"if": [_TARGETING_KEY, chosen, baseline]}


def served_share(
    definition: Mapping[str, Any], variant: str, *, key: str = "flag", timestamp: int = 0
) -> float:
    """The share (0..1) of users to whom this definition serves the variant.

    Exact for a definition of `exposure_definition`, and for one without targeting. For any other it is
    counted over a fixed sample of 10,000 users who are known by nothing but their targetingKey; `key` and
    `timestamp` (unix seconds) are what its rule sees. Raises FlagError for one that cannot be read.
    """
    flag = _read(key, definition)
    if flag.rule is None:
        return 1.0 if flag.fallback.variant == variant else 0.0
    own = _own_shares(definition["targeting"])
    if own is not None:
        return own.get(variant, 0) / TOTAL
    return _counted_share(key, definition, variant, timestamp)


def _own_shares(targeting: Any) -> dict[str, int] | None:
    """Weights by variant, where the rule is one that `exposure_definition` writes, to the letter."""
    try:
        _, chosen, baseline = targeting["if"]
        text, *shares = chosen["fractional"]
        weights = dict(shares)
        is_whole = all(type(weight) is int and weight > 0 for weight in weights.values())
        is_own = is_whole and targeting == _targeting(text["cat"][0], weights, baseline)
    except (KeyError, TypeError, ValueError):
        return None
    return weights if is_own and sum(weights.values()) == TOTAL else None


def _counted_share(key: str, definition: Mapping[str, Any], variant: str, timestamp: int) -> float:
    flag_set = read_definitions({"flags": {key: definition}})
    served = sum(
        evaluate(flag_set, key, {"targetingKey": f"sample-{number}"}, timestamp=timestamp).variant == variant
        for number in range(SAMPLE)
    )
    return served / SAMPLE


def _read(key: str, definition: Mapping[str, Any]) -> Flag:
    return read_definitions({"flags": {key: definition}}).flags[key]
