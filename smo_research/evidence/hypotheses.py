"""The hypotheses, and the rule that turns a test into a verdict and a grade."""

from __future__ import annotations

import hashlib
import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smo_research.evidence.effects import Estimate


@dataclass(frozen=True)
class Hypothesis:
    """One claim of the essay, as tested. `null` is what the test tries to reject.

    `family` are the data sets declared testable for it, over which p-values are adjusted.
    """

    id: str
    claim: str
    test: str
    null: str
    terms: tuple[str, ...] = ()
    block: str = ""
    family: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """The numbers of the verdict rule. `bound` is the smallest effect of interest, in ln ratio."""

    level: float
    smallest_ratio: float
    smallest_sd: float
    fewest_specifications: int
    specifications_agree: float
    fewest_rows: int
    fewest_accounts: int

    @property
    def bound(self) -> float:
        """Half-width of the band of negligible effects."""
        return -math.log(self.smallest_ratio)


def _resource(name: str) -> bytes:
    return resources.files("smo_research.evidence").joinpath(name).read_bytes()


@cache
def _file() -> dict:
    return tomllib.loads(_resource("hypotheses.toml").decode("utf-8"))


def hypotheses() -> dict[str, Hypothesis]:
    """All hypotheses by id, in order.

    Examples
    --------
    >>> list(hypotheses())
    ['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'H7']
    """
    found = {}
    for key, entry in _file().items():
        if key.startswith("H"):
            lists = {name: tuple(entry.get(name, ())) for name in ("terms", "family")}
            found[key] = Hypothesis(key, **entry | lists)
    return found


def rule() -> Rule:
    """The numbers that verdicts rest on."""
    return Rule(**_file()["rule"])


def contrast(term: str) -> float:
    """The step of a predictor that its effect is stated for."""
    return float(_file()["contrast"][term])


def hypotheses_hash() -> str:
    """sha256 of the hypotheses file.

    Examples
    --------
    >>> len(hypotheses_hash())
    64
    """
    return hashlib.sha256(_resource("hypotheses.toml").replace(b"\r\n", b"\n")).hexdigest()


def committed_hash() -> str:
    """sha256 of the hypotheses file as it was committed; another one was changed since.

    Examples
    --------
    >>> committed_hash() == hypotheses_hash()
    True
    """
    return _resource("hypotheses.sha256").decode("ascii").strip()


def verdict(
    *,
    estimate: float,
    p_difference: float,
    p_equivalence: float,
    equivalence_unadjusted: float,
    level: float = 0.05,
) -> str:
    """Decide on one effect that is expected to be positive (H3, H5, H7).

    The first rule that applies: negligible when the effect is shown to lie inside the bounds;
    supported or contradicted when it differs from none, by its sign; else inconclusive.

    Parameters
    ----------
    estimate
        The effect; only its sign counts.
    p_difference, p_equivalence
        Holm-adjusted over the family of data sets.
    equivalence_unadjusted
        An effect that differs from none and lies inside the bounds by its own equivalence test
        is negligible, however small its p.

    Examples
    --------
    >>> verdict(estimate=0.3, p_difference=0.01, p_equivalence=0.9, equivalence_unadjusted=0.9)
    'supported'
    >>> verdict(estimate=0.02, p_difference=0.01, p_equivalence=0.06, equivalence_unadjusted=0.03)
    'negligible'
    >>> verdict(estimate=0.3, p_difference=0.2, p_equivalence=0.6, equivalence_unadjusted=0.6)
    'inconclusive'
    """
    differs = p_difference < level
    if p_equivalence < level or (differs and equivalence_unadjusted < level):
        return "negligible"
    if differs:
        return "supported" if estimate > 0 else "contradicted"
    return "inconclusive"


def tweaks_verdict(*, p_equivalence: float, p_minimal_effect: float, level: float = 0.05) -> str:
    """Decide on H2: negligible when every tweak is, contradicted when some tweak is not.

    Parameters
    ----------
    p_equivalence
        The largest equivalence p over the tweaks, Holm-adjusted over the data sets.
    p_minimal_effect
        The smallest minimal-effect p, Holm-adjusted over the tweaks and the data sets.

    Examples
    --------
    >>> tweaks_verdict(p_equivalence=0.01, p_minimal_effect=1.0)
    'negligible'
    >>> tweaks_verdict(p_equivalence=0.8, p_minimal_effect=0.01)
    'contradicted'
    """
    if p_equivalence < level:
        return "negligible"
    return "contradicted" if p_minimal_effect < level else "inconclusive"


def alone(hypothesis: str, effect: Estimate, *, bound: float) -> str:
    """What the rule would say of one effect, were it all there is.

    Parameters
    ----------
    hypothesis
        "H2" is about tweaks; every other expects an effect above 0.
    effect
        Its p-values are taken unadjusted.
    bound
        Effects between minus and plus this are negligible.

    Examples
    --------
    >>> from smo_research.evidence.effects import Effect
    >>> effect = Effect(0.3, 0.05, 100)
    >>> alone("H3", effect, bound=0.105), alone("H2", effect, bound=0.105)
    ('supported', 'contradicted')
    """
    p_equivalence = effect.p_equivalence(bound)
    level = rule().level
    if hypothesis == "H2":
        p_minimal_effect = effect.p_minimal_effect(bound)
        return tweaks_verdict(
            p_equivalence=p_equivalence, p_minimal_effect=p_minimal_effect, level=level
        )
    return verdict(
        estimate=effect.estimate,
        p_difference=effect.p_difference,
        p_equivalence=p_equivalence,
        equivalence_unadjusted=p_equivalence,
        level=level,
    )


def grade(*, within_agrees: bool, placebo_quiet: bool, specifications_agree: bool) -> str:
    """A for three of three conditions, B for two, C otherwise.

    Examples
    --------
    >>> grade(within_agrees=True, placebo_quiet=True, specifications_agree=False)
    'B'
    """
    met = within_agrees + placebo_quiet + specifications_agree
    return {3: "A", 2: "B"}.get(met, "C")
