"""What the calibration says in short: does each test hold its size, and what does it find?"""

from __future__ import annotations

import math
from importlib import resources

import pandas as pd

from smo_research.simulation.cells import cells
from smo_research.simulation.truth import planted
from smo_research.simulation.worlds import World

NULLS = [
    ("null", "H1", "all tweaks together", "rejects", "H1: no tweak of a post matters"),
    *(
        ("bound-tweaks", "H2", term, "equivalent", f"H2: {term.replace('_', ' ')} at the bound")
        for term in ("hashtag_rate", "link_rate", "media_share", "automated_share")
    ),
    ("null", "H3", "answering", "rejects", "H3: answering does nothing"),
    ("bound-answering", "H3", "answering", "equivalent", "H3: answering at the bound"),
    (
        *("bound-answering", "H4", "conversation minus tweaks", "rejects"),
        "H4: both contribute the same",
    ),
    (
        *("equal-strong", "H4", "conversation minus tweaks", "rejects"),
        "H4: both contribute the same, and much",
    ),
    ("null", "H5", "answered", "rejects", "H5: being answered does nothing"),
    ("bound-tweaks", "H5", "answered", "equivalent", "H5: being answered at the bound"),
    ("bound-tweaks", "H6", "A and B", "equivalent", "H6: A at the bound, B none"),
    ("bound-tweaks", "H6 A", "post_volume", "equivalent", "H6, A alone: at the bound"),
    ("bound-tweaks", "H6 B", "volume_times_replies", "rejects", "H6, B alone: none"),
    ("null", "H7", "past_answering", "rejects", "H7: past answering does nothing"),
    ("bound-past", "H7", "past_answering", "equivalent", "H7: past answering at the bound"),
    ("null-100", "H3", "answering", "rejects", "H3, 100 accounts"),
    ("null-100", "H5", "answered", "rejects", "H5, 100 accounts"),
    ("null-100", "H7", "past_answering", "rejects", "H7, 100 accounts"),
    ("equal-strong-100", "H4", "conversation minus tweaks", "rejects", "H4, 100 accounts"),
    ("null-30", "H1", "all tweaks together", "rejects", "H1, 30 accounts"),
    ("null-30", "H3", "answering", "rejects", "H3, 30 accounts"),
    ("null-30-followers", "H3 followers", "reply_share", "rejects", "H3, followers of 30 accounts"),
    ("large-null", "H3", "answering", "rejects", "H3, as large as mathoverflow"),
    ("large-null", "H5", "answered", "rejects", "H5, as large as mathoverflow"),
    ("large-null", "H7", "past_answering", "rejects", "H7, as large as mathoverflow"),
]
FINDS = [
    ("talk", "H3", "answering", "H3: answering", "per +0.25"),
    ("talk", "H5", "answered", "H5: answered", "if answered"),
    ("tricks", "H1", "all tweaks together", "H1: tweaks of a post", "per flag"),
    ("tricks", "H2", "link_rate", "H2: links", "per +0.25"),
]
ACCOUNTS = 500
ALLOWED, FEW_ALLOWED, FEW = (0.035, 0.065), 0.075, 300


def sizes(table: pd.DataFrame) -> pd.DataFrame:
    """How often each test rejects a null that holds.

    Parameters
    ----------
    table
        As `summarise` returns it.

    Returns
    -------
    pandas.DataFrame
        One row a test: label, hypothesis, cell, accounts, worlds, rate with its 95 % interval
        low and high, and whether the interval can be one of a test that rejects in 3.5 to 6.5 %
        of worlds (under 300 accounts, in at most 7.5 %): yes, no, or "fewer" for a test that
        rejects less often than it may.
    """
    accounts_of = {cell.name: cell.world.accounts for cell in cells()}
    rows = []
    for cell, test, term, kind, label in NULLS:
        found = table[(table["cell"] == cell) & (table["test"] == test) & (table["term"] == term)]
        if found.empty or pd.isna(found[kind].iloc[0]):
            continue
        one = found.iloc[0]
        accounts = accounts_of[cell]
        rows.append(
            {
                "label": label,
                "hypothesis": test[:2],
                "cell": cell,
                "accounts": accounts,
                "worlds": int(one["worlds"] - one["not_run"]),
                "rate": one[kind],
                "low": one[f"{kind}_low"],
                "high": one[f"{kind}_high"],
                "holds": _holds(one[f"{kind}_low"], one[f"{kind}_high"], accounts),
            }
        )
    return pd.DataFrame(rows)


