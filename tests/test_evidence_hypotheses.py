"""The rule: every branch, and which branch comes first."""

from __future__ import annotations

import math
from itertools import product

import pytest

from smo_research.datasets.catalog import catalog
from smo_research.evidence.crosssection import TWEAKS as SNAPSHOT_TWEAKS
from smo_research.evidence.follower_samples import TWEAKS as FOLLOWER_TWEAKS
from smo_research.evidence.hypotheses import (
    committed_hash,
    contrast,
    grade,
    hypotheses,
    hypotheses_hash,
    rule,
    tweaks_verdict,
    verdict,
)
from smo_research.evidence.samples import TWEAKS
from smo_research.measures.tweaks import POST_TWEAKS

CASES = {
    "clear and positive": ((0.3, 0.01, 0.9, 0.9), "supported"),
    "clear and negative": ((-0.3, 0.01, 0.9, 0.9), "contradicted"),
    "nothing is clear": ((0.3, 0.2, 0.6, 0.6), "inconclusive"),
    "inside the bounds": ((0.01, 0.7, 0.01, 0.01), "negligible"),
    "inside the bounds before supported": ((0.05, 0.01, 0.01, 0.001), "negligible"),
    "inside the bounds before contradicted": ((-0.05, 0.01, 0.01, 0.001), "negligible"),
    "clear, and inside by its own test alone": ((0.05, 0.01, 0.06, 0.03), "negligible"),
    "negative, clear, and inside by its own test": ((-0.05, 0.01, 0.06, 0.03), "negligible"),
    "inside by its own test alone, not clear": ((0.02, 0.4, 0.06, 0.03), "inconclusive"),
    "difference at the level is not below it": ((0.3, 0.05, 0.9, 0.9), "inconclusive"),
    "equivalence at the level is not below it": ((0.01, 0.7, 0.05, 0.05), "inconclusive"),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES.keys())
def test_verdict(given, expected):
    names = ("estimate", "p_difference", "p_equivalence", "equivalence_unadjusted")
    assert verdict(**dict(zip(names, given, strict=True))) == expected


@pytest.mark.parametrize(
    ("p_equivalence", "p_minimal_effect", "expected"),
    [
        (0.01, 1.0, "negligible"),
        (0.01, 0.01, "negligible"),
        (0.8, 0.01, "contradicted"),
        (0.8, 0.2, "inconclusive"),
        (0.05, 0.05, "inconclusive"),
    ],
)
def test_tweaks_verdict(p_equivalence, p_minimal_effect, expected):
    said = tweaks_verdict(p_equivalence=p_equivalence, p_minimal_effect=p_minimal_effect)
    assert said == expected


def test_level_can_be_stated():
    strict = {"p_difference": 0.03, "p_equivalence": 0.9, "equivalence_unadjusted": 0.9}
    assert verdict(estimate=0.3, **strict, level=0.01) == "inconclusive"
    assert tweaks_verdict(p_equivalence=0.03, p_minimal_effect=1.0, level=0.01) == "inconclusive"


def test_grade_counts_what_is_met():
    for met in product([False, True], repeat=3):
        said = grade(within_agrees=met[0], placebo_quiet=met[1], specifications_agree=met[2])
        assert said == "CCBA"[sum(met)]


def test_the_rule_is_the_one_of_the_design():
    assert rule().level == 0.05
    assert rule().bound == pytest.approx(math.log(1 / 0.9))
    assert (rule().fewest_rows, rule().fewest_accounts) == (50, 20)
    terms = {name: claim.terms for name, claim in hypotheses().items() if claim.terms}
    assert terms == {
        "H2": (
            *("schedule_focus", "burstiness", "hashtag_rate", "link_rate"),
            *("media_share", "paid_share", "automated_share", "cadence", "follow_back"),
        ),
        "H3": ("answering",),
        "H5": ("answered",),
        "H7": ("past_answering",),
    }
    steps = {term: contrast(term) for ts in terms.values() for term in ts}
    assert steps.pop("answered") == 1.0
    assert set(steps) == {*terms["H2"], "answering", "past_answering"}
    assert set(steps.values()) == {0.25}


def test_every_tweak_of_a_panel_is_a_term_of_h2_in_the_same_order():
    terms = hypotheses()["H2"].terms
    assert terms[: len(TWEAKS)] == TWEAKS
    assert set(terms) == {*TWEAKS, *FOLLOWER_TWEAKS, *SNAPSHOT_TWEAKS}
    assert {*POST_TWEAKS, "schedule_focus", "burstiness"} == set(TWEAKS)


def test_the_hash_does_not_depend_on_line_ends(monkeypatch):
    from smo_research.evidence import hypotheses as module

    here = hypotheses_hash()
    source = module._resource("hypotheses.toml")
    monkeypatch.setattr(module, "_resource", lambda name: source.replace(b"\n", b"\r\n"))
    assert hypotheses_hash() == here
    monkeypatch.setattr(module, "_resource", lambda name: source.replace(b"0.90", b"0.80"))
    assert hypotheses_hash() != here


def test_the_committed_hash_is_that_of_the_file():
    assert committed_hash() == hypotheses_hash()


def test_the_declared_family_is_what_the_catalogue_declares():
    for name, hypothesis in hypotheses().items():
        declared = {entry.name for entry in catalog().values() if name in entry.testable}
        assert set(hypothesis.family) == declared, name
