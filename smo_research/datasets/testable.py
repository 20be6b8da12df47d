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
    acts = tables.interactions is not None
    audience = acts or (tables.followers is not None and posts is not None)
    tweaks = _varying(posts, TWEAKS)
    reasons = {
        "H1": _no_engagement(posts, tweaks),
        "H2": "" if audience else NO_AUDIENCE,
        "H3": _no_answers(tables) if audience else NO_AUDIENCE,
        "H4": NO_AUDIENCE if not audience else _no_contest(tweaks),
        "H5": "" if acts else "It has no log of who acted toward whom, and when.",
        "H6": NO_AUDIENCE if not audience else _no_volume(posts),
        "H7": _no_answers(tables) if audience else NO_AUDIENCE,
    }
    return (
        tuple(name for name, reason in reasons.items() if not reason),
        {name: reason for name, reason in reasons.items() if reason},
    )


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


def _no_answers(tables: Tables) -> str:
    if tables.interactions is not None or _varying(tables.posts, ["is_reply"]):
        return ""
    return "Its posts do not say which of them are replies."


def _no_contest(tweaks: list[str]) -> str:
    return "" if len(tweaks) > 1 else "Fewer than two tweaks beyond timing are measured."


def _no_volume(posts: pd.DataFrame | None) -> str:
    return "" if posts is not None else "Volume is itself interaction where there are no posts."
