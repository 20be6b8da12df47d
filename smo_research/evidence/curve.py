"""The specification curve: does an answer hang on how the question was asked?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from smo_research.errors import DataError
from smo_research.evidence.alternatives import (
    Contacts,
    Panels,
    alternative_contacts,
    alternative_panels,
)
from smo_research.evidence.effects import Effect
from smo_research.evidence.few import seed_for
from smo_research.evidence.hypotheses import alone, hypotheses, hypotheses_hash, rule
from smo_research.evidence.result import NUMBERS, VOCABULARY
from smo_research.evidence.return_specifications import (
    leave_one_return_out,
    return_specifications,
    try_return_specifications,
)
from smo_research.evidence.sign_flips import FLIPS, JointTest, joint_test
from smo_research.evidence.specification_fits import leave_one_out, try_specifications
from smo_research.evidence.specifications import specifications
from smo_research.evidence.tried import LeftOut, Tried
from smo_research.tables import Windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HYPOTHESES = ("H2", "H3", "H5", "H7")
NULL = "in none of the specifications does the predictor predict the outcome"
VERDICTS = ("supported", "contradicted", "negligible", "inconclusive")


@dataclass(frozen=True, eq=False)
class SpecificationCurve:
    """What every specification says of one term of a hypothesis on one data set.

    Attributes
    ----------
    table
        Tidy, one row a specification in the columns of `VOCABULARY`, the deciding one first;
        `block` says what was chosen (`tried.read_choices` reads it).
    null_hypothesis
        What the joint test tries to reject.
    effects
        The numbers behind the rows; none where one could not be fitted.
    people
        How many people the smallest group has that each row compares (H5).
    joint
        The joint test; none where there is no curve.
    left_out
        What single accounts do to the deciding estimate.
    data_hashes
        File name to sha256 of the raw data.
    seed
        Of the flips.
    bound
        Effects between minus and plus this are negligible.
    reason
        Why the deciding specification could not be fitted; then there is no curve to judge by.
    hypotheses_sha256
        Of the file of hypotheses, contrasts and bounds that was in force.
    """

    hypothesis: str
    dataset: str
    term: str
    table: pd.DataFrame
    null_hypothesis: str
    effects: Sequence[Effect | None] = ()
    people: Sequence[int | None] = ()
    joint: JointTest | None = None
    left_out: LeftOut | None = None
    data_hashes: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    bound: float = field(default_factory=lambda: rule().bound)
    reason: str = ""
    hypotheses_sha256: str = field(default_factory=hypotheses_hash)

    @property
    def fitted(self) -> list[Effect]:
        """The effects of the specifications that could be fitted."""
        return [effect for effect in self.effects if effect is not None]

    @property
    def median(self) -> float:
        """The median effect, each in ln ratio per its contrast; missing where there is none."""
        return float(np.median([one.estimate for one in self.fitted])) if self.fitted else math.nan

    def agreement(self, said: str, sign: float = 1.0) -> float:
        """Share of the fitted specifications that alone would say the same as a verdict.

        Each is put to the same rule, by itself (`hypotheses.alone`). Where H2 is contradicted the
        sign of the tweak must be the same too.

        Parameters
        ----------
        said
            "supported", "contradicted", "negligible" or "inconclusive".
        sign
            Of the deciding effect where H2 is contradicted; elsewhere the word has it.

        Returns
        -------
        float
            0 to 1; missing where none was fitted.

        Raises
        ------
        DataError
            When `said` is another word.
        """
        if said not in VERDICTS:
            raise DataError(f"said must be one of {', '.join(VERDICTS)}, but is {said!r}.")
        if not self.fitted:
            return math.nan
        return float(np.mean([self._agrees(one, said, sign) for one in self.fitted]))

    def _agrees(self, effect: Effect, said: str, sign: float) -> bool:
        if alone(self.hypothesis, effect, bound=self.bound) != said:
            return False
        return self.hypothesis != "H2" or said != "contradicted" or effect.estimate * sign > 0

    def summary(self) -> str:
        """Say in a few lines what was tried and what came out."""
        head = f"{self.hypothesis} on {self.dataset}, {self.term}. Null: {self.null_hypothesis}"
        if self.reason:
            return f"{head}\nNot tested: {self.reason}"
        fitted = self.fitted
        up = sum(one.estimate > 0 and one.p_difference < rule().level for one in fitted)
        down = sum(one.estimate < 0 and one.p_difference < rule().level for one in fitted)
        small = sum(one.p_equivalence(self.bound) < rule().level for one in fitted)
        lines = [
            head,
            f"  {len(fitted)} of {len(self.table)} specifications fitted; "
            f"median effect {self.median:.3f} (ln ratio per contrast)",
            f"  p < {rule().level:g}: {up} above none, {down} below; "
            f"{small} shown to be negligible",
        ]
        if self.joint:
            said = "; ".join(
                f"{name} {value:.3g}, p = {self.joint.p_values[name]:.3g}"
                for name, value in self.joint.observed.items()
            )
            lines.append(f"  together ({self.joint.flips:,} sign flips by account): {said}")
        if self.left_out:
            lines.append(
                f"  without any one account the deciding estimate is {self.left_out.low:.3f} to "
                f"{self.left_out.high:.3f}; account {self.left_out.account_id} moves it most"
            )
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the estimates in order with their 95 % intervals."""
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
        rows = self.table.dropna(subset="estimate").sort_values("estimate", kind="stable")
        at = np.arange(len(rows))
        ax.vlines(at, rows["ci_low"], rows["ci_high"], color="0.75", lw=1)
        ax.plot(at, rows["estimate"], ".", color="0.2", ms=3)
        ax.axhline(0, color="0.5", lw=0.8)
        ax.set(xlabel="specifications, in order of their estimate", ylabel="ln ratio per contrast")
        ax.set_title(self.reason or f"{self.hypothesis} on {self.dataset}: {self.term}", loc="left")
        return ax

    def _repr_html_(self) -> str:
        from html import escape

        said = "<br>".join(escape(line) for line in self.summary().splitlines())
        if self.reason:
            return f"<p>{said}</p>"
        shown = self.table[["model", "block", "term", *NUMBERS[:5], "unit", "n_obs", "n_accounts"]]
        return f"<p>{said}</p>" + shown.to_html(
            index=False, float_format="{:.3g}".format, max_rows=20
        )


