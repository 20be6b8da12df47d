"""What canonical tables can test, told from their columns alone."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from smo_research.tables import Tables

RESPONSE = ("reactions", "replies", "shares")
TWEAKS = (
    *("post_type", "hashtags", "links", "has_media", "is_paid", "is_automated", "title_words"),
)
NO_AUDIENCE = "It has no log of acts, and no counts of followers beside posts."
NO_ACTS = "It has no log of who acted toward whom, and when."
OUTWARD_ONLY = (
    "Its log has no act toward an account under study, so it does not tell who their audience is, "
    "who was answered and who came back."
)


def can_test(tables: Tables) -> tuple[tuple[str, ...], dict[str, str]]:
    """Say which hypotheses tables can test, and why not the others.

    Parameters
    ----------
    tables
        Canonical tables.

    Returns
    -------
    tuple
        The hypotheses, and for each of the others the reason, in a sentence.

    Examples
    --------
    >>> can_test(Tables("nothing"))[0]
    ()
    """
    posts = tables.posts
    logged = tables.interactions is not None
    acts = logged and not _outward_only(tables)
    audience = acts or (tables.followers is not None and posts is not None)
    without = OUTWARD_ONLY if logged else NO_AUDIENCE
    tweaks = _varying(posts, TWEAKS)
    reasons = {
        "H1": _no_engagement(posts, tweaks),
        "H2": "" if audience else without,
        "H3": _no_answers(posts, acts) if audience else without,
        "H4": without if not audience else _no_contest(tweaks),
        "H5": "" if acts else OUTWARD_ONLY if logged else NO_ACTS,
        "H6": without if not audience else _no_volume(posts),
        "H7": _no_answers(posts, acts) if audience else without,
    }
    return (
        tuple(name for name, reason in reasons.items() if not reason),
        {name: reason for name, reason in reasons.items() if reason},
    )


def _outward_only(tables: Tables) -> bool:
    """Tell whether nobody acts toward the accounts under study, as in an archive of one's own."""
    acts, accounts = tables.interactions, tables.accounts
    if acts is None or accounts is None:
        return False
    return not acts["target_id"].isin(accounts["account_id"]).any()


def _varying(posts: pd.DataFrame | None, columns: Sequence[str]) -> list[str]:
    if posts is None:
        return []
    return [name for name in columns if name in posts and posts[name].nunique() > 1]


def _no_engagement(posts: pd.DataFrame | None, tweaks: list[str]) -> str:
    if posts is None:
        return "It has no posts and no counts of reactions to them."
    if not _varying(posts, RESPONSE):
        return "Its posts have no counts of reactions, replies or shares."
    return "" if tweaks else "Its posts have no tweak that varies between them."


def _no_answers(posts: pd.DataFrame | None, acts: bool) -> str:
    if acts or _varying(posts, ["is_reply"]):
        return ""
    return "Its posts do not say which of them are replies."


def _no_contest(tweaks: list[str]) -> str:
    return "" if len(tweaks) > 1 else "Fewer than two tweaks beyond timing are measured."


def _no_volume(posts: pd.DataFrame | None) -> str:
    return "" if posts is not None else "Volume is itself interaction where there are no posts."
