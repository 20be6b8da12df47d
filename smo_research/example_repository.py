"""A made-up repository of Bluesky, as its export would be: a CAR file, which is CBOR in blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
OWNER = "did:example:somebody"
FEED, MARK = "app.bsky.feed", "app.bsky.richtext.facet"
# Of the acts each tenth is a share, of the others each fifteenth a like, and the rest are replies.
SHARES, LIKES = 10, 15

Json = dict[str, Any]


class _Address(bytes):
    """The address of a block: version 1, CBOR, and its hash by SHA-256."""


def repository(posts: Iterable[Json], acts: Iterable[tuple[str, str, Any]]) -> bytes:
    """Return the file of an account that wrote the posts, and did the acts toward others.

    The tree of its records is flat, and the signature is lacking.

    Parameters
    ----------
    posts
        Each with created_at, hashtags, links and has_media.
    acts
        Who, toward whom, when.

    Examples
    --------
    >>> import pandas as pd
    >>> when = pd.Timestamp("2024-05-01", tz="UTC")
    >>> post = {"created_at": when, "hashtags": 1, "links": 0, "has_media": False}
    >>> len(repository([post], [("somebody", "bo", when)]))
    1095
    """
    records = dict([*map(_written, posts), *map(_done, enumerate(acts))])
    # A like of what is no post, which is left out.
    feed = {"subject": _reference("did:example:m1", f"{FEED}.generator/news")}
    records[f"{FEED}.like/2222222222222"] = feed | {"createdAt": "2020-01-01T00:00:00Z"}
    blocks = {key: _cbor(records[key]) for key in sorted(records)}
    entries = [
        {"p": 0, "k": key.encode(), "v": _address(block), "t": None}
        for key, block in blocks.items()
    ]
    tree = _cbor({"l": None, "e": entries})
    told = {"did": OWNER, "version": 3, "data": _address(tree), "rev": "2222222222222"}
    commit = _cbor(told | {"prev": None, "sig": bytes(64)})
    head = _cbor({"roots": [_address(commit)], "version": 1})
    parts = [_address(block) + block for block in (commit, tree, *blocks.values())]
    return b"".join(_varint(len(part)) + part for part in (head, *parts))


def _written(post: Json) -> tuple[str, Json]:
    marks = [_mark("tag", "tag", f"t{k}") for k in range(post["hashtags"])]
    marks += [_mark("link", "uri", f"https://news.example/{k}") for k in range(post["links"])]
    told: Json = {"text": "(what was written)", "facets": marks}
    if post["has_media"]:
        told["embed"] = {"$type": "app.bsky.embed.images", "images": []}
    return _record(f"{FEED}.post", post["created_at"], 0, told)


def _done(numbered: tuple[int, tuple[str, str, Any]]) -> tuple[str, Json]:
    number, (_, other, when) = numbered
    to = _reference(f"did:example:{other}", f"{FEED}.post/{_key(when, number)}")
    if number % SHARES == 0:
        return _record(f"{FEED}.repost", when, number, {"subject": to})
    if number % LIKES == 0:
        return _record(f"{FEED}.like", when, number, {"subject": to})
    told = {"text": "(what was written)", "reply": {"root": to, "parent": to}}
    return _record(f"{FEED}.post", when, number + 1, told)


def _record(collection: str, when: Any, number: int, told: Json) -> tuple[str, Json]:
    created = f"{when:%Y-%m-%dT%H:%M:%S.000Z}"
    return f"{collection}/{_key(when, number)}", {
        "$type": collection,
        "createdAt": created,
        **told,
    }


def _key(when: Any, number: int) -> str:
    """Return a key as the platform makes them: the time in microseconds, in base 32."""
    clock = (int(when.timestamp()) * 1_000_000 + number) << 10
    return "".join(DIGITS[clock >> shift & 31] for shift in range(60, -1, -5))


def _reference(who: str, what: str) -> Json:
    return {"uri": f"at://{who}/{what}", "cid": "(its hash)"}


def _mark(kind: str, name: str, value: str) -> Json:
    return {"features": [{"$type": f"{MARK}#{kind}", name: value}]}


def _address(block: bytes) -> _Address:
    return _Address(b"\x01\x71\x12\x20" + hashlib.sha256(block).digest())


def _varint(number: int) -> bytes:
    low = number & 127
    return bytes([low]) if number < 128 else bytes([low | 128]) + _varint(number >> 7)


def _cbor(value: Any) -> bytes:
    """Write a value as CBOR, in the one form that a repository may have."""
    if isinstance(value, _Address):
        return b"\xd8\x2a" + _cbor(b"\0" + bytes(value))
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(_cbor, value))
    keys = sorted(value, key=lambda key: (len(key), key))
    return _head(5, len(value)) + b"".join(_cbor(key) + _cbor(value[key]) for key in keys)


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 256**size)
    return bytes([kind << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")
