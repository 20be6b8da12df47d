"""Cells of few people: what is not shown where the accounts of own data are people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from smo_research.datasets.folder import FEWEST_PEOPLE, IDS
from smo_research.evidence.curve import SpecificationCurve
from smo_research.evidence.ladder import DatasetStudy
from smo_research.evidence.posts import post_rows
from smo_research.evidence.result import NUMBERS, Result
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.tables import Tables

SMALL = f"fewer than {FEWEST_PEOPLE} people, so not shown"
STATED = (
    f"Accounts stand under serial names; what fewer than {FEWEST_PEOPLE} people make up is not "
    "shown, nor what any one of them does to an estimate."
)
# Models of first contacts; the others of H5 are of pairs of the most active accounts.
OF_CONTACTS = ("landmark", "negative control", "naive", "time-varying Cox")
ONE_ACCOUNT = "left out: "
_FEW = re.compile(rf"\b[1-{FEWEST_PEOPLE - 1}] (accounts?|contacts?|people|persons?)\b")
_BLANK = {**dict.fromkeys(NUMBERS, np.nan), "n_obs": 0, "n_accounts": 0, "reason": SMALL}


def without_small_cells(one: DatasetStudy, tables: Tables) -> DatasetStudy:
    """Take out of a study what is about fewer than five people.

    Taken out are estimates from so few accounts; the effect of what so few people's posts carry,
    or all but so few; shares of so few people who wrote for the first time, or that so few of them
    make up; the estimate without a single account. Where somebody studies accounts of their own,
    those may be few, and only the cells of the people who wrote to them are taken out. Data whose
    ids are public stays as it is, and so does every data set of the catalogue.

    Parameters
    ----------
    one
        The study.
    tables
        The tables it was made from.

    Returns
    -------
    DatasetStudy
        With reasons in place of numbers; a result without any number left is untested. Its
        entry's limits say that cells may be missing.
    """
    if one.entry.reader != "own" or one.entry.ids == IDS["public"]:
        return one
    people = one.entry.ids == IDS["people"]
    contacts = _contacts(one, tables)
    terms = _rare_terms(tables.posts) if people else set()
    few_wrote = not contacts.empty and min(_people_by_arm(contacts).values()) < FEWEST_PEOPLE

    def shown(result: Result) -> Result:
        table = result.table
        small = pd.Series(False, index=table.index)
        if people:
            small |= table["n_accounts"].between(1, FEWEST_PEOPLE - 1)
        if result.hypothesis == "H1":
            small |= table["term"].isin(terms)
        if few_wrote:
            small |= table["model"].str.startswith(OF_CONTACTS)
        return _blanked(result, small)

    limits = f"{one.entry.limits} {STATED}"
    return replace(
        one,
        entry=replace(one.entry, limits=limits),
        results=[shown(result) for result in one.results],
        beside=[shown(result) for result in one.beside],
        curves={key: _specifications(curve, people) for key, curve in one.curves.items()},
        curve=_curve(one.curve, contacts),
        attention=_attention(one.attention),
    )


def rows_told(one: DatasetStudy) -> str:
    """The rows of each table in a sentence; so few accounts of people are not counted out."""
    few = one.entry.reader == "own" and one.entry.ids == IDS["people"]
    return ", ".join(
        f"fewer than {FEWEST_PEOPLE} {name}"
        if few and name == "accounts" and count < FEWEST_PEOPLE
        else f"{count:,} {name}"
        for name, count in one.rows.items()
    )


def masked(text: str) -> str:
    """Say "fewer than 5 accounts" where a sentence counts so few.

    Examples
    --------
    >>> masked("3 accounts have an outcome above 0; at least 20 are needed")
    'fewer than 5 accounts have an outcome above 0; at least 20 are needed'
    """
    return _FEW.sub(lambda found: f"fewer than {FEWEST_PEOPLE} {_plural(found[1])}", text)


def _plural(noun: str) -> str:
    return noun if noun == "people" else noun.removesuffix("s") + "s"


def _blanked(result: Result, small: pd.Series) -> Result:
    table = result.table.copy()
    table["reason"] = table["reason"].map(masked)
    for name, value in _BLANK.items():
        table.loc[small, name] = value
    gone = set(table.loc[small, ["model", "block", "term"]].itertuples(index=False, name=None))
    effects = {key: effect for key, effect in result.effects.items() if key not in gone}
    lost = bool(result.effects) and not effects
    return replace(
        result,
        table=table,
        effects=effects,
        joint_p=None if lost else result.joint_p,
        reason=masked(result.reason) or (SMALL if lost else ""),
        notes=tuple(map(masked, result.notes)),
    )


def _specifications(curve: SpecificationCurve, people: bool) -> SpecificationCurve:
    table = curve.table[~curve.table["block"].str.contains(ONE_ACCOUNT, regex=False)]
    table = table.assign(reason=table["reason"].map(masked))
    small = table["n_accounts"].between(1, FEWEST_PEOPLE - 1) & people
    for name, value in _BLANK.items():
        table.loc[small, name] = value
    return replace(curve, table=table, left_out=None)


def _rare_terms(posts: pd.DataFrame | None) -> set[str]:
    """Find what the posts of fewer than five people have, or of all but fewer than five."""
    if posts is None:
        return set()
    rows = post_rows(posts).rows
    flags = [name for name in rows if set(rows[name].dropna().unique()) <= {0.0, 1.0}]
    return {
        name
        for name in flags
        for value in (0.0, 1.0)
        if rows.loc[rows[name] == value, "account_id"].nunique() < FEWEST_PEOPLE
    }


def _contacts(one: DatasetStudy, tables: Tables) -> pd.DataFrame:
    if one.curve.empty or tables.interactions is None or one.entry.windows is None:
        return pd.DataFrame()
    contacts = first_contacts(tables.interactions, windows=one.entry.windows)
    return under_study(contacts, tables.interactions, tables.accounts)


def _people_by_arm(contacts: pd.DataFrame) -> dict[bool, int]:
    people = contacts.groupby("answered")["contact_id"].nunique()
    return {arm: int(people.get(arm, 0)) for arm in (True, False)}


def _curve(curve: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Keep the points at which nobody, or at least five people, are back, and are not."""
    if curve.empty:
        return curve
    kept = []
    for answered, rows in curve.groupby("answered"):
        arm = contacts[contacts["answered"] == answered]
        if arm["contact_id"].nunique() < FEWEST_PEOPLE:
            continue
        sound = np.array([_sound(_cells(arm, day)) for day in rows["days"]])
        # What a line ends on is what its title and its label say.
        if sound[-1]:
            kept.append(rows[sound])
    return pd.concat(kept) if kept else curve.iloc[:0]


def _cells(arm: pd.DataFrame, day: float) -> tuple[int, int]:
    back = arm["back_days"] <= day
    people = arm["contact_id"]
    return people[back].nunique(), people[~back].nunique()


def _sound(counts: Iterable[int]) -> bool:
    return all(count == 0 or count >= FEWEST_PEOPLE for count in counts)


def _attention(curve: pd.DataFrame) -> pd.DataFrame:
    """Keep what at least five items make up; an item may be one person's."""
    return curve[curve["n_items"] >= FEWEST_PEOPLE] if len(curve) else curve
