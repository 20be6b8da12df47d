"""Other ways of asking whether people who are answered come back: what is varied, how fitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, product

import numpy as np
import pandas as pd

from smo_research.errors import FitError
from smo_research.evidence.absorbed import Absorbed, absorbed_poisson
from smo_research.evidence.alternatives import Contacts
from smo_research.evidence.hypotheses import rule
from smo_research.evidence.returning import fewest_people, landmark_days
from smo_research.evidence.samples import hardly_varies, too_little
from smo_research.evidence.tried import LeftOut, Tried, days, step_of
from smo_research.tables import Windows

TERM = "answered"
FEWEST = (2, 5)
# In landmarks: whoever was answered later counts as not answered.
ANSWERED_WITHIN = (1.0, 0.5, 2.0)
WHO = ("all", "acted before", "new")


@dataclass(frozen=True)
class ReturnSpecification:
    """One way of asking whether the answered come back; the defaults are what decides.

    Attributes
    ----------
    windows
        gap and horizon of the contacts; with the gap the landmark goes.
    within
        How long an account has to answer, in landmarks; when a contact may be back stays.
    who
        Contacts: "all", who "acted before" in the 28 days up to the contact, or who did not
        and so are "new".
    fewest
        Contacts that an account has at least.
    activity
        Whether the recent acts of both are held.
    another_post
        Whether to be back takes another post, where posts are known.
    without
        An account that is left out.
    """

    windows: Windows
    within: float = 1.0
    who: str = "all"
    fewest: int = 2
    activity: bool = True
    another_post: bool = False
    without: str = ""

    def choices(self) -> dict[str, str]:
        """What was chosen, in plain words."""
        said = {
            "gap": days(self.windows.gap or 0),
            "horizon": days(self.windows.horizon),
            "answered within": days(landmark_days(self.windows) * self.within),
            "contacts": self.who,
            "contacts each account has": f"at least {self.fewest}",
            "activity": "held" if self.activity else "not held",
            "back": "on another post" if self.another_post else "anywhere",
        }
        return said | ({"left out": f"account {self.without}"} if self.without else {})


def return_specifications(contacts: Contacts) -> tuple[ReturnSpecification, ...]:
    """List the specifications of H5, the deciding one first: all combinations of the choices.

    Parameters
    ----------
    contacts
        As `alternative_contacts` returns them.
    """
    crossed = product(ANSWERED_WITHIN, WHO, FEWEST, (True, False))
    return tuple(
        ReturnSpecification(windows, *choice, another)
        for choice in crossed
        for windows, another in contacts.rows
        # An answer may come no later than a contact may be back.
        if choice[0] * landmark_days(windows) <= landmark_days(windows) + (windows.gap or 0)
    )


def try_return_specifications(
    contacts: Contacts, asked: Iterable[ReturnSpecification]
) -> list[Tried]:
    """Fit specifications of H5; one that cannot be fitted says why.

    Poisson regression of `returned` on answered with an effect per account, errors clustered by
    account and by contact, as `return_when_answered` fits it.

    Parameters
    ----------
    contacts
        As `alternative_contacts` returns them.
    asked
        Specifications.

    Returns
    -------
    list of Tried
        In the order asked. Scores are by account, their spread by account and by contact.
    """
    asked = list(asked)
    done: dict[ReturnSpecification, Tried] = {}
    for _, alike in groupby(sorted(asked, key=_same_rows), key=_same_rows):
        for one, tried in _try_all(contacts, list(alike)):
            done[one] = tried
    return [done[one] for one in asked]


def leave_one_return_out(
    contacts: Contacts, one: ReturnSpecification
) -> tuple[LeftOut, ReturnSpecification]:
    """Find the account whose removal moves an estimate most, and the specification without it.

    Raises
    ------
    FitError
        When the specification itself cannot be fitted.
    """
    rows = _rows(contacts, one)
    fit = _null(rows, one).with_column(_answered(rows, one))
    numbers, places = np.unique(rows["account_id"].to_numpy(), return_inverse=True)
    estimates = fit.without_each(-1, places)
    most = str(contacts.accounts[numbers[np.abs(estimates - fit.coefficients[-1]).argmax()]])
    found = LeftOut(most, float(estimates.min()), float(estimates.max()))
    return found, replace(one, without=most)


def _same_rows(one: ReturnSpecification) -> tuple:
    windows = one.windows
    lengths = (windows.gap, windows.horizon, one.another_post)
    return (*lengths, one.who, one.fewest, one.activity, one.without)


def _rows(contacts: Contacts, one: ReturnSpecification) -> pd.DataFrame:
    rows = contacts.rows[one.windows, one.another_post]
    if isinstance(rows, str):
        raise FitError(rows)
    if one.who != "all":
        rows = rows[(rows["log_acts_j"] > 0) == (one.who == "acted before")]
    if one.without:
        rows = rows[rows["account_id"] != contacts.accounts.get_loc(one.without)]
    account = rows["account_id"].to_numpy()
    size = len(contacts.accounts)
    back = np.bincount(account, rows["returned"], minlength=size)
    enough = (back > 0) & (np.bincount(account, minlength=size) >= one.fewest)
    rows = rows[enough[account]]
    if reason := too_little(rows, "returned"):
        raise FitError(reason)
    return rows


def _answered(rows: pd.DataFrame, one: ReturnSpecification) -> np.ndarray:
    hours = 24 * landmark_days(one.windows) * one.within
    return (rows["answer_delay_hours"] <= hours).to_numpy(float)


def _null(rows: pd.DataFrame, one: ReturnSpecification) -> Absorbed:
    held = ["log_acts_j", "log_acts_i"] if one.activity else []
    account = np.unique(rows["account_id"].to_numpy(), return_inverse=True)[1]
    return absorbed_poisson(rows["returned"].to_numpy(float), rows[held].to_numpy(float), account)


def _try_all(
    contacts: Contacts, asked: list[ReturnSpecification]
) -> Iterator[tuple[ReturnSpecification, Tried]]:
    try:
        rows = _rows(contacts, asked[0])
        null = _null(rows, asked[0])
    except FitError as error:
        yield from ((one, _failed(one, error)) for one in asked)
        return
    clusters = [rows[name].to_numpy() for name in ("account_id", "contact_id")]
    for one in asked:
        answered = _answered(rows, one)
        varies = pd.DataFrame({"account_id": clusters[0], TERM: answered})
        try:
            if reason := hardly_varies(varies, TERM, fewest_accounts=rule().fewest_accounts):
                raise FitError(reason)
            scores = null.partial(answered) * null.residuals
            by_account, by_contact = (np.bincount(one, scores) for one in clusters)
            effect = null.with_column(answered).effect(-1, *clusters, step=step_of(TERM))
        except FitError as error:
            yield one, _failed(one, error)
            continue
        yield (
            one,
            Tried(
                one.choices(),
                "landmark",
                TERM,
                effect,
                n_obs=len(rows),
                n_accounts=rows["account_id"].nunique(),
                n_people=fewest_people(rows["contact_id"], answered, rows["returned"]),
                scores=_padded(by_account, len(contacts.accounts)),
                spread=_two_way(by_account, by_contact, scores),
            ),
        )


def _padded(scores: np.ndarray, size: int) -> np.ndarray:
    return np.pad(scores, (0, size - len(scores)))


def _two_way(by_account: np.ndarray, by_contact: np.ndarray, each: np.ndarray) -> float:
    """Standard error of a sum of scores clustered both ways; each row is a pair of its own."""
    power = (by_account**2).sum() + (by_contact**2).sum() - (each**2).sum()
    return float(np.sqrt(max(power, 0.0)))


def _failed(one: ReturnSpecification, error: FitError) -> Tried:
    return Tried(one.choices(), "landmark", TERM, reason=str(error))
