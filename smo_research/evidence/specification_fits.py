"""Fitting many specifications of what predicts lasting growth, sharing what they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.absorbed import Absorbed, absorbed_poisson
from smo_research.evidence.alternatives import Panels
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.samples import (
    TWEAKS,
    growth_sample,
    hardly_varies,
    out_of_reach,
    too_little,
    without_effects,
)
from smo_research.evidence.specifications import DESCRIBED, NARROW, Specification
from smo_research.evidence.tried import LeftOut, Tried, step_of

OUTCOME = "lasting_audience"
EFFECTS = {"between": ["period"], "within": ["account_id", "period"]}


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows that several specifications share, and the columns that all of them hold."""

    frame: pd.DataFrame
    classes: dict[str, np.ndarray]
    effect: str


@dataclass(frozen=True, eq=False)
class _Design:
    """Outcome, controls, groups and accounts of one model, in the order of the groups.

    `used` are the places of its rows in the frame.
    """

    names: tuple[str, ...]
    y: np.ndarray
    x: np.ndarray
    groups: np.ndarray
    accounts: np.ndarray
    used: np.ndarray


def try_specifications(panels: Panels, asked: Iterable[Specification]) -> list[Tried]:
    """Fit specifications of one hypothesis; one that cannot be fitted says why.

    Those of the same rows share them; those of the same controls share the model without the
    predictor, which its score needs and from which the model with it starts.

    Parameters
    ----------
    panels
        As `alternative_panels` returns them.
    asked
        Specifications.

    Returns
    -------
    list of Tried
        In the order asked.
    """
    asked = [replace(one, posts=panels.posts) for one in asked]
    done: dict[Specification, Tried] = {}
    for _, alike in groupby(sorted(asked, key=_same_rows), key=_same_rows):
        of_rows = list(alike)
        try:
            rows = _rows(panels, of_rows[0])
        except FitError as error:
            done |= {one: _failed(one, error) for one in of_rows}
            continue
        for one, tried in _try_all(rows, of_rows, len(panels.accounts)):
            done[one] = tried
    return [done[one] for one in asked]


def leave_one_out(panels: Panels, one: Specification) -> tuple[LeftOut, Specification]:
    """Find the account whose removal moves an estimate most, and the specification without it.

    Raises
    ------
    FitError
        When the specification itself cannot be fitted.
    """
    rows = _rows(panels, one)
    design = _design(rows, one.controls(rows.frame))
    null = absorbed_poisson(design.y, design.x, design.groups)
    fit = null.with_column(rows.frame[one.predictor].to_numpy(float)[design.used])
    numbers, places = np.unique(design.accounts, return_inverse=True)
    estimates = fit.without_each(-1, places) * step_of(one.predictor)
    moved = np.abs(estimates - fit.coefficients[-1] * step_of(one.predictor))
    most = str(panels.accounts[numbers[moved.argmax()]])
    found = LeftOut(most, float(estimates.min()), float(estimates.max()))
    return found, replace(one, without=most)


