"""Could an answer be wrong? Other specifications of it, and confounders nobody measured."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smo_research.evidence.alternatives import alternative_contacts, alternative_panels
from smo_research.evidence.curve import HYPOTHESES, SpecificationCurve, specification_curve
from smo_research.evidence.result import Result, evidence_row
from smo_research.evidence.sensitivity import Confounder, unmeasured
from smo_research.evidence.sign_flips import FLIPS, QUICK_FLIPS
from smo_research.evidence.verdicts import Curves, deciding
from smo_research.tables import Windows

OUTCOMES = {"H1": "engagement", "H5": "coming back"}


def curves_of(
    log: pd.DataFrame,
    results: list[Result],
    *,
    posts: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    windows: Windows,
    dataset: str,
    data_hashes: dict[str, str],
    quick: bool = False,
) -> dict[tuple[str, str, str], SpecificationCurve]:
    """Ask every question that a log could be asked in all its specifications.

    Parameters
    ----------
    log
        The canonical table `interactions`.
    results
        What was found in it.
    posts, accounts
        The canonical tables, as they were used there.
    windows, dataset, data_hashes
        As in `specification_curve`.
    quick
        Fewer flips.

    Returns
    -------
    dict
        By hypothesis, data set and term: of each term with an effect that decides.
    """
    panels = contacts = None
    found = {}
    for result in results:
        if result.hypothesis not in HYPOTHESES:
            continue
        for term in deciding(result)[1]:
            if result.hypothesis == "H5":
                contacts = alternative_contacts(log, windows=windows, accounts=accounts)
            elif panels is None:
                panels = alternative_panels(log, posts, windows=windows, accounts=accounts)
            found[result.hypothesis, dataset, term] = specification_curve(
                log,
                result.hypothesis,
                windows=windows,
                dataset=dataset,
                term=term,
                panels=panels,
                contacts=contacts,
                data_hashes=data_hashes,
                flips=QUICK_FLIPS if quick else FLIPS,
            )
    return found


def curve_rows(curves: Curves) -> list[dict[str, Any]]:
    """One row a specification curve: the median effect, with the p of all together."""
    rows = []
    for (hypothesis, dataset, term), curve in curves.items():
        if curve.joint is None:
            continue
        rows.append(
            evidence_row(
                hypothesis=hypothesis,
                dataset=dataset,
                model="specification curve",
                block=f"median of {len(curve.fitted)}",
                term=term,
                estimate=curve.median,
                p_value=curve.joint.p_values["median t"],
                unit="ln ratio per contrast",
            )
        )
    return rows


def confounder_rows(result: Result) -> list[dict[str, Any]]:
    """One row an effect that decides: how strong an unmeasured confounder would have to be."""
    rows = []
    for term, found in confounders(result).items():
        rows.append(found.row(hypothesis=result.hypothesis, dataset=result.dataset, term=term))
    return rows


def confounders(result: Result) -> dict[str, Confounder]:
    """How strong an unmeasured confounder would have to be, by term, where that can be said.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> log = smo.simulate(village, seed=1).interactions
    >>> contacts = smo.first_contacts(log, windows=village.windows)
    >>> result = smo.return_when_answered(contacts, dataset="village")
    >>> found = smo.confounders(result)["answered"]
    >>> found.measure, round(found.strength, 1)
    ('E-value', 3.3)
    """
    model, effects = deciding(result)
    found = {}
    for term, effect in effects.items():
        place = (result.table["model"] == model) & (result.table["term"] == term)
        unit = str(result.table.loc[place, "unit"].iloc[0])
        free = getattr(effect, "df", None) if model == "cross-section" else None
        if not (unit.startswith("ln ratio") or free):
            continue
        one = unmeasured(
            effect,
            unit=unit,
            predictor=term.replace("_", " "),
            outcome=OUTCOMES.get(result.hypothesis, "lasting growth"),
            residual_df=free,
        )
        if one is not None:
            found[term] = one
    return found
