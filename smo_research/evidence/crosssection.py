"""One snapshot of accounts: followers per day of age, across accounts only (H2, H3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.effects import Effect
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.samples import too_wide
from smo_research.tables import Tables

OUTCOME = "log_followers_per_day"
TWEAKS = ("hashtag_rate", "link_rate", "media_share", "automated_share", "follow_back")
CONVERSATION = "reply_share"
UNIT = "ln(1 + followers a day)"
ADJUSTMENT = ("log_age", "post_volume")
TERMS = {"H2": TWEAKS, "H3": (CONVERSATION,)}
_RATES = {
    "hashtag_rate": "hashtags",
    "link_rate": "links",
    "media_share": "has_media",
    "automated_share": "is_automated",
    CONVERSATION: "is_reply",
}


def snapshot(tables: Tables) -> pd.DataFrame:
    """One row an account: what it drew per day of its age, and what it did in its posts.

    Parameters
    ----------
    tables
        accounts (with created_at), followers (one count each) and posts.

    Returns
    -------
    pandas.DataFrame
        account_id, log_followers_per_day = ln(1 + followers / age in days), log_age (ln days),
        post_volume (ln(1 + posts ever)), the rates and shares of its posts, and follow_back.

    Examples
    --------
    >>> accounts = pd.DataFrame({"account_id": ["a"], "created_at": pd.to_datetime(["2020-01-01"])})
    >>> seen = pd.DataFrame({"account_id": ["a"], "observed_at": pd.to_datetime(["2020-04-10"]),
    ...                      "followers": [300], "posts_total": [2]})
    >>> posts = pd.DataFrame({"account_id": ["a", "a"], "links": [0, 1], "is_reply": [True, False]})
    >>> rows = snapshot(Tables("mine", accounts=accounts, followers=seen, posts=posts))
    >>> np.expm1(rows["log_followers_per_day"]).round(6).tolist(), rows["link_rate"].tolist()
    ([3.0], [0.5])
    """
    if tables.accounts is None or tables.followers is None or tables.posts is None:
        raise FitError("a snapshot needs accounts, followers and posts")
    counts = tables.followers.sort_values("observed_at").groupby("account_id").last()
    means = tables.posts.groupby("account_id")[
        [column for column in _RATES.values() if column in tables.posts]
    ].mean()
    means = means.rename(columns={column: name for name, column in _RATES.items()}).astype(float)
    rows = tables.accounts.set_index("account_id").join(counts, how="inner").join(means)
    age = (rows["observed_at"] - rows["created_at"]).dt.total_seconds() / 86_400
    rows = rows.assign(
        **{OUTCOME: np.log1p(rows["followers"].astype(float) / age)},
        log_age=np.log(age),
        post_volume=np.log1p(rows["posts_total"].astype(float)),
    )
    wanted = [OUTCOME, *ADJUSTMENT, CONVERSATION, *(t for t in TWEAKS if t in rows)]
    return rows[wanted].reset_index()


def least_squares_hc3(rows: pd.DataFrame, outcome: str, terms: list[str]) -> Effect:
    """Least squares with HC3 errors; the effect of the first term, per unit.

    References
    ----------
    MacKinnon, White (1985), Some heteroskedasticity-consistent covariance matrix estimators
    with improved finite sample properties, Journal of Econometrics 29.
    """
    import statsmodels.api as sm

    design = sm.add_constant(rows[terms].astype(float))
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise FitError(f"{terms[0]} or what it is adjusted for repeats others")
    fit = sm.OLS(rows[outcome].astype(float), design).fit(cov_type="HC3", use_t=True)
    return Effect(float(fit.params[terms[0]]), float(fit.bse[terms[0]]), float(fit.df_resid))


def snapshot_growth(
    rows: pd.DataFrame,
    hypothesis: str,
    *,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
) -> Result:
    """Test what goes with followers per day of age, across accounts.

    Least squares of ln(1 + followers per day) with HC3 errors, adjusted for age and volume and
    for the tweaks (H3) or the share of replies (H2).

    Parameters
    ----------
    rows
        As `snapshot` returns them.
    hypothesis
        "H2" or "H3".
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.

    Examples
    --------
    >>> x, age, volume, noise = np.random.default_rng(1).normal(size=(4, 2000))
    >>> rows = pd.DataFrame({"reply_share": x / 8 + 0.5, "log_age": age, "post_volume": volume})
    >>> rows["log_followers_per_day"] = 2 * rows["reply_share"] + noise / 4
    >>> result = snapshot_growth(rows, "H3", dataset="made up")
    >>> round(result.effects["cross-section", "total", "reply_share"].estimate, 1)  # 2 x 0.25
    0.5
    """
    null = hypotheses()[hypothesis].null
    tweaks = [name for name in TWEAKS if name in rows and rows[name].notna().all()]
    wanted = tweaks if hypothesis == "H2" else [CONVERSATION]
    rows = rows.dropna(subset=[OUTCOME, *ADJUSTMENT, CONVERSATION, *tweaks])
    if len(rows) < rule().fewest_rows:
        reason = f"{len(rows)} accounts; at least {rule().fewest_rows} are needed"
        return untested(hypothesis, dataset, null, reason)
    lines: list[dict] = []
    effects: dict[Key, Effect] = {}
    formula = ""
    for term in wanted:
        label = {"hypothesis": hypothesis, "dataset": dataset, "term": term}
        if reason := too_wide(rows[term], term):
            lines.append(evidence_row(**label, reason=reason))
            continue
        others = [CONVERSATION] if hypothesis == "H2" else tweaks
        terms = [term, *ADJUSTMENT, *others]
        unit = least_squares_hc3(rows, OUTCOME, terms)
        step = contrast(term)
        effect = Effect(unit.estimate * step, unit.std_error * step, unit.df)
        effects["cross-section", "total", term] = effect
        formula = formula or f"{OUTCOME} ~ {' + '.join(terms)}"
        here = {
            "model": "cross-section",
            "block": "total",
            "unit": f"ln(1 + followers a day) per +{step:g}",
        }
        lines.append(effect_row(effect, **label | here, n_obs=len(rows), n_accounts=len(rows)))
    if not effects:
        return untested(hypothesis, dataset, null, "; ".join(line["reason"] for line in lines))
    bound = rule().smallest_sd * float(rows[OUTCOME].std())
    return Result(
        hypothesis,
        dataset,
        pd.DataFrame(lines),
        null,
        formula=formula,
        effects=effects,
        data_hashes=dict(data_hashes or {}),
        bound=bound,
        notes=("one snapshot across accounts, nothing before and after",),
    )
