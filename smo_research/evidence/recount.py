"""What the tables and files say about the figures that were published on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from smo_research.datasets import facebook_metrics
from smo_research.datasets.edgelist import read_edgelist, read_text
from smo_research.evidence.recount_tweets import (
    Files,
    Number,
    agree,
    candidate_results,
    libraries,
    table,
)
from smo_research.tables import Tables


def recount(name: str, tables: Tables, files: Files) -> dict[str, Number]:
    """Measure every figure of a data set that has one.

    Parameters
    ----------
    name
        A data set of the catalogue.
    tables
        Its canonical tables, as loaded.
    files
        Gives its published files, for what the tables do not keep.

    Returns
    -------
    dict
        Quantity, as in published.toml, to what is found.
    """
    return _RECOUNTS[name](tables, files)


def _network(ends: pd.DataFrame) -> dict[str, Number]:
    """Users, pairs and components of the directed graph; triangles without direction."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    codes, users = pd.factorize(pd.concat([ends["source_id"], ends["target_id"]]))
    source, target = codes.reshape(2, -1)
    size = (len(users), len(users))
    pairs = csr_matrix((np.ones(len(ends)), (source, target)), shape=size).astype(bool)
    apart = pairs.astype(int)
    apart.setdiag(0)
    apart.eliminate_zeros()
    linked = ((apart + apart.T) > 0).tocoo()
    # From the user with fewer neighbours to the one with more, so that hubs cost nothing.
    rank = np.argsort(np.argsort(np.bincount(linked.row, minlength=len(users)), kind="stable"))
    up = rank[linked.row] < rank[linked.col]
    rising = csr_matrix((np.ones(up.sum()), (linked.row[up], linked.col[up])), shape=size)
    largest = {
        kind: int(np.bincount(connected_components(pairs, connection=kind)[1]).max())
        for kind in ("weak", "strong")
    }
    return {
        "users": len(users),
        "distinct pairs": int(pairs.nnz),
        "pairs reciprocated, %": 100 * apart.multiply(apart.T).nnz / apart.nnz,
        "most acts of one user, both ways": int(np.bincount(codes).max()),
        "users in the largest component": largest["weak"],
        "users in the largest strong component": largest["strong"],
        "triangles": int((rising @ rising).multiply(rising).sum()),
    }


def _log(acts: pd.DataFrame) -> dict[str, Number]:
    days = (acts["created_at"].max() - acts["created_at"].min()).days
    return _network(acts) | {"acts": len(acts), "days": days}


def _mathoverflow(tables: Tables, files: Files) -> dict[str, Number]:
    acts = table(tables.interactions)
    answers = _network(acts[acts["kind"] == "answer"])
    on_questions = len(read_edgelist(files()[1], format="snap"))
    kinds = acts["kind"].value_counts()
    return _log(acts) | {
        "acts toward oneself": int((acts["source_id"] == acts["target_id"]).sum()),
        "answers": int(kinds["answer"]),
        "comments on questions": on_questions,
        "comments on answers": int(kinds["comment"]) - on_questions,
        "users who answer or are answered": answers["users"],
        "distinct pairs of answers": answers["distinct pairs"],
    }


def _collegemsg(tables: Tables, files: Files) -> dict[str, Number]:
    return _log(table(tables.interactions))


def _higgs(tables: Tables, files: Files) -> dict[str, Number]:
    return {
        f"{quantity}, {kind}": value
        for kind, layer in table(tables.edges).groupby("kind")
        for quantity, value in _network(layer).items()
    }


def _metrics(tables: Tables, files: Files) -> dict[str, Number]:
    rows, posts = facebook_metrics.raw(files()[0]), table(tables.posts)
    consumers = "Lifetime Post Consumers"
    plural = {"Photo": "photos", "Status": "statuses", "Link": "links", "Video": "videos"}
    found: dict[str, Number] = {
        word: int((posts["post_type"] == kind).sum()) for kind, word in plural.items()
    }
    found |= {
        f"mean {consumers} of {plural[str(kind)]}": float(mean)
        for kind, mean in rows.groupby("Type")[consumers].mean().items()
    }
    status = rows["Type"] == "Status"
    acts = posts.set_index("post_id")[["reactions", "replies", "shares"]].fillna(0).sum(axis=1)
    total = rows["Total Interactions"].set_axis((rows.index + 1).astype(str))
    return found | {
        "public posts": len(posts),
        "posts of the paper": len(posts),
        "columns": rows.shape[1],
        "paid posts": int(posts["is_paid"].sum()),
        "posts not paid": int((~posts["is_paid"]).sum()),
        "posts not known to be paid": int(posts["is_paid"].isna().sum()),
        "posts whose Total Interactions is met": agree(acts, total),
        "fewest Page total likes": int(rows["Page total likes"].min()),
        "most Page total likes": int(rows["Page total likes"].max()),
        "attention of a status, times that of the others": float(
            rows.loc[status, consumers].mean() / rows.loc[~status, consumers].mean()
        ),
    }


