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
from smo_research.evidence.result import NUMBERS, Key, Result
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.tables import Tables

FEW = f"fewer than {FEWEST_PEOPLE}"
SMALL = f"{FEW} people, so not shown"
STATED = (
    f"Accounts stand under serial names; what {FEW} people make up is not "
    "shown, nor what any one of them does to an estimate."
)
ONE_ACCOUNT = "left out: "
# Few rows are of few people.
_FEW = re.compile(
    rf"(?<![\w.,])[1-{FEWEST_PEOPLE - 1}] (account|contact|person|people|row|post|dyad|cluster)s?\b"
)
_SHARE = re.compile(r"\d+[.]\d% of the rows\b")
_BLANK = {**dict.fromkeys(NUMBERS, np.nan), "n_obs": 0, "n_accounts": 0, "reason": SMALL}


def without_small_cells(one: DatasetStudy, tables: Tables) -> DatasetStudy:
    """Take out of a study what is about fewer than five people.

    Taken out are estimates from so few accounts; the effect of what so few people's posts carry,
    or all but so few; shares of so few people who wrote for the first time, or that so few of them
    make up, and what compares them, in every specification; whatever a log says in which so few
    people act; the estimate without a single account. Where somebody studies accounts of their
    own, those may be few, and only the cells of the people who wrote to them are taken out. Data
    whose ids are public stays as it is, and so does every data set of the catalogue.

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
    few_act = _few_act(tables, people)

    def shown(result: Result) -> Result:
        table = result.table
        small = pd.Series(few_act and result.hypothesis != "H1", index=table.index)
        if people:
            small |= table["n_accounts"].between(1, FEWEST_PEOPLE - 1)
        if result.hypothesis == "H1":
            small |= table["term"].isin(terms)
        few = {key for key, number in result.people.items() if number < FEWEST_PEOPLE}
        small |= np.array([key in few for key in _keys(table)], dtype=bool)
        return _blanked(result, small, people)

    limits = f"{one.entry.limits} {STATED}"
    return replace(
        one,
        entry=replace(one.entry, limits=limits),
        results=[shown(result) for result in one.results],
        beside=[shown(result) for result in one.beside],
        curves={key: _specifications(curve, people, few_act) for key, curve in one.curves.items()},
        curve=_curve(one.curve, contacts),
        attention=_of_items(one.attention),
        shared=_of_items(one.shared),
    )


def rows_told(one: DatasetStudy) -> str:
    """The rows of each table in a sentence; so few, which so few people made, are not counted out.

    Of accounts of one's own the accounts, posts and counts are the owner's, the acts others' too.
    """
    others = {IDS["people"]: set(one.rows), IDS["own"]: {"interactions", "edges"}}
    few = others.get(one.entry.ids, set()) if one.entry.reader == "own" else set()
    return ", ".join(
        f"{FEW} {name}" if name in few and count < FEWEST_PEOPLE else f"{count:,} {name}"
        for name, count in one.rows.items()
    )


def masked(text: str) -> str:
    """Say "fewer than 5 accounts" where a sentence counts so few, and of rows no share.

    Examples
    --------
    >>> masked("3 accounts have an outcome above 0; at least 20 are needed")
    'fewer than 5 accounts have an outcome above 0; at least 20 are needed'
    """
    text = _SHARE.sub("too few of the rows", text)
    return _FEW.sub(lambda found: f"{FEW} {_plural(found[1])}", text)


def _plural(noun: str) -> str:
    return "people" if noun in ("person", "people") else f"{noun}s"


def _few_act(tables: Tables, people: bool) -> bool:
    """Whether so few people act in the log; with accounts of one's own, people beside these."""
    if tables.interactions is None:
        return False
    who = set(tables.interactions["source_id"])
    if not people and tables.accounts is not None:
        who -= set(tables.accounts["account_id"])
    return 0 < len(who) < FEWEST_PEOPLE


def _keys(table: pd.DataFrame) -> list[Key]:
    return list(table[["model", "block", "term"]].itertuples(index=False, name=None))


def _blanked(result: Result, small: pd.Series, people: bool) -> Result:
    table = result.table.copy()
    table["reason"] = table["reason"].map(masked)
    for name, value in _BLANK.items():
        table.loc[small, name] = value
    gone = set(_keys(table[small]))
    effects = {key: effect for key, effect in result.effects.items() if key not in gone}
    lost = bool(result.effects) and not effects
    return replace(
        result,
        table=table,
        effects=effects,
        joint_p=None if lost else result.joint_p,
        reason=masked(result.reason) or (SMALL if lost else ""),
        notes=tuple(map(masked, result.notes)),
        left_out=_left_out(result.left_out) if people else result.left_out,
    )


def _left_out(table: pd.DataFrame) -> pd.DataFrame:
    """Say so of small numbers of rows and accounts, that nobody subtracts them."""
    names = [name for name in ("rows", "accounts") if name in table]
    few = {name: table[name].between(1, FEWEST_PEOPLE - 1) for name in names}
    shown = {name: table[name].astype(object).mask(few[name], FEW) for name in names}
    return table.assign(**shown)


def _specifications(curve: SpecificationCurve, people: bool, few_act: bool) -> SpecificationCurve:
    """Take out the specifications of few people; all of them where the deciding one is such."""
    table = curve.table.assign(reason=curve.table["reason"].map(masked))
    small = table["n_accounts"].between(1, FEWEST_PEOPLE - 1) & people
    small |= pd.Series(curve.people, index=table.index, dtype="float") < FEWEST_PEOPLE
    lost = few_act or bool(small.iloc[0])
    for name, value in _BLANK.items():
        table.loc[small | lost, name] = value
    table = table[~table["block"].str.contains(ONE_ACCOUNT, regex=False)]
    if lost:
        return replace(
            curve, table=table, effects=(), people=(), joint=None, left_out=None, reason=SMALL
        )
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


def _curve(curve: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Keep the points at which nobody, or at least five people, are back, and are not."""
    if curve.empty:
        return curve
    kept = []
    for answered, rows in curve.groupby("answered"):
        arm = contacts[contacts["answered"] == answered]
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


def _of_items(table: pd.DataFrame) -> pd.DataFrame:
    """Keep what at least five items make up; an item may be one person's."""
    return table[table["n_items"] >= FEWEST_PEOPLE] if len(table) else table
