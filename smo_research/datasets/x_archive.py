"""Reader of an archive of X, once Twitter: what one account posted, answered and shared."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smo_research.datasets.archive import AGAIN, expect, open_members, own_tables, parse_json
from smo_research.datasets.candidates import CROSS_POSTERS, SCHEDULERS
from smo_research.datasets.left_out import Leave, unasked
from smo_research.errors import DataError
from smo_research.tables import Tables

NAMES = {"tweets.js": r"tweets?(-part\d+)?[.]js", "account.js": r"account[.]js"}
TIME = "%a %b %d %H:%M:%S %z %Y"
ASSIGNED = re.compile(rb"\s*window[.]YTD[.]\w+[.]part\d+\s*=")
RETWEET = re.compile(r"RT @(\w+)")
PROGRAM = re.compile(r"<a[^>]*>(.*)</a>", re.DOTALL)
TWEET = re.compile(r"https?://(?:(?:www|mobile)[.])?(?:twitter|x)[.]com/\w+/status/\d+", re.I)
# Beside those that the candidates of 2020 used, services that post by a rule or a calendar.
SERVICES = {"dlvr.it", "HubSpot", "IFTTT", "LinkedIn", "SocialFlow", "SocialOomph", "Sprinklr"}
SERVICES |= {"Tumblr", "twitterfeed", "WordPress.com", "Zapier.com"}
AUTOMATIC = {name.casefold() for name in SCHEDULERS | CROSS_POSTERS | SERVICES}
# What the archive has for the id of an account that is gone.
GONE = {"", "-1", "0"}
# What is left out, as it is told.
TWICE = "tweets that are in the archive twice"
OWN_SHARES = "retweets of the owner's own tweets"
UNKNOWN_REPLIES = "acts of replying to somebody whom the archive does not tell; the post is kept"

Json = dict[str, Any]


def read_x(path: str | Path, *, leave: Leave = unasked) -> Tables:
    """Read the archive of an account of X.

    The archive has only what its owner did: nobody's answers, mentions or reactions to the owner
    are in it, so it cannot tell who was answered. `reactions` are likes and `shares` retweets, as
    on the day of the archive; replies and impressions are not in it. A retweet ("RT @", as a hand
    may have typed it too) is an act, not a post. Going on in one's own thread is no reply. `links`
    leaves out links to tweets, which show as a quote. A post is automated where its program is
    a known scheduler or cross-poster. The owner is a1, others are numbered by their first
    appearance; no text, name or id is kept, and no name of a program that has the owner's in it.

    Parameters
    ----------
    path
        The archive (.zip), or the folder that it was unpacked to, with data/tweets.js (and its
        parts, or tweet.js in older ones) and data/account.js.
    leave
        Is told what is left out, and how many.

    Returns
    -------
    Tables
        `accounts` (the owner), `posts`, and `interactions`: reply, mention, share.

    Raises
    ------
    DataError
        Naming the file and the place in it that is not as the format says.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> account = 'window.YTD.account.part0 = [{"account": {"accountId": "7", "username": "me"}}]'
    >>> _ = (folder / "account.js").write_text(account)
    >>> tweet = '{"id_str": "1", "created_at": "Wed Oct 10 20:19:24 +0000 2018"}'
    >>> _ = (folder / "tweets.js").write_text('window.YTD.tweets.part0 = [{"tweet": %s}]' % tweet)
    >>> read_x(folder).posts[["post_id", "is_reply"]].values.tolist()
    [['p1', False]]
    """
    path = Path(path)
    files = open_members(path, NAMES)
    account = _account(files["account.js"]["account.js"], f"{path.name}, account.js")
    found = [
        (_id(tweet, "id", place), (tweet, place))
        for name, data in files["tweets.js"].items()
        for tweet, place in _tweets(data, f"{path.name}, {name}")
    ]
    tweets = dict(found)
    leave(TWICE, len(found) - len(tweets))
    people = _People(account, [tweet for tweet, _ in tweets.values()])
    posts: list[Json] = []
    acts: list[Json] = []
    for known, (tweet, place) in tweets.items():
        shared = RETWEET.match(_text(tweet, "full_text") or _text(tweet, "text"))
        if shared:
            author = people.retweeted(tweet, shared[1])
            acts += _acts(tweet, {author: "share"}, people, place, None)
            leave(OWN_SHARES, author == people.owner)
            continue
        own_thread = _text(tweet, "in_reply_to_status_id") in tweets
        answered = None if own_thread else people.answered(tweet)
        posts.append(_post(tweet, known, people, place))
        posts[-1]["is_reply"] &= not own_thread and answered != people.owner
        leave(UNKNOWN_REPLIES, posts[-1]["is_reply"] and answered is None)
        kinds = dict.fromkeys(people.mentioned(tweet), "mention") | {answered: "reply"}
        acts += _acts(tweet, kinds, people, place, known)
    return own_tables(
        "x-archive",
        posts,
        acts,
        platform="Twitter",
        opened=_text(account, "createdAt"),
        time_format=TIME,
        source=path.name,
    )


class _People:
    """Tells accounts by their ids, and by their handles where the archive has no id of them."""

    def __init__(self, account: Json, tweets: list[Json]) -> None:
        self.owner = _text(account, "accountId")
        self.handle = _text(account, "username").casefold()
        self.ids = {
            handle.casefold(): known
            for tweet in tweets
            for handle, known in _pairs(tweet)
            if known not in GONE
        }
        self.ids[self.handle] = self.owner

    def mentioned(self, tweet: Json) -> list[str | None]:
        """Return the accounts mentioned, each once, in the order of the text."""
        people = [
            self._named(_text(one, "id"), _text(one, "screen_name"))
            for one in _entities(tweet, "user_mentions")
        ]
        return list(dict.fromkeys(people))

    def answered(self, tweet: Json) -> str | None:
        """Return the account that is replied to."""
        return self._named(
            _text(tweet, "in_reply_to_user_id"), _text(tweet, "in_reply_to_screen_name")
        )

    def retweeted(self, tweet: Json, handle: str) -> str | None:
        """Return the account whose tweet was shared, which the text names after "RT"."""
        for one in _entities(tweet, "user_mentions"):
            if _text(one, "screen_name").casefold() == handle.casefold():
                return self._named(_text(one, "id"), handle)
        return self._named("", handle)

    def _named(self, known: str, handle: str) -> str | None:
        if known not in GONE:
            return known
        return self.ids.get(handle.casefold(), f"@{handle.casefold()}") if handle else None


def _pairs(tweet: Json) -> Iterator[tuple[str, str]]:
    """Yield each handle that a tweet has, with its id."""
    yield _text(tweet, "in_reply_to_screen_name"), _text(tweet, "in_reply_to_user_id")
    for one in _entities(tweet, "user_mentions"):
        yield _text(one, "screen_name"), _text(one, "id")


def _account(data: bytes, place: str) -> Json:
    accounts = expect(_assigned(data, place), list, place)
    first = expect(accounts[0] if accounts else None, dict, f"{place}, [0]")
    account = expect(first.get("account"), dict, f"{place}, [0].account")
    _id(account, "accountId", f"{place}, [0].account")
    return account


def _tweets(data: bytes, place: str) -> Iterator[tuple[Json, str]]:
    """Yield each tweet with its place; older archives did not wrap them."""
    for number, item in enumerate(expect(_assigned(data, place), list, place)):
        at = f"{place}, [{number}]"
        wrapped = "tweet" in expect(item, dict, at)
        yield (expect(item["tweet"], dict, f"{at}.tweet"), f"{at}.tweet") if wrapped else (item, at)


def _assigned(data: bytes, place: str) -> Any:
    """Return the value that a file assigns; the assignment is not run, but blanked."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = ASSIGNED.match(data)
    if start:
        data = re.sub(rb"\S", b" ", start[0]) + data[start.end() :].rstrip().removesuffix(b";")
    return parse_json(data, place)


