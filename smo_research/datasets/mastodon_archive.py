"""Reader of a Mastodon archive: what one account posted, answered and shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smo_research.datasets.archive import AGAIN, expect, open_members, own_tables, parse_json
from smo_research.datasets.left_out import Leave, unasked
from smo_research.errors import DataError
from smo_research.tables import Tables

NAMES = {"outbox.json": r"outbox[.]json", "actor.json": r"actor[.]json"}
PUBLIC = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
POSTS = ("Note", "Question")
# What is left out, as it is told.
OTHERS = "activities that are neither posts nor shares"
TWICE = "activities that are in the archive twice"
UNKNOWN_SHARES = "shares of the owner's own posts, or of an author whom the archive does not tell"
UNKNOWN_REPLIES = "acts of replying to somebody whom the archive does not tell; the post is kept"
# /users/NAME and /@NAME are one account; /p/NAME is where Pixelfed has its posts.
NAMED = re.compile(r"/(?:(?P<number>ap/)?users/|@|p/)(?P<name>[^/@]+)(?:/.*)?")

Json = dict[str, Any]


@dataclass(frozen=True)
class _Owner:
    """The account whose archive it is: its names, its followers' address, its posts'."""

    accounts: frozenset[str]
    followers: str | None
    posts: frozenset[str]

    def wrote(self, address: str) -> bool:
        """Tell whether a post is the owner's."""
        return address in self.posts or _account(address) in self.accounts


class _Anchors(HTMLParser):
    """Counts the links that the author put in, so not mentions, hashtags or what is quoted."""

    def __init__(self) -> None:
        super().__init__()
        self.links = 0
        self.quoting = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        classes = set(told.get("class", "").split())
        if tag == "p":
            self.quoting = "quote-inline" in classes
        named = classes & {"mention", "hashtag"} or "tag" in told.get("rel", "").split()
        if tag == "a" and not named and not self.quoting:
            self.links += told.get("href", "").startswith(("http://", "https://"))

    def handle_endtag(self, tag: str) -> None:
        self.quoting = self.quoting and tag != "p"


def read_mastodon(path: str | Path, *, leave: Leave = unasked) -> Tables:
    """Read the archive of an account of Mastodon, or of a platform that writes the same files.

    The archive has only what its owner did: nobody's answers, mentions or reactions to the owner
    are in it, so it cannot tell who was answered. Posts are notes and polls; `reactions` and
    `shares` are there where the server wrote them down, `replies` hardly ever. Going on in one's
    own thread is no reply. What went to named people only is no post, but acts of the kind
    message. Whoever is replied to is told by the address of that post, or else is the first
    mentioned account of the same server; where neither tells, there is no act. The owner is a1,
    others are numbered by their first appearance; no text, name or address is kept.

    Parameters
    ----------
    path
        The archive (.zip, .tar.gz), or the folder that it was unpacked to, with outbox.json and
        actor.json.
    leave
        Is told what is left out, and how many.

    Returns
    -------
    Tables
        `accounts` (the owner), `posts`, and `interactions`: reply, mention, share, message.

    Raises
    ------
    DataError
        Naming the file and the place in it that is not as the format says.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> me = "https://example.org/users/me"
    >>> _ = (folder / "actor.json").write_text(json.dumps({"id": me}))
    >>> note = {"id": me + "/statuses/1", "type": "Note", "published": "2024-05-01T10:00:00Z"}
    >>> outbox = {"orderedItems": [{"type": "Create", "object": note}]}
    >>> _ = (folder / "outbox.json").write_text(json.dumps(outbox))
    >>> read_mastodon(folder).posts[["post_id", "is_reply"]].values.tolist()
    [['p1', False]]
    """
    path = Path(path)
    files = open_members(path, NAMES)
    places = {name: f"{path.name}, {name}" for name in NAMES}
    outbox, actor = (
        expect(parse_json(files[name][name], places[name]), dict, places[name]) for name in NAMES
    )
    items = list(_items(outbox, places["outbox.json"], leave))
    owner = _owner(actor, places["actor.json"], [item.get("object") for item, _ in items])
    posts: list[Json] = []
    acts: list[Json] = []
    for item, place in items:
        if item.get("type") == "Announce":
            shares = _share(item, owner, place)
            leave(UNKNOWN_SHARES, not shares)
            acts += shares
        elif item.get("type") == "Create":
            note = expect(item.get("object"), dict, f"{place}.object")
            if note.get("type") not in POSTS:
                leave(OTHERS, 1)
                continue
            private = _private(item if {"to", "cc"} & item.keys() else note, owner)
            if not private:
                posts.append(_post(note, owner, f"{place}.object"))
            answers = _acts(note, owner, f"{place}.object", private=private)
            replied = not private and posts[-1]["is_reply"]
            leave(UNKNOWN_REPLIES, replied and all(act["kind"] != "reply" for act in answers))
            acts += answers
        else:
            leave(OTHERS, 1)
    return own_tables(
        "mastodon-archive",
        posts,
        acts,
        platform="Mastodon",
        opened=actor.get("published") if isinstance(actor.get("published"), str) else None,
        time_format="ISO8601",
        source=path.name,
    )


def _owner(actor: Json, place: str, notes: list[Any]) -> _Owner:
    addresses = [expect(actor.get("id"), str, f"{place}, id"), actor.get("url")]
    addresses += _listed(actor.get("alsoKnownAs"))
    accounts = {_account(one) or one for one in addresses if isinstance(one, str)}
    ids = (note.get("id") for note in notes if isinstance(note, dict))
    followers = actor.get("followers")
    return _Owner(
        frozenset(accounts),
        followers if isinstance(followers, str) else None,
        frozenset(one for one in ids if isinstance(one, str)),
    )


