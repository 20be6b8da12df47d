"""Reader of a repository of Bluesky: what one account posted, answered, shared and liked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from smo_research.datasets.archive import expect, own_tables
from smo_research.datasets.bluesky_car import Record, open_repository
from smo_research.datasets.left_out import Leave, unasked
from smo_research.tables import Tables

POST, FOLLOW = "app.bsky.feed.post", "app.bsky.graph.follow"
KINDS = {"app.bsky.feed.like": "reaction", "app.bsky.feed.repost": "share", FOLLOW: "follow"}
MENTION, LINK, TAG = (f"app.bsky.richtext.facet#{name}" for name in ("mention", "link", "tag"))
QUOTE, WITH_MEDIA = "app.bsky.embed.record", "app.bsky.embed.recordWithMedia"
EXTERNAL = "app.bsky.embed.external"
MEDIA = ("app.bsky.embed.images", "app.bsky.embed.video")
ADDRESS = re.compile(r"at://([^/?#]+)/([^/?#]+)/[^/?#]+")
SHOWN_POST = re.compile(r"https?://(?:www[.])?bsky[.]app/profile/[^/]+/post/.*", re.I | re.S)
# Animations out of the app's own list come as links with a preview.
ANIMATION = re.compile(r"https?://[^?#]*[.]gif(?:[?#].*)?", re.I | re.S)
# No post is older than the web: a clock that stands at 1970 or in the year 1 is wrong.
FIRST_TIME = pd.Timestamp("1990-01-01", tz="UTC")
# What is left out, as it is told.
OTHERS = "records that are neither posts nor likes, shares or follows"
NOT_OTHERS = "likes, shares and follows of oneself, or of what is neither post nor account"
TWICE = "likes, shares and follows that were made twice"
UNKNOWN_REPLIES = "acts of replying to somebody whom the archive does not tell; the post is kept"
MISTIMED = "records with no time, or one before 1990 or in the future"

Json = dict[str, Any]


def read_bluesky(path: str | Path, *, leave: Leave = unasked) -> Tables:
    """Read the repository of an account of Bluesky.

    It has only what its owner did, and did not delete: nobody's answers, mentions, likes or
    follows of the owner are in it, so it cannot tell who was answered, how a post was received
    or who was unfollowed. Going on in one's own thread is no reply. `links` are those of the text
    and of the card below it, each once, without links to posts. A post that quotes another's is a
    share of that; of several acts of a post toward one account only one counts: the reply, or
    else the share. Likes of what is no post (of feeds, say) are left out, and what was liked,
    shared or followed twice counts once. Times are what the owner's app said, and nobody can mend
    them: a record with none, or one that cannot be, is left out. The owner is a1, others are
    numbered by their first appearance; no text, name, DID or address is kept.

    Parameters
    ----------
    path
        The .car file, from Settings, Account, Export my data. The package `atproto` reads it:
        `pip install "smo_research[bluesky]"`.
    leave
        Is told what is left out, and how many.

    Returns
    -------
    Tables
        `accounts` (the owner), `posts`, and `interactions`: reply, mention, share, reaction,
        follow.

    Raises
    ------
    DataError
        Naming the file and the place in it that is not as the format says; records are numbered
        from 0 in their collection, in the order of their keys.

    Examples
    --------
    >>> from smo_research.errors import DataError
    >>> try:
    ...     read_bluesky("mine.car")
    ... except DataError as error:
    ...     print(error)
    mine.car cannot be read (No such file or directory); correct the name.
    """
    path = Path(path)
    owner, records = open_repository(path)
    posts: list[Json] = []
    acts: list[Json] = []
    seen: set[tuple[str, str]] = set()
    for record in records:
        if record.collection == POST:
            value = expect(record.value, dict, record.place)
            posts.append(_post(record, value, owner))
            answers = _acts(record, value, owner)
            unknown = posts[-1]["is_reply"] and all(act["kind"] != "reply" for act in answers)
            leave(UNKNOWN_REPLIES, int(unknown))
            acts += answers
        elif record.collection in KINDS:
            acts += _toward(record, owner, seen, leave)
        else:
            leave(OTHERS, 1)
    mistimed = _mistimed(posts + acts)
    leave(MISTIMED, len(mistimed))
    return own_tables(
        "bluesky-repo",
        [post for post in posts if post["place"] not in mistimed],
        [act for act in acts if act["place"] not in mistimed],
        platform="Bluesky",
        opened=None,
        time_format="ISO8601",
        source=path.name,
    )


def _mistimed(rows: list[Json]) -> set[str]:
    """Return the places of the times that are none, or cannot be."""
    found = {row["place"]: row["created_at"] for row in rows}
    text = pd.Series(list(found.values()), index=list(found), dtype="str")
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    # With a day for clocks that are ahead, as the canonical tables have it.
    last = pd.Timestamp.now("UTC") + pd.Timedelta(days=1)
    return set(text.index[~times.between(FIRST_TIME, last)])


def _post(record: Record, value: Json, owner: str) -> Json:
    card, _ = _embedded(value)
    external = _text(_object(card.get("external")), "uri") if card.get("$type") == EXTERNAL else ""
    animated = bool(ANIMATION.fullmatch(external))
    links = {*_features(value, LINK, "uri"), "" if animated else external} - {""}
    more_tags = value.get("tags")
    return {
        "post_id": record.key,
        "created_at": _text(value, "createdAt"),
        "place": f"{record.place}.createdAt",
        "hashtags": len(_features(value, TAG, "tag"))
        + (len(more_tags) if isinstance(more_tags, list) else 0),
        "links": sum(not SHOWN_POST.fullmatch(link) for link in links),
        "mentions": len(set(_features(value, MENTION, "did"))),
        "has_media": card.get("$type") in MEDIA or animated,
        "is_reply": bool(_parent(value)) and _author(_parent(value)) != owner,
    }


def _acts(record: Record, value: Json, owner: str) -> list[Json]:
    """Return the acts that a post is, one toward each account."""
    _, quoted = _embedded(value)
    kinds: dict[str | None, str] = dict.fromkeys(_features(value, MENTION, "did"), "mention")
    kinds |= {_author(quoted): "share"}
    kinds |= {_author(_parent(value)): "reply"}
    return [
        _act(record, value, who, kind, record.key)
        for who, kind in kinds.items()
        if who is not None and who != owner
    ]


def _toward(record: Record, owner: str, seen: set[tuple[str, str]], leave: Leave) -> Iterator[Json]:
    """Yield the act that a like, a share or a follow is, if it is one toward another account."""
    value = expect(record.value, dict, record.place)
    at = f"{record.place}.subject"
    subject = value.get("subject")
    if record.collection == FOLLOW:
        name = expect(subject, str, at)
        who = name if name.startswith("did:") else None
    else:
        name = expect(expect(subject, dict, at).get("uri"), str, f"{at}.uri")
        who = _author(name)
    if who in (None, owner):
        leave(NOT_OTHERS, 1)
    elif (record.collection, name) in seen:
        leave(TWICE, 1)
    else:
        seen.add((record.collection, name))
        yield _act(record, value, who, KINDS[record.collection], None)


def _act(record: Record, value: Json, who: str | None, kind: str, post: str | None) -> Json:
    return {
        "target_id": who,
        "created_at": _text(value, "createdAt"),
        "place": f"{record.place}.createdAt",
        "kind": kind,
        "post_id": post,
    }


def _author(address: str) -> str | None:
    """Return the account whose post is at an address."""
    found = ADDRESS.fullmatch(address)
    return found[1] if found and found[2] == POST else None


def _parent(post: Json) -> str:
    return _text(_object(_object(post.get("reply")).get("parent")), "uri")


def _embedded(post: Json) -> tuple[Json, str]:
    """Return what is shown below a post, and the address of what it quotes, or ""."""
    embed = _object(post.get("embed"))
    if embed.get("$type") == QUOTE:
        return {}, _text(_object(embed.get("record")), "uri")
    if embed.get("$type") == WITH_MEDIA:
        quoted = _object(_object(embed.get("record")).get("record"))
        return _object(embed.get("media")), _text(quoted, "uri")
    return embed, ""


def _features(post: Json, kind: str, name: str) -> list[str]:
    """Return what the marked parts of a text stand for: accounts, addresses or tags."""
    marked = [one.get("features") for one in _objects(post.get("facets"))]
    features = [one for some in marked for one in _objects(some) if one.get("$type") == kind]
    return [_text(one, name) for one in features if _text(one, name)]


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(told: Json, name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""
