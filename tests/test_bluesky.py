"""Repositories of Bluesky, made by hand block for block, each with the traps of the format."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smo_research.datasets import bluesky_car, bluesky_repo
from smo_research.datasets.bluesky_repo import read_bluesky
from smo_research.errors import DataError

ME, BOB, AMY, EVA = (f"did:plc:{name}secret" for name in ("zoe", "bob", "amy", "eva"))
POST, LIKE, REPOST = (f"app.bsky.feed.{name}" for name in ("post", "like", "repost"))
FOLLOW = "app.bsky.graph.follow"
NAMES = ["zoe", "bob", "amy", "eva", "secret", "word", "did:", "at://", "3k"]
WHEN = "2024-05-01T10:00:00.000Z"


class Address(bytes):
    """The address of a block, which CBOR marks as such."""


def number(major, value):
    for size in (0, 1, 2, 4, 8):
        if value < (24 if size == 0 else 256**size):
            code = value if size == 0 else 23 + size.bit_length()
            return bytes([major << 5 | code]) + (value.to_bytes(size, "big") if size else b"")
    raise ValueError(value)


def cbor(value):
    if isinstance(value, Address):
        return b"\xd8\x2a" + cbor(b"\0" + bytes(value))
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return number(0, value) if value >= 0 else number(1, -1 - value)
    if isinstance(value, bytes):
        return number(2, len(value)) + value
    if isinstance(value, str):
        return number(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return number(4, len(value)) + b"".join(map(cbor, value))
    keys = sorted(value, key=lambda key: (len(key), key))
    return number(5, len(value)) + b"".join(cbor(key) + cbor(value[key]) for key in keys)


def address(block, form="01711220"):
    return Address(bytes.fromhex(form) + hashlib.sha256(block).digest())


def varint(value):
    made = b""
    while value > 127:
        made += bytes([value & 127 | 128])
        value >>= 7
    return made + bytes([value])


def part(content):
    return varint(len(content)) + content


def car(blocks, root, version=1):
    head = part(cbor({"roots": [root], "version": version}))
    return head + b"".join(part(address(block) + block) for block in blocks)


def entry(key, record, last="", after=None):
    shared = next((n for n, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), 0)
    return {"p": shared, "k": key[shared:].encode(), "v": record, "t": after}


def commit(tree, **told):
    return cbor(
        {"did": ME, "version": 3, "data": tree, "rev": "3k", "prev": None, "sig": b""} | told
    )


def repository(records, *, stray=(), **told):
    """Make the file of records by their keys: a tree whose root has every third key."""
    keys = sorted(records)
    blocks = [cbor(records[key]) for key in keys]
    places = dict(zip(keys, map(address, blocks), strict=True))

    def node(left, groups):
        entries, last = [], ""
        for key, after in groups:
            entries.append(entry(key, places[key], last, after))
            last = key
        blocks.append(cbor({"l": left, "e": entries}))
        return address(blocks[-1])

    def leaf(some):
        return node(None, [(key, None) for key in some]) if some else None

    above = list(range(2, len(keys), 3))
    left = leaf(keys[: above[0]] if above else keys)
    tree = node(left, [(keys[n], leaf(keys[n + 1 : n + 3])) for n in above])
    blocks.append(commit(tree, **told))
    return car([*map(cbor, stray), *blocks], address(blocks[-1]))


def post(when=WHEN, **told):
    return {"$type": POST, "text": "secret word", "createdAt": when, "langs": ["en"]} | told


def at(who, collection=POST, key="3kq"):
    return f"at://{who}/{collection}/{key}"


def ref(uri):
    return {"uri": uri, "cid": "bafysecret"}


def toward(subject, when=WHEN):
    return {"subject": ref(subject) if subject.startswith("at:") else subject, "createdAt": when}


def reply(who):
    return {"reply": {"root": ref(at(EVA)), "parent": ref(at(who))}}


def marks(**features):
    kinds = {"mention": "did", "link": "uri", "tag": "tag"}
    return [
        {
            "index": {"byteStart": 0, "byteEnd": 4},
            "features": [{"$type": f"app.bsky.richtext.facet#{kind}", kinds[kind]: one}],
        }
        for kind, some in features.items()
        for one in some
    ]


def external(uri):
    shown = {"uri": uri, "title": "secret", "description": "word"}
    return {"$type": "app.bsky.embed.external", "external": shown}


def quote(uri, media=None):
    if media is None:
        return {"$type": "app.bsky.embed.record", "record": ref(uri)}
    return {
        "$type": "app.bsky.embed.recordWithMedia",
        "record": {"$type": "app.bsky.embed.record", "record": ref(uri)},
        "media": media,
    }


QUOTE, LINKED = "app.bsky.embed.record", "app.bsky.richtext.facet#link"
EXTERNAL = "app.bsky.embed.external"
IMAGES = {"$type": "app.bsky.embed.images", "images": [{"alt": "secret"}]}
VIDEO = {"$type": "app.bsky.embed.video", "video": {"ref": Address(bytes(36))}}
VIDEO["video"]["ref"] = address(b"a film, which is kept elsewhere", "01551220")


def saved(tmp_path, data):
    path = tmp_path / "mine.car"
    path.write_bytes(data)
    return path


def read(tmp_path, records, **told):
    return read_bluesky(saved(tmp_path, repository(records, **told)))


def posts(tmp_path, *some):
    return read(tmp_path, {f"{POST}/3k{n:03}": one for n, one in enumerate(some)})


def acts(tables):
    found = tables.interactions
    return None if found is None else found[["target_id", "kind"]].to_numpy().tolist()


def refused(path, match):
    with pytest.raises(DataError, match=match) as error:
        read_bluesky(path)
    message = str(error.value)
    assert "mine.car" in message and "\n" not in message and message.endswith(".")
    assert not any(name in message for name in NAMES)


def test_counts_of_a_post(tmp_path):
    told = {
        "facets": marks(
            mention=[BOB, BOB, AMY],
            link=["https://a.example/", f"https://bsky.app/profile/{BOB}/post/3kq"],
            tag=["a", "b"],
        ),
        "tags": ["c"],
        "embed": IMAGES,
    }
    tables = posts(tmp_path, post("2024-05-01T12:00:00+02:00", **told))
    (row,) = tables.posts.to_dict("records")
    assert row == {
        "post_id": "p1",
        "account_id": "a1",
        "created_at": pd.Timestamp("2024-05-01 10:00", tz="UTC"),
        "hashtags": 3,
        "links": 1,
        "mentions": 2,
        "has_media": True,
        "is_reply": False,
    }
    assert acts(tables) == [["a2", "mention"], ["a3", "mention"]]
    assert tables.interactions["post_id"].tolist() == ["p1", "p1"]
    assert tables.accounts.to_dict("records") == [{"account_id": "a1", "platform": "Bluesky"}]


@pytest.mark.parametrize(
    ("embed", "links", "has_media"),
    [
        (None, 1, False),
        (external("https://b.example/"), 2, False),
        (external("https://a.example/"), 1, False),
        (external("https://media.example/x.gif?hh=1&ww=2"), 1, True),
        (IMAGES, 1, True),
        (VIDEO, 1, True),
        (quote(at(BOB)), 1, False),
        (quote(at(BOB), IMAGES), 1, True),
        (quote(at(BOB), external("https://b.example/")), 2, False),
        ({"$type": "com.example.other"}, 1, False),
        ("secret", 1, False),
    ],
)
def test_links_and_media(tmp_path, embed, links, has_media):
    told = {} if embed is None else {"embed": embed}
    table = posts(tmp_path, post(facets=marks(link=["https://a.example/"]), **told)).posts
    assert table[["links", "has_media"]].to_numpy().tolist() == [[links, has_media]]


@pytest.mark.parametrize(
    ("told", "expected", "is_reply"),
    [
        (reply(BOB), [["a2", "reply"]], True),
        (reply(ME), None, False),
        (
            reply(BOB) | {"facets": marks(mention=[AMY, BOB, ME])},
            [["a2", "mention"], ["a3", "reply"]],
            True,
        ),
        (reply(BOB) | {"embed": quote(at(AMY))}, [["a2", "share"], ["a3", "reply"]], True),
        (reply(BOB) | {"embed": quote(at(BOB))}, [["a2", "reply"]], True),
        (
            {"embed": quote(at(BOB), IMAGES), "facets": marks(mention=[BOB])},
            [["a2", "share"]],
            False,
        ),
        ({"embed": quote(at(ME))}, None, False),
        ({"embed": quote(at(BOB, "app.bsky.graph.list"))}, None, False),
        ({"reply": {"parent": ref("secret")}}, None, True),
        ({"reply": "secret", "facets": "secret", "embed": {"$type": []}, "tags": 7}, None, False),
        ({"facets": [7, {"features": 7}, {"features": [7, {}]}, *marks(mention=[7])]}, None, False),
    ],
)
def test_acts_of_a_post(tmp_path, told, expected, is_reply):
    tables = posts(tmp_path, post(**told))
    assert tables.posts["is_reply"].tolist() == [is_reply]
    assert acts(tables) == expected


def test_likes_shares_and_follows(tmp_path):
    records = {
        f"{LIKE}/3k1": toward(at(BOB), "2024-05-01T10:00:00Z"),
        f"{LIKE}/3k2": toward(at(BOB), "2024-05-02T10:00:00Z"),
        f"{LIKE}/3k3": toward(at(BOB, key="3kr"), "2024-05-03T10:00:00Z"),
        f"{LIKE}/3k4": toward(at(ME)),
        f"{LIKE}/3k5": toward(at(EVA, "app.bsky.feed.generator")),
        f"{REPOST}/3k1": toward(at(AMY), "2024-05-04T10:00:00Z"),
        f"{REPOST}/3k2": toward(at(ME)),
        f"{REPOST}/3k3": toward("at://secret"),
        f"{FOLLOW}/3k1": toward(BOB, "2024-05-05T10:00:00Z"),
        f"{FOLLOW}/3k2": toward(BOB, "2024-05-06T10:00:00Z"),
        f"{FOLLOW}/3k3": toward(ME),
        f"{FOLLOW}/3k4": toward("secret"),
        "app.bsky.actor.profile/self": {"displayName": "zoe", "createdAt": "never"},
        "app.bsky.graph.block/3k1": toward(EVA),
    }
    tables = read(tmp_path, records)
    assert tables.posts is None
    assert acts(tables) == [
        ["a2", "reaction"],
        ["a2", "reaction"],
        ["a3", "share"],
        ["a2", "follow"],
    ]
    assert "post_id" not in tables.interactions


def test_nothing_names_anybody(tmp_path):
    told = reply(BOB) | {"facets": marks(mention=[AMY], tag=["word"]), "embed": quote(at(EVA))}
    tables = posts(tmp_path, post(**told))
    made = (tables.accounts, tables.posts, tables.interactions)
    shown = " ".join(table.to_csv() for table in made).lower()
    assert not any(name in shown for name in NAMES)


def test_posts_and_people_are_named_in_the_order_of_time(tmp_path):
    tables = posts(
        tmp_path,
        post("2024-05-03T00:00:00Z", **reply(AMY)),
        post("2024-05-02T23:30:00-02:00", **reply(BOB)),
        post("2024-05-01T00:00:00.123456789Z", tags=["a"], **reply(EVA)),
        post("2024-04-30T22:00:00", tags=["a", "b"]),
    )
    assert tables.posts["hashtags"].tolist() == [2, 1, 0, 0]
    assert [time.isoformat() for time in tables.posts["created_at"]] == [
        "2024-04-30T22:00:00+00:00",
        "2024-05-01T00:00:00.123456+00:00",
        "2024-05-03T00:00:00+00:00",
        "2024-05-03T01:30:00+00:00",
    ]
    assert tables.interactions["post_id"].tolist() == ["p2", "p3", "p4"]
    assert tables.interactions["target_id"].tolist() == ["a2", "a3", "a4"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 40, 200])
def test_every_record_of_the_tree_is_read_once(tmp_path, size):
    table = posts(tmp_path, *(post(tags=["x"] * n) for n in range(size))).posts
    assert table["hashtags"].tolist() == list(range(size))


def test_what_the_tree_does_not_name_was_deleted(tmp_path):
    tables = read(tmp_path, {f"{POST}/3k1": post()}, stray=[post(), toward(at(BOB))])
    assert len(tables.posts) == 1 and tables.interactions is None


def test_older_commits_are_read(tmp_path):
    assert len(read(tmp_path, {f"{POST}/3k1": post()}, version=2).posts) == 1


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({POST: "secret"}, r"mine.car, app.bsky.feed.post\[0\] is text, but should be an object"),
        ({LIKE: toward(BOB)}, r"like\[0\].subject is text"),
        ({LIKE: {"subject": {}, "createdAt": WHEN}}, r"like\[0\].subject.uri is missing"),
        ({REPOST: {"createdAt": WHEN}}, r"repost\[0\].subject is missing"),
        ({FOLLOW: toward(at(BOB))}, r"follow\[0\].subject is an object"),
        ({FOLLOW: [7]}, r"follow\[0\] is a list"),
        ({}, "holds no post of its owner"),
    ],
)
def test_wrong_records_are_refused(tmp_path, record, message):
    records = {f"{collection}/3k1": value for collection, value in record.items()}
    refused(saved(tmp_path, repository(records)), message)


@pytest.mark.parametrize(
    "when",
    [
        None,
        7,
        b"x",
        "",
        "secret day",
        "é",
        "2024-02-30T00:00:00Z",
        "2024-05-01T25:00:00Z",
        "99999-05-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_records_with_a_time_that_cannot_be_are_left_out_and_counted(tmp_path, when):
    records = {
        f"{POST}/3k1": post(when, **reply(BOB)),
        f"{POST}/3k2": post(**reply(AMY)),
        f"{LIKE}/3k1": toward(at(EVA), when),
    }
    path = saved(tmp_path, repository(records))
    told = Counter()
    tables = read_bluesky(path, leave=lambda what, count: told.update({what: count}))
    assert +told == {bluesky_repo.MISTIMED: 2}
    assert len(tables.posts) == 1
    assert acts(tables) == [["a2", "reply"]]
    del records[f"{POST}/3k2"]
    path.write_bytes(repository(records))
    refused(path, "holds no post of its owner")


def test_what_is_left_out_is_told(tmp_path):
    records = {
        f"{LIKE}/3k1": toward(at(BOB)),
        f"{LIKE}/3k2": toward(at(BOB)),
        f"{LIKE}/3k3": toward(at(ME)),
        f"{LIKE}/3k4": toward(at(EVA, "app.bsky.feed.generator")),
        f"{FOLLOW}/3k1": toward("secret"),
        f"{POST}/3k1": post(reply={"parent": ref("secret")}),
        f"{POST}/3k2": post(**reply(ME)),
        f"{POST}/3k3": post(**reply(BOB)),
        "app.bsky.graph.block/3k1": toward(EVA),
    }
    told = Counter()
    path = saved(tmp_path, repository(records))
    read_bluesky(path, leave=lambda what, count: told.update({what: count}))
    assert +told == {
        bluesky_repo.TWICE: 1,
        bluesky_repo.NOT_OTHERS: 3,
        bluesky_repo.UNKNOWN_REPLIES: 1,
        bluesky_repo.OTHERS: 1,
    }


def whole():
    return repository({f"{POST}/3k{n:03}": post(**reply(BOB)) for n in range(7)})


def test_every_truncation_is_refused(tmp_path):
    data = whole()
    path = saved(tmp_path, data)
    assert len(read_bluesky(path).posts) == 7
    for end in range(0, len(data), 11):
        path.write_bytes(data[:end])
        refused(path, "is no repository|is cut short|lacks a part|is no block")


def test_every_changed_byte_is_noticed(tmp_path):
    data = whole()
    head = data.index(b"gversion\x01") + len(b"gversion\x01")
    path = saved(tmp_path, data)
    for place in range(head, len(data), 23):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :])
        refused(path, "is damaged|is cut short|is no block|is no repository")


@pytest.mark.parametrize("form", ["01551220", "01711320", "12202020"])
def test_blocks_of_another_form_are_refused(tmp_path, form):
    stray = b"secret"
    data = whole() + part(address(stray, form) + stray)
    refused(saved(tmp_path, data), r"block \d+ is no block of a repository")


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"secret", id="no CBOR"),
        pytest.param(b"\x81" * 100_000 + b"\xf6", id="deep nesting"),
        pytest.param(b"\x9b\0\0\0\xff\xff\xff\xff\xff", id="list of 2 to the power of 40"),
        pytest.param(b"\x7b\x7f" + b"\xff" * 7, id="text of 8 EiB"),
        pytest.param(b"\x61\xff", id="text that is not UTF-8"),
        pytest.param(b"\xa1\x01\x02", id="key that is no text"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_blocks_that_hold_something_else_are_refused(tmp_path, block):
    data = whole() + part(address(block) + block)
    refused(saved(tmp_path, data), "holds what none does")


FIELDS = ["subject", "uri", "createdAt", "reply", "parent", "embed", "record", "media", "external"]
FIELDS += ["$type", "facets", "features", "did", "tag", "tags", "l", "e", "p", "k", "v", "t"]
ATOMS = st.sampled_from([None, True, 7, -1, "", WHEN, BOB, at(BOB), b"x", QUOTE, LINKED, EXTERNAL])
VALUES = st.recursive(
    ATOMS | st.text(max_size=3),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), some),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.sampled_from(FIELDS), VALUES).map(lambda told: post() | told)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(collection=st.sampled_from([POST, LIKE, REPOST, FOLLOW]), record=RECORDS | VALUES)
def test_any_record_is_read_or_refused(tmp_path, collection, record):
    path = saved(tmp_path, repository({f"{POST}/3k1": post(), f"{collection}/3k2": record}))
    try:
        tables = read_bluesky(path)
    except DataError as error:
        assert str(error).startswith("mine.car")
    else:
        assert 1 <= len(tables.posts) <= 1 + (collection == POST)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(node=VALUES)
def test_any_node_is_read_or_refused(tmp_path, node):
    path = saved(tmp_path, tree_of(node))
    with pytest.raises(DataError, match=r"mine\.car"):
        read_bluesky(path)


RECORD = cbor(post())


def tree_of(*nodes, told=None):
    """Return a file whose tree has the nodes given, the last on top."""
    blocks = [RECORD, *map(cbor, nodes)]
    blocks.append(commit(address(blocks[-1]), **(told or {})))
    return car(blocks, address(blocks[-1]))


def one(key="app.bsky.feed.post/3k1", **told):
    return {"l": None, "e": [entry(key, address(RECORD)) | told]}


LEAF = address(cbor(one()))
EMPTY = {"l": None, "e": []}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tree_of(one()), None),
        (tree_of("secret"), "node 1 is text"),
        (tree_of({"l": None}), "node 1.e is missing"),
        (tree_of({"l": None, "e": ["secret"]}), "node 1.e is text"),
        (tree_of(one(k="secret")), "node 1.k is text, but should be bytes"),
        (tree_of(one(p=1)), "node 1.p is no length"),
        (tree_of(one(p=-1)), "node 1.p is no length"),
        (tree_of(one(p=True)), "node 1.p is no length"),
        (tree_of(one(k=b"x" * 1025)), "node 1.k is longer than any key"),
        (tree_of(one(v=None)), "address of another form"),
        (tree_of(one(v="secret")), "address of another form"),
        (tree_of(one(v=b"secret")), "address of another form"),
        (tree_of(one(v=address(b"elsewhere"))), "lacks a part"),
        (tree_of(one(t=address(b"elsewhere"))), "lacks a part"),
        (tree_of({"l": 7, "e": []}), "address of another form"),
        (tree_of(one(), one("app.bsky.feed.post/3k0") | {"l": LEAF}), "out of order"),
        (tree_of(one(), one(t=LEAF)), "out of order"),
        (tree_of({"l": None, "e": [one("b")["e"][0], one("a")["e"][0]]}), "out of order"),
        (tree_of(EMPTY, one(t=address(cbor(EMPTY))) | {"l": address(cbor(EMPTY))}), "circle"),
        (tree_of(one(), told={"did": None}), "the commit, did is missing"),
        (tree_of(one(), told={"version": 9}), "it has no commit"),
        (tree_of(one(), told={"version": []}), "it has no commit"),
        (tree_of(one(), told={"data": None}), "address of another form"),
        (car([RECORD], address(RECORD)), "it has no commit"),
        (car([cbor([7])], address(cbor([7]))), "it has no commit"),
        (car([], address(RECORD)), "it has no commit"),
        (car([], 7), "holds what none does"),
        (car([], b"secret"), "holds what none does"),
        (car([], address(RECORD), version=2), "no CAR file of version 1"),
        (part(cbor({"roots": [], "version": 1})), "holds what none does"),
        (part(b"gversion\x01"), "holds what none does"),
        (b"", "no CAR file of version 1"),
        (b"secret words", "no CAR file of version 1"),
        (b"PK\x03\x04secret", "no CAR file of version 1"),
        (b"\xff" * 100, "no CAR file of version 1"),
        (whole() + b"\xff" * 100, "is cut short"),
        (whole() + b"\0", "is no block of a repository"),
    ],
    ids=lambda value: "file" if isinstance(value, bytes) else None,
)
def test_what_is_no_whole_repository_is_refused(tmp_path, data, message):
    path = saved(tmp_path, data)
    if message is None:
        assert len(read_bluesky(path).posts) == 1
    else:
        refused(path, message)


def test_a_file_too_large_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, whole())
    monkeypatch.setattr(bluesky_car, "MOST_BYTES", path.stat().st_size)
    assert len(read_bluesky(path).posts) == 7
    monkeypatch.setattr(bluesky_car, "MOST_BYTES", path.stat().st_size - 1)
    refused(path, "is larger than any such archive")


def test_absent_files_and_folders_are_refused(tmp_path):
    refused(tmp_path / "mine.car", "cannot be read")
    (tmp_path / "mine.car").mkdir()
    refused(tmp_path / "mine.car", "cannot be read")


def test_without_the_package_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "atproto_core.car", None)
    path = saved(tmp_path, whole())
    with pytest.raises(DataError) as error:
        read_bluesky(path)
    wanted = 'mine.car needs a package to be read: pip install "smo_research[bluesky]".'
    assert str(error.value) == wanted


def test_the_package_is_loaded_only_when_used():
    script = (
        "import sys\n"
        "import smo_research.datasets.bluesky_repo\n"
        "assert not any(name.startswith('atproto') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
