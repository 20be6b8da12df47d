"""How many accounts and periods would be needed to see an effect in data like one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import nnls

from smo_research.errors import DataError
from smo_research.evidence.hypotheses import hypotheses, rule
from smo_research.evidence.lasting import lasting_growth
from smo_research.tables import Windows

SPANS = (0.5, 0.75, 1.0)
COLUMNS = ["accounts", "periods", "days", "std_error", "power", "enough"]


def plan(
    panel: pd.DataFrame,
    hypothesis: str,
    *,
    windows: Windows,
    ratio: float,
    term: str | None = None,
    accounts: Sequence[int] = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400),
    periods: Sequence[int] = (13, 26, 52),
    target: float = 0.8,
) -> pd.DataFrame:
    """Say what power accounts and periods like those of a panel would give.

    The standard error of the model that decides is taken from the panel: from its first half,
    three quarters and all of its periods one learns what part of its square falls with the
    number of periods (b) and what part only with the number of accounts (a), and then
    std_error^2 = (a + b / periods) / accounts. New accounts are taken to be like those there.

    Parameters
    ----------
    panel
        Of one's own data, or of a smaller study, as `smo_research.panel` returns it.
    hypothesis
        "H2", "H3" or "H7".
    windows
        Those of the panel.
    ratio
        The smallest rate ratio per stated contrast that should be found, above 0 and not 1.
    term
        Which term; by default the hypothesis's first that can be tested.
    accounts, periods
        How many; a period here is one whose outcome is known, so that the log has to go on for
        two periods and the horizon after the last.
    target
        Power that is enough, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        One row a number of accounts and of periods: accounts, periods, days (how long the log
        has to be), std_error (ln ratio per contrast), power (of the two-sided 5 % test), enough.

    Raises
    ------
    DataError
        When the ratio is not a ratio, or the panel is too small to learn from.

    References
    ----------
    Power of a t test from its standard error: Cohen (1988), Statistical Power Analysis for the
    Behavioral Sciences, chapter 2.

    Examples
    --------
    >>> import smo_research as smo
    >>> village = smo.scenario("conversation").turned(accounts=60, periods=20, turns=0.3)
    >>> world = smo.simulate(village, seed=1)
    >>> rows = smo.panel(world.interactions, windows=village.windows)
    >>> rows = rows[rows["account_id"].isin(world.accounts["account_id"])]
    >>> planned = smo.plan(rows, "H3", windows=village.windows, ratio=1.2, accounts=[20, 500])
    >>> planned.groupby("accounts")["enough"].any().to_dict()
    {20: False, 500: True}
    """
    if not (ratio > 0 and math.isfinite(ratio) and ratio != 1):
        raise DataError(f"ratio must be a number above 0 other than 1, but is {ratio!r}.")
    known = _errors(panel, hypothesis, windows, term)
    design = np.column_stack([np.ones(len(known)), 1 / known["periods"]])
    (a, b), _ = nnls(design, (known["std_error"] ** 2 * known["accounts"]).to_numpy())
    grid = pd.MultiIndex.from_product([accounts, periods], names=["accounts", "periods"])
    rows = grid.to_frame(index=False)
    rows["days"] = (rows["periods"] + 2) * windows.period + windows.horizon
    rows["std_error"] = np.sqrt((a + b / rows["periods"]) / rows["accounts"])
    rows["power"] = power_of(math.log(ratio), rows["std_error"], rows["accounts"] - 1)
    return rows.assign(enough=rows["power"] >= target)[COLUMNS]


def power_of(effect: float, std_error: pd.Series, df: pd.Series) -> pd.Series:
    """Probability that a two-sided 5 % t test finds an effect.

    Examples
    --------
    >>> power_of(2.8, pd.Series([1.0]), pd.Series([1_000])).round(2).tolist()
    [0.8]
    """
    critical = stats.t.ppf(1 - rule().level / 2, df)
    far = abs(effect) / std_error
    return pd.Series(
        stats.t.sf(critical - far, df) + stats.t.cdf(-critical - far, df), index=std_error.index
    )


def needed(planned: pd.DataFrame) -> pd.DataFrame:
    """The fewest accounts that are enough, by number of periods; missing where none are.

    Parameters
    ----------
    planned
        As `plan` returns it.

    Examples
    --------
    >>> planned = pd.DataFrame({"accounts": [50, 100, 200], "periods": 13})
    >>> needed(planned.assign(enough=[False, True, True])).values.tolist()
    [[13, 100]]
    """
    fewest = planned[planned["enough"]].groupby("periods")["accounts"].min()
    return fewest.reindex(planned["periods"].unique()).rename("accounts").reset_index()


def _errors(
    panel: pd.DataFrame, hypothesis: str, windows: Windows, term: str | None
) -> pd.DataFrame:
    """Standard errors of the deciding model on growing spans of the panel."""
    wanted = [term] if term else list(hypotheses()[hypothesis].terms)
    first, last = panel["period"].min(), panel["period"].max()
    found = []
    for share in SPANS:
        ends = first + math.ceil((last - first + 1) * share)
        rows = panel[panel["period"] < ends]
        result = lasting_growth(
            rows, hypothesis, windows=windows, dataset="pilot", only=[("between", "total")]
        )
        lines = result.table[result.table["term"].isin(wanted) & result.table["std_error"].notna()]
        if len(lines):
            one = lines.iloc[0]
            found.append(
                {
                    "periods": ends - first,
                    "accounts": one["n_accounts"],
                    "std_error": one["std_error"],
                }
            )
        why = result.reason
    if not found:
        raise DataError(f"The panel is too small to plan from: {why or 'nothing was fitted'}.")
    return pd.DataFrame(found)
