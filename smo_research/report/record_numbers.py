"""The numbers of each figure of record: what is drawn, and nothing else."""

from __future__ import annotations

import pandas as pd

from smo_research.datasets.catalog import dataset, testability
from smo_research.errors import DataError
from smo_research.evidence.contributions import NORMAL
from smo_research.evidence.count_contest import contributions
from smo_research.evidence.horizons import across_windows
from smo_research.evidence.ladder import SEED
from smo_research.measures.panel import panel
from smo_research.report.album import Sources
from smo_research.simulation.marginals import ACTIVITY, marginals
from smo_research.simulation.scenarios import scenario
from smo_research.simulation.simulated import simulate
from smo_research.simulation.sizes import calibrated, powers, sizes
from smo_research.tables import Windows

FEWEST_PEOPLE = 5
# Large enough to be asked in many ways.
LARGEST = "mathoverflow"
FOLLOWED = (LARGEST, "collegemsg")
ATTENTION = "news-attention"
# The scenario that is meant to look like a real log, and that log last.
ALIKE = "like-collegemsg"
SIZES, POWERS = "null that holds", "effect that is there"
_EFFECT = ["estimate", "ci_low", "ci_high", "unit"]
_ROW = ["hypothesis", "dataset", "model", "block", "term"]
_NAIVE = "naive"


def verdict_numbers(sources: Sources) -> pd.DataFrame:
    """Each verdict that was tried for, with the effect that decides."""
    rows = _declared(sources.study.verdicts)
    # In full it is as long as the rest of the line; the caption has it.
    unit = rows["unit"].str.replace("ln(1 + followers a day)", "ln", regex=False)
    columns = [*_ROW, *_EFFECT, "p_holm", "verdict", "grade", "reason"]
    return rows.assign(unit=unit).loc[rows["testable"], columns]


def testability_numbers(sources: Sources) -> pd.DataFrame:
    """Every pair of hypothesis and data set, tested or not, and why not."""
    rows = _declared(sources.study.verdicts)
    columns = ["hypothesis", "dataset", "testable", "verdict", "grade", "estimate", "unit"]
    return rows[[*columns, "reason"]]


def _declared(verdicts: pd.DataFrame) -> pd.DataFrame:
    pair = ["hypothesis", "dataset"]
    known = testability()[[*pair, "testable"]]
    return verdicts.merge(known, on=pair, how="left", validate="one_to_one")


def return_curve_numbers(sources: Sources) -> pd.DataFrame:
    """Shares of first contacts who are back, where they are none or at least five people."""
    rows = _followed(sources.study.curves)
    people = (rows["back"] * rows["n_contacts"]).round()
    return rows[(people == 0) | (people >= FEWEST_PEOPLE)]


def coding_numbers(sources: Sources) -> pd.DataFrame:
    """The naive codings of H5, its landmark and its negative control."""
    rows = _followed(sources.study.evidence)
    whole = rows["model"].isin(["landmark", "negative control"]) & (rows["block"] == "total")
    chosen = (rows["hypothesis"] == "H5") & (rows["model"].str.startswith(_NAIVE) | whole)
    return rows.loc[chosen, [*_ROW, *_EFFECT, "n_obs", "reason"]]


def contest_numbers(sources: Sources) -> pd.DataFrame:
    """The contests that decide H4, and the one of counts that describes."""
    evidence = sources.study.evidence
    decides = evidence[(evidence["model"] == "contest") & evidence["estimate"].notna()]
    log, windows = _log(sources, LARGEST)
    sources.tell(f"{LARGEST}: the contest, described")
    rows = panel(log, windows=windows)
    described = contributions(rows, windows=windows, dataset=LARGEST, seed=SEED).table
    return pd.concat([decides, described])[[*_ROW, *_EFFECT, "n_obs"]]


