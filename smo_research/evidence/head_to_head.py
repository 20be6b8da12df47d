"""Conversation against tweaks on follower counts, from tables to contest, and team by team (H4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.contest import contest, held_out_losses
from smo_research.evidence.crosssection import ADJUSTMENT, CONVERSATION, OUTCOME, TWEAKS, snapshot
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import seed_for
from smo_research.evidence.follower_samples import follower_rows, measured_tweaks, prepared
from smo_research.evidence.result import Result
from smo_research.evidence.shapley import teams
from smo_research.evidence.splits import DRAWS, account_folds, time_split, trend_and_season
from smo_research.measures.panel import follower_panel
from smo_research.tables import Tables, Windows

VOLUME = "post_volume"
GAINS = ("gain_where_fitted", "gain_held_out")


@dataclass(frozen=True, eq=False)
class Contenders:
    """What competes: rows, an outcome, columns that every model has, and blocks of columns."""

    rows: pd.DataFrame
    outcome: str
    adjustment: list[str]
    blocks: dict[str, list[str]]


def contenders(tables: Tables, *, windows: Windows | None = None) -> Contenders:
    """Lay out the contest that follower counts allow: over time, or in one snapshot.

    Parameters
    ----------
    tables
        Followers and posts; for a snapshot accounts too.
    windows
        Of the panel; without them the counts are one snapshot.

    Raises
    ------
    FitError
        When there are no counts of followers.
    """
    if windows is None:
        return across_accounts(snapshot(tables))
    if tables.followers is None:
        raise FitError("a contest over time needs counts of followers")
    return over_time(follower_panel(tables.followers, tables.posts, windows=windows))


def over_time(panel: pd.DataFrame) -> Contenders:
    """What competes in a panel of followers, as `follower_panel` gives it."""
    rows = prepared(follower_rows(panel, (CONVERSATION,)).rows)
    blocks = _blocks(measured_tweaks(rows))
    return Contenders(rows, "lasting_growth", ["log_tenure", "log_past_acts"], blocks)


def across_accounts(rows: pd.DataFrame) -> Contenders:
    """What competes in one snapshot of accounts, as `snapshot` gives it."""
    rows = rows.dropna()
    held = [name for name in ADJUSTMENT if name != VOLUME]
    return Contenders(rows, OUTCOME, held, _blocks([name for name in TWEAKS if name in rows]))


def _blocks(tweaks: list[str]) -> dict[str, list[str]]:
    return {"presence": [VOLUME], "tweaks": tweaks, "conversation": [CONVERSATION]}


def head_to_head(
    tables: Tables,
    *,
    dataset: str,
    windows: Windows | None = None,
    answering: Estimate | None = None,
    data_hashes: Mapping[str, str] | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Result:
    """Let conversation and tweaks compete in predicting follower counts out of sample (H4).

    Parameters
    ----------
    tables, windows
        As in `contenders`.
    dataset, answering, data_hashes, seed, draws
        As in `contest`; without `answering`, the effect that decides H3 there, H4 cannot be
        supported.

    Returns
    -------
    Result
        Of the model "contest", in nats a row.

    Examples
    --------
    >>> import smo_research as smo
    >>> world = smo.scenario("tricks").turned(accounts=60, periods=30, posts_show_replies=True)
    >>> tables = smo.simulate(world, seed=1).tables
    >>> windows = smo.Windows(period=7, horizon=28)
    >>> result = smo.head_to_head(tables, dataset="tricks", windows=windows, draws=20)
    >>> effect = result.table.set_index("term")["estimate"]
    >>> bool(effect["tweaks"] > effect["conversation"])
    True
    """
    about: dict[str, Any] = {"data_hashes": data_hashes, "seed": seed, "draws": draws}
    found = contenders(tables, windows=windows)
    return compete(found, dataset=dataset, windows=windows, answering=answering, **about)


def compete(found: Contenders, **options: Any) -> Result:
    """Hold the contest of what `contenders` laid out; `options` are those of `contest`."""
    return contest(
        found.rows, found.outcome, adjustment=found.adjustment, blocks=found.blocks, **options
    )


def team_gains(
    tables: Tables, *, dataset: str, windows: Windows | None = None, seed: int = 1
) -> pd.DataFrame:
    """What every team of blocks gains over the adjustment set, where fitted and where held out.

    The same regressions on the same rows as in `head_to_head`, so that its contributions are
    the Shapley values of `gain_held_out`.

    Parameters
    ----------
    tables, windows
        As in `contenders`.
    dataset, seed
        As in `head_to_head`: the folds of a snapshot come of both.

    Returns
    -------
    pandas.DataFrame
        One row a team: presence, tweaks, conversation (whether it is in), gain_where_fitted and
        gain_held_out (fall in the error, nats a row; below 0 it predicts worse than without).

    Raises
    ------
    FitError
        When the counts are too few to hold rows out.

    Examples
    --------
    >>> import smo_research as smo
    >>> world = smo.scenario("tricks").turned(accounts=60, periods=30, posts_show_replies=True)
    >>> windows = smo.Windows(period=7, horizon=28)
    >>> tables = smo.simulate(world, seed=1).tables
    >>> gains = smo.team_gains(tables, dataset="tricks", windows=windows)
    >>> len(gains), float(gains["gain_held_out"].iloc[0])  # the first team is empty
    (8, 0.0)
    """
    found = contenders(tables, windows=windows)
    accounts = found.rows["account_id"].to_numpy()
    base = found.rows[found.adjustment].to_numpy(float)
    if windows is None:
        splits = account_folds(accounts, rng=seed_for(seed, dataset, "H4"))
    else:
        period = found.rows["period"].to_numpy()
        splits = time_split(period, windows=windows)
        base = np.column_stack([base, trend_and_season(period, splits[0][0], windows)])
    blocks = {name: found.rows[columns].to_numpy(float) for name, columns in found.blocks.items()}
    y = found.rows[found.outcome].to_numpy(float)
    table = pd.DataFrame([{name: name in team for name in blocks} for team in teams(blocks)])
    both = (splits if held else [(train, train) for train, _ in splits] for held in (False, True))
    for name, chosen in zip(GAINS, both, strict=True):
        judged = held_out_losses(y, base, blocks, chosen, np.ones((1, len(y))))
        losses = {team: float(lines[0, 0]) for team, lines in judged.items()}
        table[name] = [losses[frozenset()] - losses[team] for team in teams(blocks)]
    order = table[list(blocks)].sum(axis=1).sort_values(kind="stable").index
    return table.loc[order].reset_index(drop=True)
