"""Do the tweaks of a post predict its engagement? (H1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from smo_research.errors import FitError
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import (
    DRAWS,
    FEW,
    joint_p,
    seed_for,
    wild_bootstrap,
)
from smo_research.evidence.hypotheses import contrast, hypotheses, rule
from smo_research.evidence.linearised import linearised
from smo_research.evidence.models import Fit, poisson
from smo_research.evidence.result import Key, Result, effect_row, evidence_row, untested
from smo_research.evidence.samples import Sample, whole, without_effects

COUNTS = ("reactions", "replies", "shares")
EFFECTS = ["account_id", "month", "weekday", "hour"]
FEWEST_CLUSTERS = 20
TRAINING_SHARE = 0.7
NEARLY_ALL = 0.99
MOST_ROUNDS = 500
SETTLED = 1e-8
JOINT = "all tweaks together"


def post_rows(posts: pd.DataFrame) -> Sample:
    """Describe each post by its own flags and count what it drew.

    Parameters
    ----------
    posts
        The canonical table.

    Returns
    -------
    Sample
        One row a post whose counts are all known: engagement (reactions + replies + shares, of
        those there are), account_id, created_at, month, weekday and hour (UTC), and as
        far as known has_hashtag (or log_hashtags where nearly all have one), has_link, has_media,
        is_paid, is_automated, log_title_words, type_... and the controls is_reply, has_mention.
    """
    counted = [name for name in COUNTS if name in posts and posts[name].notna().any()]
    if not counted:
        return whole(posts.iloc[:0])
    sample = whole(posts).keep(posts[counted].notna().all(axis=1), "its counts are hidden")
    rows = sample.rows
    at = rows["created_at"]
    found = pd.DataFrame(
        {
            "account_id": pd.factorize(rows["account_id"])[0],
            "created_at": at,
            "engagement": rows[counted].sum(axis=1).astype(float),
            "month": at.dt.strftime("%Y-%m"),
            "weekday": at.dt.day_of_week.astype(str),
            "hour": at.dt.hour.astype(str),
        },
        index=rows.index,
    )
    for name, column in {"has_hashtag": "hashtags", "has_link": "links"}.items():
        if column in rows and rows[column].notna().any():
            found[name] = (rows[column].astype(float) > 0).where(rows[column].notna())
    if "has_hashtag" in found and found["has_hashtag"].mean() > NEARLY_ALL:
        found["log_hashtags"] = np.log1p(rows["hashtags"].astype(float))
        found = found.drop(columns="has_hashtag")
    for name in ("has_media", "is_paid", "is_automated", "is_reply"):
        if name in rows:
            found[name] = rows[name].astype("boolean").astype("Float64").astype(float)
    if "title_words" in rows:
        found["log_title_words"] = np.log1p(rows["title_words"].astype(float))
    if "mentions" in rows:
        mentions = rows["mentions"]
        found["has_mention"] = (mentions.astype(float) > 0).where(mentions.notna())
    if "post_type" in rows and rows["post_type"].nunique() > 1:
        common = rows["post_type"].mode()[0]
        for kind in sorted(set(rows["post_type"].dropna()) - {common}):
            found[f"type_{kind.lower()}"] = (rows["post_type"] == kind).astype(float)
    return Sample(found.astype({c: float for c in found if c not in _LABELS}), sample.left_out)


_LABELS = {"account_id", "created_at", "month", "weekday", "hour"}
CONTROLS = ("is_reply", "has_mention")
BEYOND_REACH = "its contrast is wider than its 1st to 99th percentile"


def post_engagement(
    posts: pd.DataFrame,
    *,
    dataset: str,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Test whether the tweaks of a post predict its reactions, replies and shares.

    Poisson regression with account, month, weekday and hour effects. Errors are clustered by
    account, or by month where there is one account; under 50 clusters p-values and intervals come
    from the wild cluster bootstrap of the model linearised at its solution. Out of sample: the
    last 30 % of posts, against the same model without tweaks.

    Parameters
    ----------
    posts
        The canonical table.
    dataset
        Its name, for the table.
    data_hashes
        File name to sha256 of the raw data.
    seed, draws
        Of the bootstrap.

    Examples
    --------
    >>> import smo_research as smo
    >>> world = smo.scenario("tricks").turned(accounts=60, periods=20)
    >>> result = smo.post_engagement(smo.simulate(world, seed=1).posts, dataset="tricks")
    >>> bool(result.effects["posts", "total", "has_link"].estimate > 0)
    True
    """
    null = hypotheses()["H1"].null
    sample = post_rows(posts)
    rows = sample.rows
    if len(rows) < rule().fewest_rows or (rows["engagement"] > 0).sum() < rule().fewest_rows:
        reason = f"{len(rows)} posts have counts; at least {rule().fewest_rows} above 0 are needed"
        return untested("H1", dataset, null, reason)
    tweaks, beyond = within_reach(rows)
    lines = [
        evidence_row(hypothesis="H1", dataset=dataset, term=name, reason=f"{name}: {BEYOND_REACH}")
        for name in beyond
    ]
    if not tweaks:
        return untested("H1", dataset, null, "; ".join(line["reason"] for line in lines))
    effects_of = [name for name in EFFECTS if rows[name].nunique() > 1]
    controls = [name for name in CONTROLS if name in rows and rows[name].nunique() > 1]
    for name in [*tweaks, *controls]:
        if rows[name].isna().any():
            rows[f"{name}_missing"] = rows[name].isna().astype(float)
            rows[name] = rows[name].fillna(rows[name].mean())
            controls.append(f"{name}_missing")
    fitted = without_effects(_that_drew(sample, controls), "engagement", effects_of)
    rows = fitted.rows
    controls = [name for name in controls if rows[name].nunique() > 1]
    # Where each reply has a mention and nothing else has, the two are one control.
    controls = [name for name in controls if not _repeats(rows, name, controls)]
    accounts = rows["account_id"].nunique()
    cluster = "account_id" if accounts > 1 else "month"
    label = {"hypothesis": "H1", "dataset": dataset, "model": "posts", "block": "total"}
    size = {"n_obs": len(rows), "n_accounts": accounts}
    try:
        fit = poisson(rows, "engagement", [*tweaks, *controls], effects=effects_of, cluster=cluster)
        rng = seed_for(seed, dataset, "H1")
        found, p_joint = _judged(fit, rows, tweaks, controls, effects_of, cluster, rng, draws)
        gain = out_of_sample_gain(rows, tweaks, controls, effects_of, cluster=cluster)
    except FitError as error:
        return untested("H1", dataset, null, str(error))
    effects: dict[Key, Estimate] = {}
    for term, effect in found.items():
        effects["posts", "total", term] = effect
        unit = "ln ratio per doubling" if term.startswith("log_") else "ln ratio if so"
        lines.append(effect_row(effect, **label, term=term, unit=unit, **size))
    lines.append(evidence_row(**label, term=JOINT, p_value=p_joint, **size))
    lines.append(
        evidence_row(
            **label | {"model": "out of sample"}, term=JOINT, estimate=gain,
            unit="nats per post gained", **size,
        )
    )  # fmt: skip
    scope = "these pages only; " if accounts < FEWEST_CLUSTERS else ""
    better = "better" if gain > 0 else "no better"
    signs = _signs(found)
    return Result(
        "H1",
        dataset,
        pd.DataFrame(lines),
        null,
        formula=fit.formula,
        effects=effects,
        left_out=fitted.left_out,
        data_hashes=dict(data_hashes or {}),
        seed=seed,
        passes=gain > 0,
        joint_p=p_joint,
        notes=(f"{scope}{signs}; {better} out of sample with tweaks ({gain:+.3g} nats per post)",),
    )


