"""What every test returns: one frozen object, one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smo_research.evidence.drawing import draw_estimates
from smo_research.evidence.effects import Estimate
from smo_research.evidence.hypotheses import hypotheses_hash, rule

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
        One row a reason: reason, rows, accounts; where models use different rows, also which
        one it was: model, block, term.
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
    people
        By (model, block, term), how many people the smallest group has that an effect compares,
        where groups of people are compared (H5).
    reason
        Why there is no number, or no verdict on those there are.
    hypotheses_sha256
        Of the file of hypotheses, contrasts and bounds that was in force.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> result = smo.return_when_answered(contacts, dataset="village")
    >>> result.null_hypothesis
    'answered first contacts are back as often as unanswered ones of the same account'
    >>> round(result.effects["landmark", "total", "answered"].estimate, 1)
    0.7
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
    people: Mapping[Key, int] = field(default_factory=dict)
    reason: str = ""
    hypotheses_sha256: str = field(default_factory=hypotheses_hash)

    def summary(self) -> str:
        """Say in a few lines what was asked, what came out, and what was left out and why."""
        lines = [f"{self.hypothesis} on {self.dataset}. Null: {self.null_hypothesis}"]
        if self.reason:
            lines.append(f"{self._not}: {self.reason}")
        if self.formula:
            lines.append(self.formula)
        lines += [f"  {_said(row)}" for row in self._shown.to_dict("records")]
        lines += [f"  {line}" for line in _left_out_lines(self.left_out)]
        return "\n".join([*lines, *self._provenance()])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each term with its 95 % interval, or write why there is none."""
        title = f"{self.hypothesis} on {self.dataset}"
        return draw_estimates(self.table, title=title, reason=self.reason, bound=self.bound, ax=ax)

    @property
    def _shown(self) -> pd.DataFrame:
        """The rows that say more than the result's one reason."""
        return self.table[self.table["estimate"].notna()] if self.reason else self.table

    @property
    def _not(self) -> str:
        return "No verdict" if self.table["estimate"].notna().any() else "Not tested"

    def _provenance(self) -> list[str]:
        """Seed and hashes, shortened."""
        files = [f"{name} {value[:12]}" for name, value in self.data_hashes.items()]
        return [
            *([f"seed {self.seed}"] if self.seed is not None else []),
            *([f"data: {', '.join(files)}"] if files else []),
            f"hypotheses file: {self.hypotheses_sha256[:12]}",
        ]

    def _repr_html_(self) -> str:
        from html import escape

        said = [
            f"<strong>{escape(f'{self.hypothesis} on {self.dataset}')}</strong>",
            f"Null hypothesis: {escape(self.null_hypothesis)}",
            *([f"{self._not}: {escape(self.reason)}"] if self.reason else []),
            *(f"<code>{escape(line)}</code>" for line in self.formula.splitlines()),
        ]
        parts = [f"<p>{'<br>'.join(said)}</p>"]
        table = self._shown
        if len(table):
            columns = ["model", "block", "term", *NUMBERS[:5], "unit", "n_obs", "n_accounts"]
            columns += ["reason"] * bool(table["reason"].astype(bool).any())
            parts.append(_html(table[columns]))
        if len(self.left_out):
            parts.append(f"<details><summary>Left out</summary>{_html(self.left_out)}</details>")
        parts.append(f"<p><small>{escape('; '.join(self._provenance()))}</small></p>")
        return "".join(parts)


def _html(table: pd.DataFrame) -> str:
    return table.to_html(index=False, na_rep="", float_format="{:.3g}".format, escape=True)


def _said(row: dict[str, Any]) -> str:
    """One row of a table as a line of text."""
    place = ", ".join(row[name] for name in ("model", "block", "term") if row[name])
    point, ends, p = row["estimate"], (row["ci_low"], row["ci_high"]), row["p_value"]
    if pd.isna([point, ends[0], p]).all():
        return f"{place}: not tested, {row['reason']}"
    number = [
        *([] if pd.isna(point) else [f"{point:.3f}"]),
        *([] if pd.isna(ends[0]) else [f"[{ends[0]:.3f}, {ends[1]:.3f}]"]),
    ]
    parts = [
        *([" ".join([*number, row["unit"]])] if number else []),
        *([] if pd.isna(p) else [f"p = {p:.3g}"]),
        *([f"{row['n_obs']} rows"] if row["n_obs"] else []),
        *([f"{row['n_accounts']} accounts"] if row["n_accounts"] else []),
    ]
    return f"{place}: {', '.join(parts)}"


def _left_out_lines(left_out: pd.DataFrame) -> list[str]:
    """One line for all models that leave out the same rows."""
    by = [name for name in ("model", "block", "term") if name in left_out]
    groups = left_out.groupby(by, sort=False) if by else [((), left_out)]
    places: dict[str, list[str]] = {}
    for place, rows in groups:
        if len(rows):
            said = "; ".join(map(_gone, rows.to_dict("records")))
            places.setdefault(said, []).append(" ".join(filter(None, place[:2])))
    lines = []
    for said, models in places.items():
        names = ", ".join(filter(None, dict.fromkeys(models)))
        lines.append(f"left out{f' of {names}' if names else ''}: {said}")
    return lines


def _gone(row: dict[str, Any]) -> str:
    accounts = f" and {row['accounts']} accounts" if row["accounts"] else ""
    return f"{row['rows']} rows{accounts} ({row['reason']})"


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