def _items(outbox: Json, place: str, leave: Leave) -> Iterator[tuple[Json, str]]:
    """Yield each activity once, with its place."""
    seen: set[str] = set()
    items = expect(outbox.get("orderedItems"), list, f"{place}, orderedItems")
    for number, item in enumerate(items):
        at = f"{place}, orderedItems[{number}]"
        expect(item, dict, at)
        known = item.get("id")
        if not isinstance(known, str):
            yield item, at
        elif known not in seen:
            seen.add(known)
            yield item, at
        else:
            leave(TWICE, 1)


def _post(note: Json, owner: _Owner, place: str) -> Json:
    tags = _tags(note)
    parent = note.get("inReplyTo")
    return {
        "post_id": expect(note.get("id"), str, f"{place}.id"),
        "created_at": expect(note.get("published"), str, f"{place}.published"),
        "place": f"{place}.published",
        "post_type": note["type"],
        "hashtags": sum(tag.get("type") == "Hashtag" for tag in tags),
        "links": _links(note.get("content"), f"{place}.content"),
        "mentions": len(set(_mentioned(tags).values())),
        "has_media": any(
            isinstance(one, dict) and one.get("type") != "Link"
            for one in _listed(note.get("attachment"))
        ),
        "is_reply": isinstance(parent, str) and not owner.wrote(parent),
        "reactions": _total(note.get("likes")),
        "replies": _total(note.get("replies")),
        "shares": _total(note.get("shares")),
    }


def _acts(note: Json, owner: _Owner, place: str, *, private: bool) -> list[Json]:
    mentioned = _mentioned(_tags(note))
    kinds = dict.fromkeys(mentioned.values(), "message" if private else "mention")
    answered = None if private else _answered(note.get("inReplyTo"), mentioned, owner)
    if answered:
        kinds[answered] = "reply"
    return [
        _act(note, name, kind, place, None if private else note.get("id"))
        for name, kind in kinds.items()
        if name not in owner.accounts
    ]


def _act(told: Json, target: str, kind: str, place: str, post: str | None) -> Json:
    return {
        "target_id": target,
        "created_at": expect(told.get("published"), str, f"{place}.published"),
        "place": f"{place}.published",
        "kind": kind,
        "post_id": post,
    }


def _answered(parent: Any, mentioned: dict[str, str], owner: _Owner) -> str | None:
    """Return the account whose post is replied to, if that can be told."""
    if not isinstance(parent, str) or owner.wrote(parent):
        return None
    same_server = (name for url, name in mentioned.items() if _server(url) == _server(parent))
    return _account(parent) or next(same_server, None)


def _share(item: Json, owner: _Owner, place: str) -> list[Json]:
    """Return the act of sharing a post, if its author can be told and is another."""
    shared = item.get("object")
    address = shared.get("id") if isinstance(shared, dict) else shared
    if not isinstance(address, str) or owner.wrote(address):
        return []
    # A share is addressed to the author too, beside the public and the followers.
    told = [one for one in _audience(item) if not _many(one, owner)]
    author = _account(address) or next((_account(one) or one for one in told), None)
    if author is None or author in owner.accounts:
        return []
    return [_act(item, author, "share", place, None)]


def _private(told: Json, owner: _Owner) -> bool:
    """Tell whether something went to named people only."""
    addressed = bool({"to", "cc"} & told.keys())
    return addressed and not any(_many(one, owner) for one in _audience(told))


def _audience(told: Json) -> list[str]:
    everyone = [*_listed(told.get("to")), *_listed(told.get("cc"))]
    return [one for one in everyone if isinstance(one, str)]


def _many(address: str, owner: _Owner) -> bool:
    """Tell whether an address stands for the public or for the owner's followers."""
    followers = owner.followers
    at_followers = address == followers if followers else address.endswith("/followers")
    return address in PUBLIC or at_followers


def _account(address: str) -> str | None:
    """Return one name for an account, told by its own address or that of a post of it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    found = NAMED.fullmatch(parts.path)
    if not found or not parts.netloc:
        return None
    return f"{parts.netloc}/{found['number'] or ''}/{found['name']}".casefold()


def _server(address: str) -> str:
    try:
        return urlsplit(address).netloc.casefold()
    except ValueError:
        return ""


def _tags(note: Json) -> list[Json]:
    return [tag for tag in _listed(note.get("tag")) if isinstance(tag, dict)]


def _mentioned(tags: list[Json]) -> dict[str, str]:
    """Return the accounts mentioned: address, and the one name of each."""
    addresses = [tag.get("href") for tag in tags if tag.get("type") == "Mention"]
    return {one: _account(one) or one for one in addresses if isinstance(one, str)}


def _links(content: Any, place: str) -> int:
    anchors = _Anchors()
    try:
        anchors.feed(content if isinstance(content, str) else "")
    except AssertionError:
        raise DataError(f"{place} is no HTML; {AGAIN}.") from None
    return anchors.links


def _total(collection: Any) -> int | None:
    """Return how many things a collection has, if it says so."""
    total = collection.get("totalItems") if isinstance(collection, dict) else None
    known = isinstance(total, int) and not isinstance(total, bool) and total >= 0
    return total if known else None


def _listed(value: Any) -> list[Any]:
    """Return a list, since JSON-LD may write one thing without its brackets."""
    return value if isinstance(value, list) else [] if value is None else [value]