def _repeats(rows: pd.DataFrame, name: str, controls: list[str]) -> bool:
    before = controls[: controls.index(name)]
    return any(rows[name].equals(rows[other]) for other in before)


def _that_drew(sample: Sample, controls: list[str]) -> Sample:
    """Drop posts of a kind that never drew anything, which a control would fit perfectly."""
    for name in controls:
        drawn = sample.rows.groupby(name)["engagement"].transform("sum") > 0
        reason = f"posts of a kind that drew nothing throughout ({name.replace('_', ' ')})"
        sample = sample.keep(drawn, reason)
    return sample


def within_reach(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The tweaks whose contrast the posts can show, and those whose they cannot.

    Parameters
    ----------
    rows
        As `post_rows` gives them.
    """
    apart = {*_LABELS, *CONTROLS, "engagement"}
    spread = {
        name: rows[name].quantile([0.01, 0.99]).diff().iloc[1]
        for name in rows.columns
        if name not in apart
    }
    beyond = [name for name, width in spread.items() if width < step_of(name)]
    return [name for name in spread if name not in beyond], beyond


def _signs(found: Mapping[str, Estimate]) -> str:
    """Say which tweaks go with more, and which with less."""
    clear = {t: e.estimate for t, e in found.items() if e.p_difference < rule().level}
    more = [term.replace("_", " ") for term, value in clear.items() if value > 0]
    less = [term.replace("_", " ") for term, value in clear.items() if value <= 0]
    said = [f"more with {', '.join(more)}"] if more else []
    said += [f"less with {', '.join(less)}"] if less else []
    return ", ".join(said) or "no tweak alone differs from none"


def step_of(term: str) -> float:
    """The contrast of a tweak of a post; a type is a flag."""
    return 1.0 if term.startswith("type_") else contrast(term)


def _judged(
    fit: Fit,
    rows: pd.DataFrame,
    tweaks: list[str],
    controls: list[str],
    effects_of: list[str],
    cluster: str,
    rng: np.random.Generator,
    draws: int,
) -> tuple[dict[str, Estimate], float]:
    """Effects of the tweaks and their joint p, by the bootstrap where clusters are few."""
    clusters = rows[cluster].nunique()
    if clusters >= FEW:
        found: dict[str, Estimate] = {name: fit.effect(name, step_of(name)) for name in tweaks}
        b = fit.coefficients[tweaks].to_numpy()
        wald = b @ np.linalg.solve(fit.covariance.loc[tweaks, tweaks].to_numpy(), b) / len(b)
        return found, float(stats.f.sf(wald, len(b), clusters - 1))
    y, x, z = linearised(fit, "engagement", tweaks, controls, effects_of)
    labels = fit.rows[cluster].to_numpy()
    found = {}
    for place, name in enumerate(tweaks):
        rest = np.column_stack([z, np.delete(x, place, axis=1)])
        found[name] = wild_bootstrap(
            y,
            x[:, place],
            rest,
            labels,
            rng=rng,
            step=step_of(name),
            nested=clusters - 1,
            draws=draws,
        )
    return found, joint_p(y, x, z, labels, rng=rng, draws=draws)


def out_of_sample_gain(
    rows: pd.DataFrame,
    tweaks: list[str],
    controls: list[str],
    effects_of: list[str],
    *,
    cluster: str = "account_id",
) -> float:
    """How many nats a post the tweaks gain on the last 30 % of posts (half the mean deviance).

    Months of the test span are unseen in training: both models take the last month's effect and
    one intercept recalibrated on the test span.
    """
    rows = rows.sort_values("created_at", kind="stable")
    cut = int(len(rows) * TRAINING_SHARE)
    train = _that_drew(whole(rows.iloc[:cut]), controls)
    train = without_effects(train, "engagement", effects_of).rows
    test = rows.iloc[cut:].assign(month=train["month"].iloc[-1])
    for name in effects_of:
        test = test[test[name].isin(set(train[name]))]
    if test.empty or test["engagement"].sum() == 0:
        raise FitError("no later post of an account that posted before")
    losses = []
    y = test["engagement"].to_numpy()
    for terms in ([*tweaks, *controls], controls):
        kept = [name for name in terms if train[name].nunique() > 1]
        slopes = pd.Series(dtype=float)
        if kept:
            fit = poisson(train, "engagement", kept, effects=effects_of, cluster=cluster)
            slopes = fit.coefficients
        means = _predicted(train, test, slopes, effects_of)
        losses.append(poisson_loss(y, means * y.sum() / means.sum()))
    return losses[1] - losses[0]


def _predicted(
    train: pd.DataFrame, test: pd.DataFrame, slopes: pd.Series, effects_of: list[str]
) -> np.ndarray:
    """Means of later posts: the slopes, and each group's effect fitted in turn until settled."""
    y = train["engagement"].to_numpy()
    names = list(slopes.index)
    now = np.exp(train[names].to_numpy(float) @ slopes.to_numpy())
    later = np.exp(test[names].to_numpy(float) @ slopes.to_numpy())
    codes = {name: pd.factorize(train[name]) for name in effects_of}
    factors = {name: np.ones(len(levels)) for name, (_, levels) in codes.items()}
    for _ in range(MOST_ROUNDS):
        change = 0.0
        for name, (code, _) in codes.items():
            step = np.bincount(code, y) / np.bincount(code, now)
            now *= step[code]
            factors[name] *= step
            change = max(change, np.abs(step - 1).max())
        if change < SETTLED:
            break
    for name, (_, levels) in codes.items():
        later *= factors[name][levels.get_indexer(test[name])]
    return later


def poisson_loss(y: np.ndarray, means: np.ndarray) -> float:
    """Half the mean Poisson deviance, in nats a row.

    Examples
    --------
    >>> round(poisson_loss(np.array([0.0, 2.0]), np.array([1.0, 1.0])), 4)
    0.6931
    """
    ratio = np.where(y > 0, y / means, 1.0)
    return float(np.mean(y * np.log(ratio) - (y - means)))