def _holds(low: float, high: float, accounts: int) -> str:
    most = ALLOWED[1] if accounts >= FEW else FEW_ALLOWED
    if low > most:
        return "no"
    return "fewer" if high < ALLOWED[0] else "yes"


def false_positives(table: pd.DataFrame) -> dict[str, str]:
    """Say by hypothesis how often its test found in simulated worlds what was not there.

    Parameters
    ----------
    table
        As `summarise` returns it.

    Returns
    -------
    dict
        Hypothesis to a sentence; where several nulls were tried, the worst of those with the
        most accounts of a small study (500) counts.
    """
    found = sizes(table)
    found = found[found["accounts"] == ACCOUNTS]
    said = {}
    for name, mine in found.groupby("hypothesis"):
        worst = mine.loc[mine["rate"].idxmax()]
        said[str(name)] = (
            f"In {worst['worlds']:,} simulated worlds in which its null holds, this test rejected "
            f"it in {_percent(worst['rate'], 1)} (a 5 % test)."
        )
    talent = table[(table["cell"] == "talent") & (table["test"] == "H3")]
    if len(talent) and "H3" in said:
        one = talent.iloc[0]
        said["H3"] += (
            f" Where an unseen talent raises both answering and growth, it found an effect that "
            f"is not there in {_percent(one['rejects'])} of {one['worlds']} worlds "
            f"[{_percent(one['rejects_low'])}, {_percent(one['rejects_high'])}]."
        )
    return said


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def powers(table: pd.DataFrame) -> pd.DataFrame:
    """How often each test finds an effect that is there, by number of accounts.

    Parameters
    ----------
    table
        As `summarise` returns it.

    Returns
    -------
    pandas.DataFrame
        label, hypothesis, accounts, worlds, rate, low and high.
    """
    worlds = {cell.name: cell.world for cell in cells()}
    rows = []
    for kind, test, term, label, per in FINDS:
        mine = table[(table["test"] == test) & (table["term"] == term)]
        mine = mine[mine["cell"].isin(worlds) & mine["cell"].str.fullmatch(rf"{kind}-\d+")]
        rows += [
            {
                "label": f"{label}, ratio {_planted(worlds[one.cell], test, term):.2f} {per}",
                "hypothesis": test,
                "accounts": worlds[one.cell].accounts,
                "worlds": one.worlds,
                "rate": one.rejects,
                "low": one.rejects_low,
                "high": one.rejects_high,
            }
            for one in mine.itertuples()
        ]
    return pd.DataFrame(rows)


def _planted(world: World, hypothesis: str, term: str) -> float:
    """The planted ratio of a term; that of H1 is the same for each flag."""
    known = planted(world)
    mine = known[(known["hypothesis"] == hypothesis) & known["term"].isin([term, "each flag"])]
    return math.exp(mine["effect"].iloc[0])


def calibrated() -> pd.DataFrame:
    """The calibration of this version, as `smo calibrate` wrote it.

    Returns
    -------
    pandas.DataFrame
        As `summarise` returns it.

    Examples
    --------
    >>> bool((calibrated().query("cell == 'null' and test == 'H3'").rejects < 0.1).all())
    True
    """
    file = resources.files("smo_research.simulation").joinpath("calibration.csv")
    with file.open(encoding="utf-8") as text:
        # A cell is called "null", which would be read as missing.
        return pd.read_csv(text, keep_default_na=False, na_values=[""])
