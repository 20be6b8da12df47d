"""The tweaks of posts, first with nothing held and then with all else (H1, for looking)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from smo_research.errors import FitError
from smo_research.evidence.absorbed import absorbed_poisson
from smo_research.evidence.posts import (
    BEYOND_REACH,
    CONTROLS,
    EFFECTS,
    post_rows,
    step_of,
    within_reach,
)
from smo_research.evidence.result import VOCABULARY, effect_row, evidence_row
from smo_research.evidence.rungs import NAIVE, codes
from smo_research.evidence.samples import Sample, without_effects
from smo_research.evidence.specification_fits import separated

TYPE = "type_"
OUTCOME = "engagement"


def post_contrasts(posts: pd.DataFrame, *, dataset: str) -> pd.DataFrame:
    """Set the raw contrast of each tweak beside the one in which all else is held.

    For looking. *Nothing held*: the ratio of mean engagement with the tweak to that without (a
    type of post against the commonest type; an amount per doubling). *Posts*: the Poisson
    regression of `post_engagement`, with account, month, weekday and hour effects and all other
    tweaks. Errors are clustered by account, or by month where there is one account. Under 50
    clusters such intervals are too narrow; the verdict then rests on the bootstrap of
    `post_engagement`.

    Parameters
    ----------
    posts
        The canonical table.
    dataset
        Its name, for the table.

    Returns
    -------
    pandas.DataFrame
        In the vocabulary, two rows a tweak (model "nothing held" and "posts"), and further
        columns: measured (share of the posts in which the tweak is known, 0 to 1) and clusters.
        A tweak whose contrast is wider than its 1st to 99th percentile is one row with the reason.

    Raises
    ------
    FitError
        When the posts have no tweak that varies enough, or the model no finite solution.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> times = pd.date_range("2020-01-01", periods=400, freq="31h", tz="UTC")
    >>> liked = rng.integers(0, 2, 400)
    >>> posts = pd.DataFrame({"account_id": "a", "created_at": times, "links": liked,
    ...                       "reactions": rng.poisson(10 + 10 * liked)})
    >>> found = post_contrasts(posts, dataset="d").set_index("model")["estimate"]
    >>> np.exp(found).round().to_dict()
    {'nothing held': 2.0, 'posts': 2.0}
    """
    sample = post_rows(posts)
    rows = sample.rows
    tweaks, beyond = within_reach(rows)
    lines = [
        evidence_row(hypothesis="H1", dataset=dataset, term=name, reason=BEYOND_REACH)
        for name in beyond
    ]
    if not tweaks:
        raise FitError(f"{dataset}: no tweak whose contrast the posts can show")
    measured = rows[tweaks].notna().mean()
    cluster = "account_id" if rows["account_id"].nunique() > 1 else "month"
    about = {"hypothesis": "H1", "dataset": dataset, "block": "total"}
    for term in tweaks:
        alike = rows[rows[term].notna()]
        if term.startswith(TYPE):
            others = [name for name in rows if name.startswith(TYPE) and name != term]
            alike = alike[alike[others].sum(axis=1) == 0]
        fit = absorbed_poisson(
            alike[OUTCOME].to_numpy(float), alike[[term]].to_numpy(float), np.zeros(len(alike), int)
        )
        effect = fit.effect(0, codes(alike[cluster]), step=step_of(term))
        lines.append(effect_row(effect, **about, model=NAIVE, term=term, **_size(alike, term)))
    controls = [name for name in CONTROLS if name in rows and rows[name].nunique() > 1]
    for name in [*tweaks, *controls]:
        if rows[name].isna().any():
            rows = rows.assign(**{f"{name}_missing": rows[name].isna().astype(float)})
            rows[name] = rows[name].fillna(rows[name].mean())
            controls.append(f"{name}_missing")
    effects = [name for name in EFFECTS if rows[name].nunique() > 1]
    used = without_effects(Sample(rows, sample.left_out), OUTCOME, effects).rows
    # Rows in the order of the effect are summed fastest.
    used = used.sort_values(effects[0], kind="stable")
    flags = [pd.get_dummies(used[name], dtype=float).iloc[:, 1:] for name in effects[1:]]
    x = np.asfortranarray(np.column_stack([*flags, used[[*controls, *tweaks]].to_numpy(float)]))
    apart = separated(used[OUTCOME].to_numpy(), x)
    used, x = used[~apart], x[~apart]
    with threadpool_limits(1, user_api="blas"):
        fit = absorbed_poisson(used[OUTCOME].to_numpy(), x, codes(used[effects[0]]))
        for place, term in enumerate(tweaks, start=-len(tweaks)):
            effect = fit.effect(place, codes(used[cluster]), step=step_of(term))
            lines.append(effect_row(effect, **about, model="posts", term=term, **_size(used, term)))
    table = pd.DataFrame(lines, columns=VOCABULARY)
    return table.assign(measured=table["term"].map(measured), clusters=int(rows[cluster].nunique()))


def _size(rows: pd.DataFrame, term: str) -> dict[str, object]:
    unit = "ln ratio per doubling" if term.startswith("log_") else "ln ratio if so"
    return {"n_obs": len(rows), "n_accounts": rows["account_id"].nunique(), "unit": unit}