def _post(tweet: Json, known: str, people: _People, place: str) -> Json:
    created = expect(tweet.get("created_at"), str, f"{place}.created_at")
    urls = _entities(tweet, "urls")
    program = _program(_text(tweet, "source"))
    own_program = bool(people.handle) and people.handle in (program or "").casefold()
    extended = tweet.get("extended_entities")
    media = extended.get("media") if isinstance(extended, dict) else None
    return {
        "post_id": known,
        "created_at": created,
        "place": f"{place}.created_at",
        "hashtags": len(_entities(tweet, "hashtags")),
        "links": sum(not TWEET.match(_text(url, "expanded_url")) for url in urls),
        "mentions": len(people.mentioned(tweet)),
        "has_media": bool(media or _entities(tweet, "media")),
        "is_reply": bool(_text(tweet, "in_reply_to_status_id")),
        "is_automated": None if program is None else program.casefold() in AUTOMATIC,
        "client": None if own_program else program,
        "reactions": _count(tweet, "favorite_count", place),
        "shares": _count(tweet, "retweet_count", place),
    }


def _acts(
    tweet: Json, kinds: dict[str | None, str], people: _People, place: str, post: str | None
) -> list[Json]:
    return [
        {
            "target_id": who,
            "created_at": expect(tweet.get("created_at"), str, f"{place}.created_at"),
            "place": f"{place}.created_at",
            "kind": kind,
            "post_id": post,
        }
        for who, kind in kinds.items()
        if who is not None and who != people.owner
    ]


def _entities(tweet: Json, kind: str) -> list[Json]:
    entities = tweet.get("entities")
    found = entities.get(kind) if isinstance(entities, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(told: Json, name: str) -> str:
    """Return a text, or an id from the field that has it as text, if there; "" where missing."""
    value = told.get(f"{name}_str", told.get(name))
    number = isinstance(value, int) and not isinstance(value, bool)
    return value if isinstance(value, str) else str(value) if number else ""


def _id(told: Json, name: str, place: str) -> str:
    found = _text(told, name)
    if not found:
        raise DataError(f"{place} has no {name}; {AGAIN}.")
    return found


def _count(tweet: Json, name: str, place: str) -> int | None:
    if tweet.get(name) is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", _text(tweet, name)):
        raise DataError(f"{place}.{name} is no count; {AGAIN}.")
    return int(_text(tweet, name))


def _program(source: str) -> str | None:
    """Return the name of the program, without the address that it comes with."""
    linked = PROGRAM.fullmatch(source.strip())
    name = html.unescape(linked[1] if linked else source).strip()
    return name.encode("utf-8", "replace").decode() or None
