"""Judging hand-made results: families, the worst tweak, reasons, grades."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.evidence.effects import Effect
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
        ({}, "C", "could not be fitted; the placebo is uninformative"),
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