def _live(tables: Tables, files: Files) -> dict[str, Number]:
    posts, rows = table(tables.posts), pd.read_csv(files()[0], dtype=str)
    return {
        "rows": len(rows),
        "columns": rows.shape[1],
        "pages": posts["account_id"].nunique(),
        "distinct posts": len(posts),
        "month of the first post": f"{posts['created_at'].min():%Y-%m}",
        "month of the last post": f"{posts['created_at'].max():%Y-%m}",
    }


def _youtube(tables: Tables, files: Files) -> dict[str, Number]:
    weeks = table(tables.followers).merge(table(tables.accounts))
    found: dict[str, Number] = {}
    for part in ("ent_timeseries", "ent_timeseries_15p"):
        rows = weeks[weeks["sample"].isin([part, "both"])]
        found |= {f"weeks in {part}": len(rows)}
        found |= {f"channels in {part}": rows["account_id"].nunique()}
    chosen = weeks[weeks["sample"] != "ent_timeseries_15p"].sort_values("observed_at")
    first = chosen.groupby("account_id")["followers"].first()
    return found | {
        "channels in both": weeks.loc[weeks["sample"] == "both", "account_id"].nunique(),
        "channels": weeks["account_id"].nunique(),
        "channel-weeks": len(weeks),
        "first day": f"{weeks['observed_at'].min():%Y-%m-%d}",
        "last day": f"{weeks['observed_at'].max():%Y-%m-%d}",
        "channels of the top and bottom 15 %": found["channels in ent_timeseries_15p"],
        "how the channels of ent_timeseries were chosen": (
            f"first counts of {first.min():,} to {first.max():,}"
        ),
    }


def _lobsters(tables: Tables, files: Files) -> dict[str, Number]:
    posts = table(tables.posts)
    # Offsets of the published times are those of Chicago.
    year = posts["created_at"].dt.tz_convert("America/Chicago").dt.year
    return {
        "stories": len(posts),
        "submitters": posts["account_id"].nunique(),
        "stories to 2021": int((year <= 2021).sum()),
        "stories of 2022": int((year == 2022).sum()),
        "stories of 2023": int((year == 2023).sum()),
    }


def _news(tables: Tables, files: Files) -> dict[str, Number]:
    counters = table(tables.counters)
    final = counters[counters["hours_since"] == counters["hours_since"].max()]
    found: dict[str, Number] = {"readings of an item": counters["hours_since"].nunique()}
    for platform, path in zip(("Facebook", "Google+", "LinkedIn"), files(), strict=True):
        found[f"items, {platform}"] = read_text(path).rstrip(b"\n").count(b"\n")
        shown = final[final["platform"] == platform]
        found[f"items with a final count above 0, {platform}"] = int((shown["count"] > 0).sum())
    return found


def _trees(tables: Tables, files: Files) -> dict[str, Number]:
    posts = table(tables.posts)
    return {
        "posts": len(posts),
        "reply trees": int((~posts["is_reply"]).sum()),
        "authors": posts["account_id"].nunique(),
        "first year": int(posts["created_at"].dt.year.min()),
        "last year": int(posts["created_at"].dt.year.max()),
    }


_RECOUNTS: dict[str, Callable[[Tables, Files], dict[str, Number]]] = {
    "mathoverflow": _mathoverflow,
    "collegemsg": _collegemsg,
    "delab-twitter": _trees,
    "delab-reddit": _trees,
    "higgs": _higgs,
    "german-libraries": libraries,
    "candidates-2020": candidate_results,
    "facebook-metrics": _metrics,
    "facebook-live": _live,
    "youtube-entertainment": _youtube,
    "lobsters": _lobsters,
    "news-attention": _news,
}