def specification_numbers(sources: Sources, *, hypothesis: str) -> pd.DataFrame:
    """Every specification of an effect; whom one leaves out is not said."""
    table = sources.study.specifications
    rows = table[(table["hypothesis"] == hypothesis) & (table["dataset"] == LARGEST)]
    block = rows["block"].str.replace(r"account \S+$", "one account", regex=True)
    columns = ["hypothesis", "dataset", "block", "term", "estimate", "std_error", "ci_low"]
    columns += ["ci_high", "p_value", "unit", "n_obs", "n_accounts", "reason"]
    return rows.assign(block=block)[columns]


def horizon_numbers(sources: Sources) -> pd.DataFrame:
    """What decides on H3 and H5, under half and double the gap and horizon too."""
    log, windows = _log(sources, LARGEST)
    gap, horizon = windows.gap or 0, windows.horizon
    sources.tell(f"{LARGEST}: other gaps and horizons")
    found = [
        across_windows(
            log,
            hypothesis,
            windows=windows,
            gaps=[gap // 2, gap, 2 * gap],
            horizons=[horizon // 2, horizon, 2 * horizon],
            dataset=LARGEST,
        )
        for hypothesis in ("H3", "H5")
    ]
    columns = [*_ROW, "period", "gap", "horizon", *_EFFECT, "n_obs", "n_accounts", "reason"]
    return pd.concat(found)[columns]


def attention_numbers(sources: Sources) -> pd.DataFrame:
    """The curve of attention, and the interval of its mean over items."""
    counters = sources.tables(ATTENTION).counters
    if counters is None:
        raise DataError(f"{ATTENTION} has no counters to draw a curve of.")
    errors = []
    for platform, rows in counters.groupby("platform", sort=False):
        counts = rows.pivot(index="item_id", columns="hours_since", values="count")
        counts = counts.astype("float64").dropna()
        final = counts.iloc[:, -1]
        error = counts[final > 0].div(final[final > 0], axis=0).sem().rename("error")
        errors.append(error.reset_index().assign(platform=platform))
    curve = sources.study.attention
    curve = curve[curve["dataset"] == ATTENTION]
    found = curve.merge(pd.concat(errors), on=["platform", "hours_since"], validate="one_to_one")
    reach = NORMAL * found["error"]
    ends = {"ci_low": found["mean"] - reach, "ci_high": found["mean"] + reach}
    return found.assign(**ends)[["platform", "hours_since", "mean", *ends, "n_items"]]


def calibration_numbers(sources: Sources) -> pd.DataFrame:
    """How often each test was wrong, and found what is there, as the committed calibration says."""
    table = calibrated()
    wrong, found = sizes(table).drop(columns="cell"), powers(table)
    return pd.concat([wrong.assign(worlds_of=SIZES), found.assign(worlds_of=POWERS)])[
        ["worlds_of", "label", "hypothesis", "accounts", "worlds", "rate", "low", "high", "holds"]
    ]


def marginal_numbers(sources: Sources) -> pd.DataFrame:
    """What the logs of `FOLLOWED` and a simulated one look like, where five accounts or more do."""
    logs = {name: _log(sources, name)[0] for name in FOLLOWED}
    sources.tell(f"{ALIKE}: a simulated log")
    logs["simulated"] = simulate(scenario(ALIKE), seed=SEED).interactions
    return pd.concat([_of_many(log, name) for name, log in logs.items()])


def _of_many(log: pd.DataFrame, name: str) -> pd.DataFrame:
    """The marginals of a log without the shares that one to four accounts make up."""
    rows = marginals(log, log=name)
    accounts = log.loc[log["source_id"] != log["target_id"], "source_id"].nunique()
    few = (rows["measure"] == ACTIVITY) & (rows["y"] * accounts < FEWEST_PEOPLE - 0.5)
    return rows[~few]


def _log(sources: Sources, name: str) -> tuple[pd.DataFrame, Windows]:
    log, windows = sources.tables(name).interactions, dataset(name).windows
    if log is None or windows is None:
        raise DataError(f"{name} has no log of acts with windows to ask of it.")
    return log, windows


def _followed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the data sets whose first contacts are shown, the larger first."""
    return pd.concat([table[table["dataset"] == name] for name in FOLLOWED], ignore_index=True)
