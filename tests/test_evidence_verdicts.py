"""Judging hand-made results: families, the worst tweak, reasons, grades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smo_research.evidence.contributions import Drawn
from smo_research.evidence.effects import Effect
from smo_research.evidence.few import wild_bootstrap
from smo_research.evidence.hypotheses import hypotheses
from smo_research.evidence.result import VOCABULARY, Result, effect_row, evidence_row, untested
from smo_research.evidence.verdicts import judge

CLEAR = Effect(0.3, 0.05, 200)  # p of no difference about 1e-8
WEAK = Effect(0.3, 0.13, 200)  # p of no difference 0.022
NONE = Effect(0.0, 0.02, 200)  # equivalence p about 1e-7
NEARLY_NONE = Effect(0.0, 0.05, 200)  # equivalence p 0.018
LARGE = Effect(-0.5, 0.05, 200)  # minimal-effect p about 1e-13
VAGUE = Effect(0.05, 0.2, 200)
TERM = {"H3": "answering", "H5": "answered", "H7": "past_answering"}


def made(hypothesis, dataset, effects):
    """A result with effects by (model, block, term)."""
    rows = [
        effect_row(
            effect,
            hypothesis=hypothesis,
            dataset=dataset,
            model=model,
            block=block,
            term=term,
            unit="ln ratio",
            n_obs=1_000,
            n_accounts=201,
        )
        for (model, block, term), effect in effects.items()
    ]
    null = hypotheses()[hypothesis].null
    return Result(hypothesis, dataset, pd.DataFrame(rows), null, effects=effects)


def one(hypothesis, dataset, effect, **checks):
    """A result decided by one effect; checks by model, as within=CLEAR."""
    term = TERM[hypothesis]
    main = "landmark" if hypothesis == "H5" else "between"
    found = {main: effect} | {name.replace("_", " "): value for name, value in checks.items()}
    return made(hypothesis, dataset, {(m, "total", term): e for m, e in found.items()})


def tweaks(dataset, **effects):
    return made("H2", dataset, {("between", "total", term): e for term, e in effects.items()})


def judged(results, declared=None, untestable=None):
    table = judge(results, declared=declared or {}, untestable=untestable or {})
    assert list(table) == [*VOCABULARY, "detectable"]
    return table.set_index(["hypothesis", "dataset"])


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (CLEAR, "supported"),
        (LARGE, "contradicted"),
        (NONE, "negligible"),
        (VAGUE, "inconclusive"),
    ],
)
@pytest.mark.parametrize("hypothesis", ["H3", "H5", "H7"])
def test_one_effect_decides(hypothesis, effect, verdict):
    row = judged([one(hypothesis, "a", effect)]).loc[(hypothesis, "a")]
    assert row["verdict"] == verdict
    assert (row["estimate"], row["std_error"]) == (effect.estimate, effect.std_error)
    assert (row["ci_low"], row["ci_high"]) == effect.interval()
    assert row["detectable"] == effect.detectable
    assert (row["n_obs"], row["n_accounts"]) == (1_000, 201)


def test_data_sets_not_run_count_with_p_1():
    for family, verdict in [(["a"], "supported"), (["a", "b", "c"], "inconclusive")]:
        row = judged([one("H3", "a", WEAK)], {"H3": family}).loc[("H3", "a")]
        assert row["p_holm"] == pytest.approx(len(family) * WEAK.p_difference)
        assert row["verdict"] == verdict


def test_holm_runs_over_the_family():
    table = judged([one("H3", "a", WEAK), one("H3", "b", CLEAR)], {"H3": ["a", "b", "c"]})
    assert table.loc[("H3", "b"), "p_holm"] == pytest.approx(3 * CLEAR.p_difference)
    assert table.loc[("H3", "a"), "p_holm"] == pytest.approx(2 * WEAK.p_difference)


def test_negligible_shows_its_own_p():
    row = judged([one("H3", "a", NEARLY_NONE)], {"H3": ["a", "b"]}).loc[("H3", "a")]
    assert row["verdict"] == "negligible"
    assert row["p_value"] == pytest.approx(NEARLY_NONE.p_equivalence(0.1053605), rel=1e-5)
    assert row["p_holm"] == pytest.approx(2 * row["p_value"])


UNRELATED = {
    "another hypothesis": [one("H7", "b", CLEAR), one("H5", "b", VAGUE)],
    "untestable": [untested("H3", "b", "null", "50 rows are needed")],
    "without a deciding model": [made("H3", "b", {("between", "discovery", "answering"): CLEAR})],
}


@pytest.mark.parametrize("others", UNRELATED.values(), ids=UNRELATED.keys())
def test_what_else_was_run_changes_no_verdict(others):
    declared = {name: ["a", "b"] for name in ("H2", "H3", "H5", "H7")}
    ours = [one("H3", "a", WEAK), tweaks("a", burstiness=NEARLY_NONE)]
    alone, together = judged(ours, declared), judged([*ours, *others], declared)
    pd.testing.assert_frame_equal(alone, together.loc[alone.index])


@pytest.mark.parametrize("other", [CLEAR, WEAK, LARGE, NONE, VAGUE])
def test_running_more_of_the_family_never_makes_a_p_larger(other):
    declared = {"H3": ["a", "b"]}
    alone = judged([one("H3", "a", WEAK)], declared)
    together = judged([one("H3", "a", WEAK), one("H3", "b", other)], declared)
    assert together.loc[("H3", "a"), "p_holm"] <= alone.loc[("H3", "a"), "p_holm"]


def test_the_worst_tweak_decides():
    row = judged([tweaks("a", schedule_focus=NONE, burstiness=VAGUE)]).loc[("H2", "a")]
    assert (row["verdict"], row["term"]) == ("inconclusive", "burstiness")
    row = judged([tweaks("a", schedule_focus=NEARLY_NONE, burstiness=NONE)]).loc[("H2", "a")]
    assert (row["verdict"], row["term"]) == ("negligible", "schedule_focus")
    assert row["p_value"] == pytest.approx(NEARLY_NONE.p_equivalence(0.1053605), rel=1e-5)


@pytest.mark.parametrize("other", [NONE, VAGUE])
def test_one_tweak_contradicts(other):
    row = judged([tweaks("a", schedule_focus=other, burstiness=LARGE)]).loc[("H2", "a")]
    assert (row["verdict"], row["term"]) == ("contradicted", "burstiness")
    expected = 2 * LARGE.p_minimal_effect(0.1053605)
    assert row["p_value"] == pytest.approx(expected, rel=1e-3), "Holm over the two tweaks"


def test_a_tweak_that_differs_but_is_not_shown_to_lie_outside_is_inconclusive():
    beyond = Effect(0.15, 0.05, 200)
    assert beyond.p_difference < 0.05
    row = judged([tweaks("a", schedule_focus=NONE, burstiness=beyond)]).loc[("H2", "a")]
    assert row["verdict"] == "inconclusive"


def test_schedule_only_is_said_of_tweaks():
    table = judged([tweaks("a", burstiness=NONE), one("H3", "a", CLEAR)])
    assert table.loc[("H2", "a"), "reason"].startswith("schedule only")
    assert "schedule only" not in table.loc[("H3", "a"), "reason"]


def test_reasons_are_kept_and_numbers_are_none():
    table = judged(
        [untested("H3", "a", "null", "12 rows have an outcome above 0; at least 50 are needed")],
        untestable={("H4", "a"): "It has fewer than two tweaks beyond timing."},
    )
    assert (table["verdict"] == "untestable").all()
    assert table.loc[("H3", "a"), "reason"].startswith("12 rows")
    assert table.loc[("H4", "a"), "reason"] == "It has fewer than two tweaks beyond timing."
    numbers = ["estimate", "std_error", "ci_low", "ci_high", "p_value", "p_holm", "detectable"]
    assert table[numbers].isna().all(axis=None)
    assert (table["grade"] == "").all()


def test_without_a_deciding_model_the_verdict_is_untestable_with_its_reason():
    part = made("H3", "a", {("between", "discovery", "answering"): CLEAR})
    failed = evidence_row(
        hypothesis="H3",
        dataset="a",
        model="between",
        block="total",
        term="answering",
        reason="no finite solution: answering is separated",
    )
    table = pd.concat([part.table, pd.DataFrame([failed])], ignore_index=True)
    result = Result("H3", "a", table, "null", effects=part.effects)
    row = judged([result]).loc[("H3", "a")]
    assert row["verdict"] == "untestable"
    assert row["reason"] == "no finite solution: answering is separated"


LOUD = Effect(0.3, 0.02, 200)


@pytest.mark.parametrize(
    ("checks", "grade", "said"),
    [
        ({"within": CLEAR, "placebo": NONE}, "B", "the within model agrees; the placebo is quiet"),
        ({"within": VAGUE, "placebo": NONE}, "C", "does not agree; the placebo is quiet"),
        ({"within": LARGE, "placebo": NONE}, "C", "does not agree; the placebo is quiet"),
        ({"within": CLEAR, "placebo": LOUD}, "C", "agrees; the placebo is loud"),
        ({"within": CLEAR, "placebo": VAGUE}, "C", "agrees; the placebo is uninformative"),
        ({}, "C", "the within model was not fitted"),
    ],
)
def test_grade_of_a_supported_effect(checks, grade, said):
    row = judged([one("H3", "a", CLEAR, **checks)]).loc[("H3", "a")]
    assert row["grade"] == grade
    assert said in row["reason"]


def test_negligible_is_agreed_to_by_a_negligible_effect_only():
    table = judged(
        [one("H3", "a", NONE, within=NONE, placebo=NONE), one("H3", "b", NONE, within=CLEAR)]
    )
    assert table["grade"].tolist() == ["B", "C"]


def test_inconclusive_has_no_grade():
    row = judged([one("H3", "a", VAGUE, within=CLEAR, placebo=NONE)]).loc[("H3", "a")]
    assert row["grade"] == ""
    assert "the placebo is quiet" in row["reason"]


@pytest.mark.parametrize(
    ("control", "heard"), [(NONE, "quiet"), (LOUD, "loud"), (VAGUE, "uninformative")]
)
def test_the_negative_control_is_the_check_of_return(control, heard):
    row = judged([one("H5", "a", CLEAR, negative_control=control)]).loc[("H5", "a")]
    assert f"the negative control is {heard}" in row["reason"]
    assert row["grade"] == "C", "one of three conditions at most"


@pytest.mark.parametrize(
    ("discovery", "retention", "said"),
    [
        (CLEAR, VAGUE, "discovery carries it (ratio 1.35)"),
        (VAGUE, CLEAR, "retention carries it (ratio 1.35)"),
        (CLEAR, CLEAR, "both parts carry it"),
        (VAGUE, VAGUE, "neither part alone differs from none"),
    ],
)
def test_the_part_that_carries_it_is_named(discovery, retention, said):
    key = "answering"
    effects = {
        ("between", "total", key): CLEAR,
        ("between", "discovery", key): discovery,
        ("between", "retention", key): retention,
    }
    assert said in judged([made("H3", "a", effects)]).loc[("H3", "a"), "reason"]


def test_rows_come_in_the_order_of_hypotheses_and_data_sets():
    table = judge(
        [one("H5", "b", CLEAR), one("H3", "b", CLEAR), one("H3", "a", CLEAR)],
        declared={},
        untestable={("H1", "b"): "no counts"},
    )
    pairs = list(zip(table["hypothesis"], table["dataset"], strict=True))
    assert pairs == [("H1", "b"), ("H3", "a"), ("H3", "b"), ("H5", "b")]


def posts_result(effects, joint_p, *, passes=True):
    result = made("H1", "a", {("posts", "total", term): e for term, e in effects.items()})
    return replace(result, joint_p=joint_p, passes=passes)


@pytest.mark.parametrize(
    ("joint_p", "passes", "verdict"),
    [
        (0.01, True, "supported"),
        (0.01, False, "inconclusive"),
        (0.2, True, "inconclusive"),
        (None, True, "inconclusive"),
    ],
)
@pytest.mark.parametrize("effect", [CLEAR, LARGE])
def test_tweaks_of_posts_are_decided_together(joint_p, passes, verdict, effect):
    """H1 is never contradicted: a tweak that goes with less predicts as well."""
    result = posts_result({"has_media": VAGUE, "is_paid": effect}, joint_p, passes=passes)
    row = judged([result]).loc[("H1", "a")]
    assert row["verdict"] == verdict
    assert row["term"] == "is_paid", "the clearest tweak is shown"
    assert row["p_value"] == (1.0 if joint_p is None else joint_p)


def test_tweaks_of_posts_are_negligible_when_every_one_is():
    both = posts_result({"has_media": NONE, "is_paid": NEARLY_NONE}, 0.3)
    row = judged([both]).loc[("H1", "a")]
    assert row["verdict"] == "negligible"
    assert row["p_value"] == pytest.approx(NEARLY_NONE.p_equivalence(both.bound))
    one_is_not = posts_result({"has_media": NONE, "is_paid": VAGUE}, 0.3)
    assert judged([one_is_not]).loc[("H1", "a"), "verdict"] == "inconclusive"


def contest_result(effect, *, passes):
    terms = {"conversation minus tweaks": effect, "full model": CLEAR}
    result = made("H4", "a", {("contest", "total", term): e for term, e in terms.items()})
    return replace(result, passes=passes)


@pytest.mark.parametrize(
    ("draws", "passes", "verdict"),
    [
        (np.linspace(0.1, 0.5, 999), True, "supported"),
        (np.linspace(0.1, 0.5, 999), False, "inconclusive"),
        (np.linspace(-0.1, 0.5, 999), True, "inconclusive"),
        (np.linspace(-0.5, -0.1, 999), True, "contradicted"),
        (np.linspace(-0.5, -0.1, 999), False, "contradicted"),
    ],
)
def test_the_contest_needs_more_than_to_be_won(draws, passes, verdict):
    effect = Drawn(float(draws.mean()), draws)
    row = judged([contest_result(effect, passes=passes)]).loc[("H4", "a")]
    assert row["verdict"] == verdict
    assert row["term"] == "conversation minus tweaks"
    assert row["grade"] == ("" if verdict == "inconclusive" else "C")


def presence(alone, beside):
    effects = {"post_volume": alone, "volume_times_replies": beside}
    return made("H6", "a", {("between", "total", term): e for term, e in effects.items()})


@pytest.mark.parametrize(
    ("alone", "beside", "verdict"),
    [
        (NONE, CLEAR, "supported"),
        (NONE, VAGUE, "inconclusive"),
        (NONE, LARGE, "inconclusive"),
        (VAGUE, CLEAR, "inconclusive"),
        (CLEAR, CLEAR, "contradicted"),
        (LARGE, CLEAR, "contradicted"),
        (CLEAR, VAGUE, "contradicted"),
    ],
)
def test_presence_needs_both_its_parts(alone, beside, verdict):
    row = judged([presence(alone, beside)]).loc[("H6", "a")]
    assert row["verdict"] == verdict
    assert row["term"] == "post_volume"


def test_the_larger_p_decides_on_presence():
    for alone, beside in [(NEARLY_NONE, CLEAR), (NONE, WEAK)]:
        result = presence(alone, beside)
        row = judged([result]).loc[("H6", "a")]
        both = (alone.p_equivalence(result.bound), beside.p_difference)
        assert row["p_value"] == max(both)
        assert row["verdict"] == "supported"


def few_accounts():
    rng = np.random.default_rng(1)
    label = np.repeat(np.arange(30), 20)
    x = rng.normal(size=600)
    y = 0.3 * x + rng.normal(size=600)
    return wild_bootstrap(y, x, np.ones((600, 1)), label, rng=rng, draws=999)


def test_few_accounts_are_graded_c_at_most():
    for effect, grade in [(few_accounts(), "C"), (CLEAR, "B")]:
        row = judged([one("H3", "a", effect, within=effect, placebo=NONE)]).loc[("H3", "a")]
        assert (row["verdict"], row["grade"]) == ("supported", grade)
        assert "the within model agrees; the placebo is quiet" in row["reason"]


def test_a_cross_section_is_graded_c_at_most():
    result = made("H3", "a", {("cross-section", "total", "reply_share"): CLEAR})
    row = judged([result]).loc[("H3", "a")]
    assert (row["verdict"], row["grade"], row["model"]) == ("supported", "C", "cross-section")


def test_timing_alone_is_schedule_only():
    for terms, said in [
        ({"schedule_focus": NONE, "burstiness": NONE}, True),
        ({"cadence": NONE}, True),
        ({"cadence": NONE, "hashtag_rate": NONE}, False),
    ]:
        reason = judged([tweaks("a", **terms)]).loc[("H2", "a"), "reason"]
        assert ("schedule only" in reason) == said
    assert "schedule only" not in judged([one("H3", "a", NONE)]).loc[("H3", "a"), "reason"]


def test_overlapping_windows_and_descriptions_decide_nothing():
    for model in ("overlapping windows", "described, within channel"):
        result = made("H2", "a", {(model, "total", "cadence"): LARGE})
        row = judged([replace(result, reason="49 rows")]).loc[("H2", "a")]
        assert (row["verdict"], row["reason"]) == ("untestable", "49 rows")
