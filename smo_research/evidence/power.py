"""What a result could have shown: the smallest effect it would find, the data it would take."""

from __future__ import annotations

import pandas as pd
from scipy import stats

from smo_research.evidence.hypotheses import alone
from smo_research.evidence.result import Result
from smo_research.evidence.verdicts import MODELS

# Quantiles of two one-sided 5 % tests that both reject in 80 of 100 samples without an effect.
_BOTH_SIDES = float(stats.norm.ppf(0.95) + stats.norm.ppf(0.9))


def power(result: Result, *, models: tuple[str, ...] = MODELS) -> pd.DataFrame:
    """Say of each effect how small a one this data would have found, and what it lacks.

    Parameters
    ----------
    result
        Of any test.
    models
        Those whose totals are told; by default those that decide.

    Returns
    -------
    pandas.DataFrame
        The rows of `result.table` that have an effect, with further columns: low_90 and high_90
        (90 % interval: the effect is negligible where it lies within minus and plus `bound`),
        bound, p_equivalence, detectable (the smallest effect that a two-sided 5 % test finds in
        80 of 100 samples like this; all these on the scale of `estimate`), times_the_accounts
        (how many times as many such accounts would show in 80 of 100 samples that no effect is
        negligible; 1 or less: these are enough), and alone (the verdict, were this all there is).

    References
    ----------
    Phillips (1990), Power of the two one-sided tests procedure in bioequivalence, Journal of
    Pharmacokinetics and Biopharmaceutics 18, 137-144.

    Examples
    --------
    >>> from smo_research.evidence.effects import Effect
    >>> from smo_research.evidence.result import effect_row
    >>> effect = Effect(0.02, 0.036, 10_000)
    >>> row = effect_row(effect, hypothesis="H2", dataset="d", model="between", block="total",
    ...                  term="burstiness")
    >>> result = Result("H2", "d", pd.DataFrame([row]), "none",
    ...                 effects={("between", "total", "burstiness"): effect})
    >>> power(result)[["detectable", "times_the_accounts"]].round(2).values.tolist(), (
    ...     power(result)["alone"].tolist())
    ([[0.1, 1.0]], ['negligible'])
    """
    table = result.table[result.table["model"].isin(models) & (result.table["block"] == "total")]
    lines = []
    for row in table.to_dict("records"):
        effect = result.effects.get((row["model"], row["block"], row["term"]))
        if effect is None:
            continue
        low, high = effect.interval(0.9)
        more = {
            "low_90": low,
            "high_90": high,
            "bound": result.bound,
            "p_equivalence": effect.p_equivalence(result.bound),
            "detectable": effect.detectable,
            "times_the_accounts": (_BOTH_SIDES * effect.std_error / result.bound) ** 2,
            "alone": alone(result.hypothesis, effect, bound=result.bound),
        }
        lines.append(row | more)
    return pd.DataFrame(lines)