def separated(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Find the rows that one column alone fits perfectly with 0.

    A column that is the same in all rows above 0, and lies on one side of that in the others,
    sends the rows where it differs to 0 and says nothing else.

    Returns
    -------
    numpy.ndarray
        n flags; rows with y above 0 are never among them.

    Examples
    --------
    >>> separated(np.array([0, 0, 2, 1]), np.array([[1, 0, 0, 0], [0, 1, 1, 0]]).T).tolist()
    [True, False, False, False]
    """
    above = x[y > 0]
    low, high = above.min(axis=0), above.max(axis=0)
    found = (low == high) & ((x.min(axis=0) >= low) | (x.max(axis=0) <= high))
    return (x[:, found] != low[found]).any(axis=1)


def _same_rows(one: Specification) -> tuple:
    # A described measure may be missing where the deciding one is not.
    narrow = one.predictor if one.predictor in DESCRIBED.get(one.hypothesis, ()) else ""
    windows = one.windows
    lengths = (windows.period, windows.gap, windows.horizon)
    return (*lengths, one.rows, one.model, one.without, narrow)


def _rows(panels: Panels, one: Specification) -> _Rows:
    panel = panels.rows[one.windows]
    if isinstance(panel, str):
        raise FitError(panel)
    if one.predictor not in panel:
        raise FitError(f"{one.predictor} is not measured")
    sample = growth_sample(panel, one.hypothesis, windows=one.windows)
    if one.rows == NARROW:
        known = f"{one.predictor}_known" if one.hypothesis == "H2" else ""
        wanted = sample.rows[known].notna() if known else sample.rows["own_acts"] > 0
        sample = sample.keep(wanted, "fewer rows")
    sample = sample.keep(sample.rows[one.predictor].notna(), "the predictor is missing")
    if one.without:
        number = panels.accounts.get_loc(one.without)
        sample = sample.keep(sample.rows["account_id"] != number, "the account left out")
    sample = without_effects(sample, OUTCOME, EFFECTS[one.model])
    rows = sample.rows
    if reason := too_little(rows, OUTCOME):
        raise FitError(reason)
    outreach = rows["cold_outreach"]
    rows = rows.assign(
        cold_outreach=outreach.fillna(outreach.mean()),
        cold_outreach_missing=outreach.isna().astype(float),
    )
    classes: dict[str, np.ndarray] = {}
    # Rows in the order of the effect are summed fastest.
    rows = rows.sort_values(EFFECTS[one.model][0], kind="stable")
    for name in ("inbound_class", *EFFECTS[one.model][1:]):
        flags = pd.get_dummies(rows[name], prefix=name, dtype=float).iloc[:, 1:]
        classes |= {column: flags[column].to_numpy() for column in flags}
    return _Rows(rows, classes, EFFECTS[one.model][0])


def _try_all(
    rows: _Rows, asked: list[Specification], accounts: int
) -> Iterator[tuple[Specification, Tried]]:
    unreachable = {
        name: _why_not(rows.frame, name) for name in dict.fromkeys(one.predictor for one in asked)
    }
    ready = []
    for one in asked:
        if reason := unreachable[one.predictor]:
            yield one, _failed(one, FitError(reason))
        else:
            ready.append((one.controls(rows.frame), one))
    near: dict[str, float] = {}
    ready.sort(key=lambda pair: pair[0])
    for controls, alike in groupby(ready, key=lambda pair: pair[0]):
        of_controls = [one for _, one in alike]
        try:
            design = _design(rows, controls)
            start = [near.get(name, 0.0) for name in design.names]
            with _refused_where_singular():
                null = absorbed_poisson(design.y, design.x, design.groups, start=np.array(start))
        except FitError as error:
            yield from ((one, _failed(one, error)) for one in of_controls)
            continue
        near = dict(zip(design.names, np.nan_to_num(null.coefficients), strict=True))
        for one in of_controls:
            values = rows.frame[one.predictor].to_numpy(float)[design.used]
            try:
                yield one, _try(one, design, null, values, accounts)
            except FitError as error:
                yield one, _failed(one, error)


def _why_not(rows: pd.DataFrame, predictor: str) -> str:
    """Say why a predictor's contrast cannot be shown in these rows, or nothing."""
    if predictor in TWEAKS:
        return out_of_reach(rows, f"{predictor}_known", predictor)
    return hardly_varies(rows, predictor, fewest_accounts=rule().fewest_accounts)


def _design(rows: _Rows, controls: Iterable[str]) -> _Design:
    frame = rows.frame
    names = (*rows.classes, *controls)
    x = np.empty((len(frame), len(names)), order="F")
    for place, name in enumerate(names):
        x[:, place] = rows.classes[name] if name in rows.classes else frame[name]
    y = frame[OUTCOME].to_numpy(float)
    used = np.flatnonzero(~separated(y, x))
    if len(used) < len(frame):
        x = x[used]
    groups = np.unique(frame[rows.effect].to_numpy()[used], return_inverse=True)[1]
    return _Design(names, y[used], x, groups, frame["account_id"].to_numpy()[used], used)


def _try(
    one: Specification, design: _Design, null: Absorbed, values: np.ndarray, accounts: int
) -> Tried:
    with _refused_where_singular():
        scores = null.partial(values) * null.residuals
        fit = null.with_column(values)
        effect = fit.effect(-1, design.accounts, step=step_of(one.predictor))
    return Tried(
        one.choices(),
        one.model,
        one.predictor,
        effect,
        n_obs=len(values),
        n_accounts=round(effect.df) + 1,
        scores=np.bincount(design.accounts, scores, minlength=accounts),
    )


@contextmanager
def _refused_where_singular() -> Iterator[None]:
    """Rows that several columns together fit perfectly with 0 leave a matrix without inverse."""
    try:
        yield
    except np.linalg.LinAlgError:
        raise FitError("a term is separated or repeats others") from None


def _failed(one: Specification, error: FitError) -> Tried:
    return Tried(one.choices(), one.model, one.predictor, reason=str(error))
