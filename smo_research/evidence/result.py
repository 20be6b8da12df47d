"""What every test returns: one frozen object, one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smo_research.evidence.effects import Estimate
from smo_research.evidence.hypotheses import rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VOCABULARY = [
    *["hypothesis", "dataset", "model", "block", "term"],
    *["estimate", "std_error", "ci_low", "ci_high", "p_value", "p_holm", "unit"],
    *["n_obs", "n_accounts", "verdict", "grade", "reason"],
]
Key = tuple[str, str, str]
NUMBERS = ["estimate", "std_error", "ci_low", "ci_high", "p_value", "p_holm"]


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one test on one data set.

    Attributes
    ----------
    table
        Tidy, one row a term, in the columns of `VOCABULARY`; effects of count models are
        differences of ln rates per stated contrast (exp of them are ratios).
    null_hypothesis
        What the test tries to reject.
    formula
        The model, as fitted.
    effects
        The numbers behind the table, by (model, block, term).
    left_out
        One row a reason: reason, rows, accounts.
    data_hashes
        File name to sha256 of the raw data.
    seed
        Of the random numbers used; None where none were.
    bound
        Effects between minus and plus this are negligible, on the scale of the estimate.
    notes
        What the verdict's sentence has to say beside the rule.
    passes
        Whether what the verdict demands beside its p holds (H1: better out of sample; H4: the
        full model beats the adjustment set and answering is positive).
    joint_p
        Of all terms together, where that decides (H1).
    reason
        Why there is no number, where there is none.
    """

    hypothesis: str
    dataset: str
    table: pd.DataFrame
    null_hypothesis: str
    formula: str = ""
    effects: Mapping[Key, Estimate] = field(default_factory=dict)
    left_out: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["reason", "rows", "accounts"])
    )
    data_hashes: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    bound: float = field(default_factory=lambda: rule().bound)
    notes: tuple[str, ...] = ()
    passes: bool = True
    joint_p: float | None = None
    reason: str = ""

    def summary(self) -> str:
        """Say in a few lines what was asked and what came out."""
        head = f"{self.hypothesis} on {self.dataset}. Null: {self.null_hypothesis}"
        if self.reason:
            return f"{head}\nNot tested: {self.reason}"
        lines = [head, self.formula] if self.formula else [head]
        for row in self.table.itertuples():
            if row.reason:
                place = ", ".join(part for part in (row.model, row.block, row.term) if part)
                lines.append(f"  {place}: not tested, {row.reason}")
                continue
            lines.append(
                f"  {row.model}, {row.block}, {row.term}: {row.estimate:.3f} "
                f"[{row.ci_low:.3f}, {row.ci_high:.3f}] {row.unit}, p = {row.p_value:.3g}, "
                f"{row.n_obs} rows, {row.n_accounts} accounts"
            )
        lines += [f"  left out: {r.rows} rows, {r.reason}" for r in self.left_out.itertuples()]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each term with its 95 % interval."""
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(7, 1 + 0.35 * len(self.table)), layout="constrained")
        rows = self.table.dropna(subset="estimate").iloc[::-1]
        at = np.arange(len(rows))
        reach = [rows["estimate"] - rows["ci_low"], rows["ci_high"] - rows["estimate"]]
        ax.errorbar(rows["estimate"], at, xerr=reach, fmt="o", color="0.2", capsize=3)
        ax.axvline(0, color="0.7", zorder=0)
        ax.set_yticks(at, rows["model"] + ", " + rows["block"] + ", " + rows["term"])
        ax.set_xlabel(" / ".join(rows["unit"].unique()))
        ax.set_title(self.reason or f"{self.hypothesis} on {self.dataset}", loc="left")
        return ax

    def _repr_html_(self) -> str:
        from html import escape

        if self.reason:
            return f"<p>{escape(self.summary())}</p>"
        shown = self.table[["model", "block", "term", *NUMBERS[:5], "unit", "n_obs", "n_accounts"]]
        return f"<p>Null hypothesis: {escape(self.null_hypothesis)}</p>" + shown.to_html(
            index=False, float_format="{:.3g}".format
        )


def evidence_row(**values: Any) -> dict[str, Any]:
    """One row of the vocabulary; what is not given is missing."""
    unknown = set(values) - set(VOCABULARY)
    if unknown:
        raise TypeError(f"not in the vocabulary: {', '.join(sorted(unknown))}")
    empty = dict.fromkeys(NUMBERS, np.nan) | {"n_obs": 0, "n_accounts": 0}
    return {name: values.get(name, empty.get(name, "")) for name in VOCABULARY}


def effect_row(effect: Estimate, **values: Any) -> dict[str, Any]:
    """One row of the vocabulary for an effect with its 95 % interval."""
    low, high = effect.interval()
    return evidence_row(
        estimate=effect.estimate,
        std_error=effect.std_error,
        ci_low=low,
        ci_high=high,
        p_value=effect.p_difference,
        **values,
    )


def untested(hypothesis: str, dataset: str, null_hypothesis: str, reason: str) -> Result:
    """A test that could not be run: an object with a reason."""
    row = evidence_row(hypothesis=hypothesis, dataset=dataset, reason=reason)
    return Result(hypothesis, dataset, pd.DataFrame([row]), null_hypothesis, reason=reason)