def specification_curve(
    interactions: pd.DataFrame,
    hypothesis: str,
    *,
    windows: Windows,
    dataset: str,
    term: str | None = None,
    panels: Panels | None = None,
    contacts: Contacts | None = None,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    flips: int = FLIPS,
) -> SpecificationCurve:
    """Ask one question in at least 100 ways.

    Parameters
    ----------
    interactions
        The canonical table.
    hypothesis
        "H2", "H3", "H5" or "H7".
    windows
        The data set's own.
    dataset
        Its name, for the table.
    term
        The deciding predictor; by default the hypothesis's first.
    panels
        What `alternative_panels` built from the same log and windows, to share it between
        hypotheses; H5 needs none.
    contacts
        What `alternative_contacts` built from the same log and windows, for H5.
    data_hashes
        File name to sha256 of the raw data.
    seed, flips
        Of the joint test, and the number of its draws.

    Returns
    -------
    SpecificationCurve
        One row a specification; one that cannot be fitted is a row with the reason. The joint
        test is over all that were fitted, but for the one that leaves an account out.

    Raises
    ------
    DataError
        When the hypothesis or term has no specifications, or the panels or contacts are of other
        windows.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> curve = smo.specification_curve(log, "H5", windows=village.windows, dataset="v", flips=99)
    >>> len(curve.fitted) >= 100, bool(curve.median > 0)
    (True, True)
    """
    claim = hypotheses().get(hypothesis)
    if claim is None or hypothesis not in HYPOTHESES:
        raise DataError(
            f"hypothesis must be one of {', '.join(HYPOTHESES)}, but is {hypothesis!r}."
        )
    term = term or claim.terms[0]
    if term not in claim.terms:
        raise DataError(f"term must be one of {', '.join(claim.terms)}, but is {term!r}.")
    if hypothesis == "H5":
        contacts = contacts or alternative_contacts(interactions, windows=windows)
        if contacts.windows != windows:
            raise DataError(f"contacts must be those of {windows}, but are of {contacts.windows}.")
        tried, left_out, without = _of_contacts(contacts)
    else:
        panels = panels or alternative_panels(interactions, windows=windows)
        if panels.windows != windows:
            raise DataError(f"panels must be those of {windows}, but are of {panels.windows}.")
        tried, left_out, without = _of_panels(panels, hypothesis, term)
    rows = [one.row(hypothesis=hypothesis, dataset=dataset) for one in [*tried, *without]]
    joint = None
    if tried[0].effect is not None:
        fitted = [one for one in tried if one.scores is not None]
        joint = joint_test(
            np.column_stack([one.scores for one in fitted if one.scores is not None]),
            spreads=np.array([one.spread or 0.0 for one in fitted]),
            rng=seed_for(seed, dataset, hypothesis, term, "curve"),
            flips=flips,
        )
    return SpecificationCurve(
        hypothesis,
        dataset,
        term,
        pd.DataFrame(rows)[VOCABULARY],
        NULL,
        effects=[one.effect for one in [*tried, *without]],
        people=[one.n_people for one in [*tried, *without]],
        joint=joint,
        left_out=left_out,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        reason=tried[0].reason,
    )


Found: TypeAlias = tuple[list[Tried], LeftOut | None, list[Tried]]


def _of_panels(panels: Panels, hypothesis: str, term: str) -> Found:
    asked = specifications(hypothesis, term, panels.rows)
    tried = try_specifications(panels, asked)
    if tried[0].effect is None:
        return tried, None, []
    left_out, without = leave_one_out(panels, asked[0])
    return tried, left_out, try_specifications(panels, [without])


def _of_contacts(contacts: Contacts) -> Found:
    asked = return_specifications(contacts)
    tried = try_return_specifications(contacts, asked)
    if tried[0].effect is None:
        return tried, None, []
    left_out, without = leave_one_return_out(contacts, asked[0])
    return tried, left_out, try_return_specifications(contacts, [without])
