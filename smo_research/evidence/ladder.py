"""One data set, from its tables to its results: what can be asked of it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd

from smo_research.datasets.catalog import Dataset
from smo_research.evidence.attention import attention_curve, carries_over
from smo_research.evidence.channels import describe_channels
from smo_research.evidence.comeback import return_curve_table
from smo_research.evidence.count_contest import count_contest
from smo_research.evidence.crosssection import snapshot, snapshot_growth
from smo_research.evidence.curve import SpecificationCurve
from smo_research.evidence.dyads import dyadic_return
from smo_research.evidence.effects import Estimate
from smo_research.evidence.few import DRAWS, QUICK_DRAWS
from smo_research.evidence.followers import follower_growth
from smo_research.evidence.head_to_head import across_accounts, compete, over_time
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.posts import post_engagement
from smo_research.evidence.presence import presence_alone, presence_counts
from smo_research.evidence.result import Result
from smo_research.evidence.return_models import return_models
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.evidence.scrutiny import curves_of
from smo_research.evidence.splits import DRAWS as CONTEST_DRAWS
from smo_research.evidence.verdicts import deciding
from smo_research.measures.panel import follower_panel, panel
from smo_research.tables import TableName, Tables

LASTING = ("H2", "H3", "H7")
SEED = 1
PERMUTATIONS, QUICK_PERMUTATIONS = 1_000, 200


@dataclass(frozen=True, eq=False)
class DatasetStudy:
    """What one data set said.

    `results` has one a testable hypothesis, `beside` what describes and decides nothing,
    `curves` the specification curve of each effect that decides, `curve` the share of those back.
    """

    entry: Dataset
    results: list[Result]
    beside: list[Result]
    curves: dict[tuple[str, str, str], SpecificationCurve]
    curve: pd.DataFrame
    attention: pd.DataFrame
    shared: pd.DataFrame
    rows: dict[str, int]
    hashes: dict[str, str]


def study_dataset(
    entry: Dataset, tables: Tables, *, hashes: dict[str, str], quick: bool = False
) -> DatasetStudy:
    """Turn the tables of one data set into results: tables, panel, evidence.

    Parameters
    ----------
    entry
        Its windows and the hypotheses that it can test.
    tables
        Its canonical tables.
    hashes
        File name to sha256 of its raw files.
    quick
        Fewer draws of every kind.
    """
    draws = QUICK_DRAWS if quick else DRAWS
    curve = attention = shared = pd.DataFrame()
    asked = set(entry.testable)
    about: dict[str, Any] = {"dataset": entry.name, "data_hashes": hashes}
    results: list[Result] = []
    beside: list[Result] = []
    curves: dict[tuple[str, str, str], SpecificationCurve] = {}
    if "H1" in asked and tables.posts is not None:
        results.append(post_engagement(tables.posts, **about, draws=draws))
    if tables.interactions is not None and entry.windows is not None:
        found, curve = _from_interactions(tables, entry, about, draws=draws)
        results += found
        if found:
            log, windows = tables.interactions, entry.windows
            curves = curves_of(
                log,
                found,
                posts=tables.posts,
                accounts=tables.accounts,
                windows=windows,
                quick=quick,
                **about,
            )
            permutations = QUICK_PERMUTATIONS if quick else PERMUTATIONS
            beside = [dyadic_return(log, n_permutations=permutations, seed=SEED, **about)]
    elif tables.followers is not None and entry.windows is not None:
        results += _from_followers(tables, entry, about, draws=draws)
    elif tables.followers is not None and asked & {"H2", "H3", "H4"}:
        results += _from_snapshot(tables, about, draws=draws)
    if tables.counters is not None:
        attention = attention_curve(tables.counters).assign(dataset=entry.name)
        shared = carries_over(tables.counters).assign(dataset=entry.name)
    counts = {
        name: len(table)
        for name in get_args(TableName)
        if (table := getattr(tables, name)) is not None
    }
    return DatasetStudy(entry, results, beside, curves, curve, attention, shared, counts, hashes)


def _from_interactions(
    tables: Tables, entry: Dataset, about: dict[str, Any], *, draws: int
) -> tuple[list[Result], pd.DataFrame]:
    """A log of acts: the panel for what predicts growth, first contacts for who comes back."""
    log, windows = tables.interactions, entry.windows
    results: list[Result] = []
    curve = pd.DataFrame()
    if log is None or windows is None:
        return results, curve
    if set(entry.testable) & {*LASTING, "H4", "H6"}:
        rows = under_study(panel(log, tables.posts, windows=windows), log, tables.accounts)
        asked = [name for name in LASTING if name in entry.testable]
        results += [lasting_growth(rows, name, windows=windows, **about) for name in asked]
        if "H4" in entry.testable:
            answering = _answering(results)
            options: dict[str, Any] = {"draws": min(draws, CONTEST_DRAWS), **about}
            results.append(count_contest(rows, windows=windows, answering=answering, **options))
        if "H6" in entry.testable:
            results.append(presence_counts(rows, windows=windows, **about))
    if "H5" in entry.testable:
        contacts = under_study(first_contacts(log, windows=windows), log, tables.accounts)
        results.append(return_models(log, windows=windows, contacts=contacts, **about))
        curve = return_curve_table(contacts, windows=windows, dataset=entry.name)
    return results, curve


def _from_followers(
    tables: Tables, entry: Dataset, about: dict[str, Any], *, draws: int
) -> list[Result]:
    """Counts of followers over time: growth that lasts; described only where chosen on growth."""
    windows = entry.windows
    if (
        windows is None
        or tables.followers is None
        or (entry.reader == "own" and not entry.testable)
    ):
        return []
    rows = follower_panel(tables.followers, tables.posts, windows=windows)
    if not entry.testable:
        if tables.accounts is None or "sample" not in tables.accounts:
            return []
        return describe_channels(rows, tables.accounts, untestable=entry.untestable, **about)
    asked = [name for name in LASTING if name in entry.testable]
    options: dict[str, Any] = {"windows": windows, "draws": draws}
    results = [follower_growth(rows, name, **options, **about) for name in asked]
    if "H6" in entry.testable:
        results.append(presence_alone(rows, **options, **about))
    if "H4" in entry.testable:
        contest = {"draws": min(draws, CONTEST_DRAWS), "answering": _answering(results)}
        results.append(compete(over_time(rows), windows=windows, **contest, **about))
    return results


def _from_snapshot(tables: Tables, about: dict[str, Any], *, draws: int) -> list[Result]:
    """One snapshot of accounts: across accounts only."""
    rows = snapshot(tables)
    results = [snapshot_growth(rows, name, **about) for name in ("H2", "H3")]
    contest = {"draws": min(draws, CONTEST_DRAWS), "answering": _answering(results)}
    return [*results, compete(across_accounts(rows), **contest, **about)]


def _answering(results: list[Result]) -> Estimate | None:
    """The effect that decides H3, which H4 asks for."""
    own = [deciding(result)[1] for result in results if result.hypothesis == "H3"]
    return next(iter(own[0].values()), None) if own else None
