"""Archives and exports of one's own, made by hand, each with the traps of its format."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile

import pandas as pd
import pytest

from smo_research.datasets import archive
from smo_research.datasets.mastodon_archive import read_mastodon
from smo_research.datasets.twitter_analytics import read_twitter_analytics
from smo_research.datasets.x_archive import read_x
from smo_research.errors import DataError

ME = "https://home.example/users/zoe"
BOB, AMY = "https://away.example/users/Bob", "https://home.example/users/amy"
EVA = "https://pleroma.example/users/eva"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
NAMES = ["zoe", "bob", "amy", "eva", "example", "secret", "word"]
ACTOR = {
    "id": ME,
    "url": "https://home.example/@zoe",
    "preferredUsername": "zoe",
    "followers": ME + "/followers",
    "published": "2017-04-01T00:00:00Z",
}
CONTENT = (
    '<p><span class="h-card"><a href="https://away.example/@Bob" class="u-url mention">@<span>Bob'
    '</span></a></span> secret <a href="https://home.example/tags/x" class="mention hashtag" '
    'rel="tag">#<span>x</span></a> <a href="https://news.example/a?b=1&amp;c" rel="nofollow">n</a>'
    ' <a href="http://b.example">b</a> &lt;a href="http://no.example"&gt;</p>'
)


def mention(*addresses):
    return [{"type": "Mention", "href": one, "name": "@word@example"} for one in addresses]


def create(number, when="2024-05-01T10:00:00Z", to=(PUBLIC,), cc=(ME + "/followers",), **note):
    note = {
        "id": f"{ME}/statuses/{number}",
        "type": "Note",
        "published": when,
        "content": "<p>secret word</p>",
        "inReplyTo": None,
        "attachment": [],
        "tag": [],
    } | note
    return {
        "id": f"{note['id']}/activity",
        "type": "Create",
        "published": when,
        "to": list(to),
        "cc": list(cc),
        "object": note,
    }


def announce(number, shared, *author, when="2024-05-09T10:00:00Z"):
    return {
        "id": f"{ME}/statuses/{number}/activity",
        "type": "Announce",
        "published": when,
        "to": [PUBLIC],
        "cc": [*author, ME + "/followers"],
        "object": shared,
    }


def outbox(*items):
    return {"type": "OrderedCollection", "totalItems": len(items), "orderedItems": list(items)}


def folder_of(tmp_path, files):
    folder = tmp_path / "archive"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def mastodon(tmp_path, *items, actor=ACTOR):
    return read_mastodon(folder_of(tmp_path, {"outbox.json": outbox(*items), "actor.json": actor}))


def shown(tables):
    made = (tables.accounts, tables.posts, tables.interactions)
    return " ".join(table.to_csv() for table in made if table is not None).lower()


def acts(tables):
    return tables.interactions[["target_id", "kind"]].to_numpy().tolist()


def test_mastodon_counts_of_a_post(tmp_path):
    note = {
        "content": CONTENT,
        "tag": [
            *mention(BOB),
            {"type": "Hashtag", "href": "https://home.example/tags/x", "name": "#x"},
            {"type": "Emoji", "name": ":x:"},
        ],
        "attachment": [{"type": "Document", "url": "media/1.png", "name": "secret"}],
        "likes": {"type": "Collection", "totalItems": 7},
        "shares": {"type": "Collection", "totalItems": 0},
        "replies": {"type": "Collection", "first": {"items": []}},
    }
    tables = mastodon(tmp_path, create(1, "2024-05-01T12:00:00+02:00", **note))
    (row,) = tables.posts.to_dict("records")
    assert row == {
        "post_id": "p1",
        "account_id": "a1",
        "created_at": pd.Timestamp("2024-05-01 10:00", tz="UTC"),
        "post_type": "Note",
        "hashtags": 1,
        "links": 2,
        "mentions": 1,
        "has_media": True,
        "is_reply": False,
        "reactions": 7,
        "shares": 0,
    }
    assert acts(tables) == [["a2", "mention"]]
    assert tables.interactions["post_id"].tolist() == ["p1"]
    (owner,) = tables.accounts.to_dict("records")
    assert owner == {
        "account_id": "a1",
        "platform": "Mastodon",
        "created_at": pd.Timestamp("2017-04-01", tz="UTC"),
    }
    assert not any(name in shown(tables) for name in NAMES)


def test_mastodon_link_cards_and_quotes_are_neither_media_nor_links(tmp_path):
    quote = '<p class="quote-inline">RE: <a href="https://away.example/@Bob/1">x</a></p><p>y</p>'
    card = [{"type": "Link", "href": "https://news.example/"}]
    posts = mastodon(tmp_path, create(1, content=quote, attachment=card, type="Question")).posts
    assert posts[["links", "has_media", "post_type"]].to_numpy().tolist() == [
        [0, False, "Question"]
    ]


@pytest.mark.parametrize(
    ("parent", "tags", "expected", "is_reply"),
    [
        (BOB + "/statuses/9", [BOB], [["a2", "reply"]], True),
        (BOB + "/statuses/9", [], [["a2", "reply"]], True),
        ("https://away.example/@bob/9", [BOB], [["a2", "reply"]], True),
        (BOB + "/statuses/9", [AMY, BOB], [["a2", "mention"], ["a3", "reply"]], True),
        (
            "https://pleroma.example/objects/9",
            [BOB, EVA],
            [["a2", "mention"], ["a3", "reply"]],
            True,
        ),
        ("https://pleroma.example/objects/9", [], None, True),
        ("https://pleroma.example/objects/9", [BOB], [["a2", "mention"]], True),
        (ME + "/statuses/1", [BOB], [["a2", "mention"]], False),
        ("https://home.example/@zoe/1", [], None, False),
        (None, [BOB, BOB, ME], [["a2", "mention"]], False),
        ("http://[broken", [BOB], [["a2", "mention"]], True),
    ],
)
def test_mastodon_tells_who_is_replied_to(tmp_path, parent, tags, expected, is_reply):
    tables = mastodon(tmp_path, create(2, inReplyTo=parent, tag=mention(*tags)))
    assert tables.posts["is_reply"].tolist() == [is_reply]
    assert (None if tables.interactions is None else acts(tables)) == expected


def test_own_thread_is_told_by_the_ids_of_ones_posts_too(tmp_path):
    first = "https://home.example/objects/1"
    follow = create(2, "2024-05-02T00:00:00Z", inReplyTo=first, tag=mention(AMY))
    tables = mastodon(tmp_path, create(1, id=first), follow)
    assert tables.posts["is_reply"].tolist() == [False, False]
    assert acts(tables) == [["a2", "mention"]]


def test_mastodon_shares_name_their_author_and_never_the_owner(tmp_path):
    inlined = {"id": ME + "/statuses/1", "type": "Note"}
    tables = mastodon(
        tmp_path,
        announce(1, BOB + "/statuses/1", BOB),
        announce(2, "https://pleroma.example/objects/1", EVA),
        announce(3, "https://pleroma.example/objects/2"),
        announce(4, ME + "/statuses/1", ME),
        announce(5, inlined, ME),
        announce(6, "https://away.example/users/BOB/statuses/2"),
    )
    assert tables.posts is None
    assert acts(tables) == [["a2", "share"], ["a3", "share"], ["a2", "share"]]
    assert "post_id" not in tables.interactions


def test_mastodon_messages_are_acts_and_no_posts(tmp_path):
    parent = BOB + "/statuses/9"
    tables = mastodon(
        tmp_path,
        create(1, to=[BOB], cc=[], tag=mention(BOB), inReplyTo=parent),
        create(2, to=[], cc=[]),
        create(3, to=[ME + "/followers"], cc=[BOB], tag=mention(BOB)),
        create(4, to=[ME + "/followers"], cc=[PUBLIC]),
    )
    assert len(tables.posts) == 2
    assert acts(tables) == [["a2", "message"], ["a2", "mention"]]
    assert tables.interactions["post_id"].fillna("").tolist() == ["", "p1"]


def test_order_of_the_archive_does_not_matter(tmp_path):
    items = [
        create(1, "2024-05-01T10:00:00Z", tag=mention(BOB)),
        create(2, "2024-05-01T12:30:00+02:30", tag=mention(AMY)),
        create(3, "2024-05-01T11:00:00.5Z", tag=mention(BOB)),
        create(1, "2024-05-01T10:00:00Z", tag=mention(BOB)),
        {"id": "x", "type": "Delete", "object": "y"},
    ]
    one = mastodon(tmp_path / "one", *items)
    # Equal in time: the order of the archive stands.
    two = mastodon(tmp_path / "two", items[2], items[0], items[1])
    pd.testing.assert_frame_equal(one.posts, two.posts)
    pd.testing.assert_frame_equal(one.interactions, two.interactions)
    assert one.interactions["target_id"].tolist() == ["a2", "a3", "a2"]
    assert one.interactions["seq"].tolist() == [0, 1, 2]


def test_ids_of_any_script_and_of_digits(tmp_path):
    people = [f"https://é.example/users/{name}" for name in ("007", "7", "\uff17", "ж", "\ud83d")]
    tables = mastodon(tmp_path, create("\udc00", tag=mention(*people)))
    assert tables.posts["post_id"].tolist() == ["p1"]
    assert tables.interactions["target_id"].tolist() == ["a2", "a3", "a4", "a5", "a6"]


@pytest.mark.parametrize("form", ["zip", "deflated", "tar.gz", "tar", "inside a folder"])
def test_every_form_of_an_archive_reads_the_same(tmp_path, form):
    files = {"outbox.json": outbox(create(1, tag=mention(BOB))), "actor.json": ACTOR}
    path = pack(tmp_path, {name: json.dumps(one).encode() for name, one in files.items()}, form)
    tables = read_mastodon(path)
    assert tables.posts["post_id"].tolist() == ["p1"]
    assert acts(tables) == [["a2", "mention"]]


def pack(tmp_path, files, form="deflated"):
    path = tmp_path / f"export.{form.split()[0]}"
    if form in ("zip", "deflated"):
        how = zipfile.ZIP_STORED if form == "zip" else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", how) as made:
            for name, data in files.items():
                made.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if form == "tar.gz" else "w") as made:
            for name, data in files.items():
                info = tarfile.TarInfo(f"./top/{name}" if form == "inside a folder" else name)
                info.size = len(data)
                made.addfile(info, io.BytesIO(data))
    return path


GOOD = {"outbox.json": json.dumps(outbox(create(1))), "actor.json": json.dumps(ACTOR)}


@pytest.mark.parametrize("form", ["deflated", "tar.gz"])
@pytest.mark.parametrize("name", ["../outbox.json", "/outbox.json", "a/../../x", "C:\\x", "..\\x"])
def test_names_outside_of_the_archive_are_refused(tmp_path, form, name):
    path = pack(tmp_path, {k: v.encode() for k, v in GOOD.items()} | {name: b"{}"}, form)
    with pytest.raises(DataError, match="names a file outside of itself"):
        read_mastodon(path)


@pytest.mark.parametrize("form", ["deflated", "tar.gz"])
def test_bombs_are_refused_by_their_ratio(tmp_path, form):
    zeros = {"outbox.json": bytes(archive.FLOOR + 1), "actor.json": b"{}"}
    path = pack(tmp_path, zeros, form)
    assert path.stat().st_size < archive.FLOOR / archive.MOST_TIMES
    with pytest.raises(DataError, match="unpacks to more than any such archive"):
        read_mastodon(path)


@pytest.mark.parametrize("form", ["zip", "deflated", "tar.gz", "tar"])
def test_files_too_large_are_refused_unread(tmp_path, form, monkeypatch):
    path = pack(tmp_path, {name: data.encode() for name, data in GOOD.items()}, form)
    monkeypatch.setattr(archive, "MOST_BYTES", 600)
    with pytest.raises(DataError, match="unpacks to more than any such archive"):
        read_mastodon(path)


def test_name_of_a_member_cannot_fill_the_memory(tmp_path, monkeypatch):
    path = pack(tmp_path, {"outbox.json": b"{}", "n" * 5_000: b""}, "tar.gz")
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    with pytest.raises(DataError, match=r"export.tar.gz is damaged"):
        read_mastodon(path)


@pytest.mark.parametrize("form", ["zip", "deflated", "tar.gz", "tar"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_archives_cut_short_are_refused(tmp_path, form, kept):
    noise = bytes(n * n % 251 for n in range(20_000))
    files = {"media/1.png": noise} | {name: data.encode() for name, data in GOOD.items()}
    data = pack(tmp_path, files, form).read_bytes().rstrip(b"\0")
    path = tmp_path / "cut"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(DataError, match="cut"):
        read_mastodon(path)


def test_changed_bytes_are_noticed(tmp_path):
    path = pack(tmp_path, {name: data.encode() for name, data in GOOD.items()}, "zip")
    path.write_bytes(path.read_bytes().replace(b"secret", b"public", 1))
    with pytest.raises(DataError, match=r"export.zip is damaged"):
        read_mastodon(path)


def test_locked_archive_is_refused(tmp_path):
    path = pack(tmp_path, {name: data.encode() for name, data in GOOD.items()}, "zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="is locked"):
        read_mastodon(path)


def test_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = folder_of(tmp_path, {"actor.json": ACTOR})
    (tmp_path / "elsewhere.json").write_text(GOOD["outbox.json"])
    (folder / "outbox.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(DataError, match=r"archive has no outbox.json"):
        read_mastodon(folder)


def test_several_archives_in_one_folder_are_refused(tmp_path):
    files = {f"{name}/{file}": data for name in "ab" for file, data in GOOD.items()}
    with pytest.raises(DataError, match="holds several archives"):
        read_mastodon(folder_of(tmp_path, files))
    apart = folder_of(tmp_path / "x", {"a/outbox.json": "{}", "b/actor.json": "{}"})
    with pytest.raises(DataError, match=r"no folder with all of outbox.json, actor.json"):
        read_mastodon(apart)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"", "is no .zip, .tar.gz or folder"),
        (b"secret words", "is no .zip, .tar.gz or folder"),
        (gzip.compress(b"secret words", mtime=0), "is no .zip, .tar.gz or folder"),
        (b"PK\x03\x04secret words", "is damaged"),
        (b"\x1f\x8bsecret words", "is damaged"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, content, message):
    path = tmp_path / "mine.zip"
    if content is not None:
        path.write_bytes(content)
    for read in (read_mastodon, read_x):
        with pytest.raises(DataError, match=f"mine.zip {message}") as error:
            read(path)
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"outbox.json": "{}"}, "has no actor.json"),
        ({"actor.json": "{}"}, "has no outbox.json"),
        (GOOD | {"outbox.json": '{\n"secret" oops}'}, r"outbox.json, line 2, column 10 is no JSON"),
        (GOOD | {"outbox.json": ""}, r"outbox.json, line 1, column 1 is no JSON"),
        (GOOD | {"outbox.json": "[" * 200_000}, r"outbox.json holds what no archive does"),
        (GOOD | {"outbox.json": "9" * 9_999}, r"outbox.json holds what no archive does"),
        (GOOD | {"outbox.json": []}, r"outbox.json is a list, but should be an object"),
        (GOOD | {"outbox.json": {}}, r"outbox.json, orderedItems is missing"),
        (GOOD | {"outbox.json": outbox("secret")}, r"orderedItems\[0\] is text"),
        (
            GOOD | {"outbox.json": outbox(create(1), {"type": "Create", "object": "secret"})},
            r"orderedItems\[1\].object is text, but should be an object",
        ),
        (GOOD | {"outbox.json": outbox(create(7))}, None),
        (GOOD | {"outbox.json": outbox(create(1, id=None))}, r"object.id is missing"),
        (GOOD | {"outbox.json": outbox(create(1, when=7))}, r"object.published is a number"),
        (
            GOOD | {"outbox.json": outbox(create(1), create(2, when="secret day"))},
            r"orderedItems\[1\].object.published has no time such as",
        ),
        (
            GOOD | {"outbox.json": outbox(announce(1, BOB + "/1", when=None))},
            r"published is missing",
        ),
        (GOOD | {"outbox.json": outbox()}, "holds no post of its owner"),
        (GOOD | {"actor.json": {"url": ME}}, r"actor.json, id is missing"),
        (GOOD | {"actor.json": ACTOR | {"published": "secret"}}, "the account has no time"),
        (GOOD | {"outbox.json": outbox(create(1, when="2999-01-01T00:00:00Z"))}, "in the future"),
    ],
)
def test_wrong_files_of_mastodon_are_refused(tmp_path, files, message):
    folder = folder_of(tmp_path, files)
    if message is None:
        assert len(read_mastodon(folder).posts) == 1
        return
    with pytest.raises(DataError, match=message) as error:
        read_mastodon(folder)
    assert "archive" in str(error.value)
    assert "secret" not in str(error.value)


def test_text_that_is_not_utf8_is_refused(tmp_path):
    folder = folder_of(tmp_path, GOOD)
    (folder / "actor.json").write_bytes('{\n"é": 1}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"actor.json, line 2 is not UTF-8"):
        read_mastodon(folder)


OWNER = {"accountId": "42", "username": "Zoe_Z", "createdAt": "2010-08-03T04:10:42.000Z"}
IPHONE = '<a href="http://twitter.com/download/iphone" rel="nofollow">Twitter for iPhone</a>'


def person(known, handle, start="0"):
    return {"name": "Word", "screen_name": handle, "indices": [start, "9"], "id_str": known}


def tweet(number, when="Wed Oct 10 20:19:24 +0000 2018", *, people=(), urls=(), tags=(), **told):
    return {
        "id": str(number),
        "id_str": str(number),
        "created_at": when,
        "full_text": "secret word",
        "source": IPHONE,
        "favorite_count": "3",
        "retweet_count": "0",
        "entities": {
            "hashtags": [{"text": one} for one in tags],
            "urls": [{"expanded_url": one} for one in urls],
            "user_mentions": list(people),
        },
    } | told


def js(name, items, part=0):
    return f"window.YTD.{name}.part{part} = {json.dumps(items)}"


def x_files(*tweets, account=OWNER, name="data/tweets.js"):
    folder = name.rpartition("/")[0]
    wrapped = [{"tweet": one} for one in tweets]
    return {
        name: js("tweets", wrapped),
        f"{folder}/account.js".lstrip("/"): js("account", [{"account": account}]),
    }


def x(tmp_path, *tweets, **options):
    return read_x(folder_of(tmp_path, x_files(*tweets, **options)))


def test_x_counts_of_a_post(tmp_path):
    tables = x(
        tmp_path,
        tweet(
            10**18,
            "Wed Oct 10 22:19:24 +0200 2018",
            people=[person("7", "Bob"), person("7", "bob"), person("-1", "Eva")],
            urls=["https://news.example/", "https://twitter.com/bob/status/1", "https://x.com/bob"],
            tags=["a", "b"],
            extended_entities={"media": [{"type": "photo"}]},
            favorite_count="12",
            retweet_count=4,
        ),
    )
    (row,) = tables.posts.to_dict("records")
    assert row == {
        "post_id": "p1",
        "account_id": "a1",
        "created_at": pd.Timestamp("2018-10-10 20:19:24", tz="UTC"),
        "hashtags": 2,
        "links": 2,
        "mentions": 2,
        "has_media": True,
        "is_reply": False,
        "is_automated": False,
        "client": "Twitter for iPhone",
        "reactions": 12,
        "shares": 4,
    }
    assert acts(tables) == [["a2", "mention"], ["a3", "mention"]]
    (owner,) = tables.accounts.to_dict("records")
    assert owner["created_at"] == pd.Timestamp("2010-08-03 04:10:42", tz="UTC")
    assert not any(name in shown(tables) for name in [*NAMES, str(10**18)])


@pytest.mark.parametrize(
    ("told", "expected", "is_reply"),
    [
        ({"in_reply_to_status_id": "9", "in_reply_to_user_id_str": "7"}, [["a2", "reply"]], True),
        ({"in_reply_to_status_id_str": "9", "in_reply_to_user_id": 7}, [["a2", "reply"]], True),
        ({"in_reply_to_user_id": "7"}, [["a2", "reply"]], False),
        ({"in_reply_to_status_id": "9", "in_reply_to_screen_name": "BOB"}, [["a2", "reply"]], True),
        ({"in_reply_to_status_id": "9"}, [["a2", "mention"]], True),
        ({"in_reply_to_status_id": "9", "in_reply_to_user_id": "42"}, [["a2", "mention"]], False),
        ({"in_reply_to_status_id": "1"}, [["a2", "mention"]], False),
        # A thread from before the owner took another name.
        (
            {"in_reply_to_status_id": "1", "in_reply_to_screen_name": "old"},
            [["a2", "mention"]],
            False,
        ),
    ],
)
def test_x_replies(tmp_path, told, expected, is_reply):
    later = "Thu Oct 11 20:19:24 +0000 2018"
    tables = x(tmp_path, tweet(1), tweet(2, later, people=[person("7", "bob")], **told))
    assert tables.posts["is_reply"].tolist() == [False, is_reply]
    assert acts(tables) == expected
    assert tables.interactions["post_id"].tolist() == ["p2"]


def test_x_retweets_are_shares_and_no_posts(tmp_path):
    def retweet(number, handle, *people):
        return tweet(number, people=people, full_text=f"RT @{handle}: secret @eva")

    tables = x(
        tmp_path,
        retweet(1, "Bob", person("9", "eva", "14"), person("7", "bob", "3")),
        retweet(2, "BOB"),
        retweet(3, "gone", person("-1", "gone", "3")),
        retweet(4, "zoe_z", person("42", "Zoe_Z", "3")),
        tweet(5, full_text="RT is no share"),
        retweet(6, "Gone"),
    )
    assert len(tables.posts) == 1
    assert acts(tables) == [[who, "share"] for who in ("a2", "a2", "a3", "a3")]
    assert "post_id" not in tables.interactions


def test_x_programs(tmp_path):
    sources = [
        '<a href="http://ifttt.com" rel="nofollow">IFTTT</a>',
        '<a href="http://www.hootsuite.com" rel="nofollow">HootSuite</a>',
        '<a href="https://a.example" rel="nofollow">A &amp; B</a>',
        '<a href="https://zoe.example" rel="nofollow">bot of zoe_z</a>',
        "web",
        "",
        '<a href="x">half \ud83d</a>',
    ]
    tables = x(tmp_path, *(tweet(n, source=one) for n, one in enumerate(sources)))
    posts = tables.posts
    automated = posts["is_automated"].astype(object).where(posts["is_automated"].notna(), None)
    assert automated.tolist() == [True, True, False, False, False, None, False]
    clients = ["IFTTT", "HootSuite", "A & B", "", "web", "", "half ?"]
    assert posts["client"].fillna("").tolist() == clients


def test_x_parts_and_older_forms(tmp_path):
    files = x_files(tweet("010"), tweet("10"))
    files["data/tweets-part1.js"] = "\ufeff" + js("tweets", [{"tweet": tweet("11")}], 1) + ";\n"
    files["data/tweets-part2.js"] = js("tweets", [tweet("11"), tweet("12", favorite_count=None)], 2)
    files["data/deleted-tweets.js"] = js("deleted_tweets", [{"tweet": tweet("99")}])
    tables = read_x(folder_of(tmp_path, files))
    assert sorted(tables.posts["reactions"].fillna(-1)) == [-1, 3, 3, 3]
    old = read_x(folder_of(tmp_path / "old", x_files(tweet(1), name="tweet.js")))
    assert len(old.posts) == 1
    packed = {name: text.encode() for name, text in files.items()}
    assert len(read_x(pack(tmp_path, packed)).posts) == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"data/account.js": "x"}, "has no tweets.js"),
        ({"data/tweets.js": "x"}, "has no account.js"),
        ({"data/tweets.js": "secret()"}, r"tweets.js, line 1, column 1 is no JSON"),
        (
            {"data/tweets.js": "window.YTD.tweets.part0 = [\n{},]"},
            r"tweets.js, line 2, column \d is",
        ),
        ({"data/tweets.js": js("tweets", {})}, r"tweets.js is an object, but should be a list"),
        ({"data/tweets.js": js("tweets", ["secret"])}, r"tweets.js, \[0\] is text"),
        ({"data/tweets.js": js("tweets", [{"tweet": 1}])}, r"\[0\].tweet is a number"),
        ({"data/tweets.js": js("tweets", [{"tweet": {}}])}, r"\[0\].tweet has no id"),
        ({"data/tweets.js": js("tweets", [])}, "holds no post of its owner"),
        ({"data/tweets.js": js("tweets", [{"id": 1}])}, r"\[0\].created_at is missing"),
        (
            {"data/tweets.js": js("tweets", [tweet(1, "secret")])},
            r"\[0\].created_at has no time %a",
        ),
        (
            {"data/tweets.js": js("tweets", [tweet(1, favorite_count="secret")])},
            r"\[0\].favorite_count is no count",
        ),
        ({"data/tweets.js": js("tweets", [tweet(1, retweet_count=True)])}, "is no count"),
        ({"data/account.js": js("account", [])}, r"account.js, \[0\] is missing"),
        ({"data/account.js": js("account", [{}])}, r"account.js, \[0\].account is missing"),
        ({"data/account.js": js("account", [{"account": {}}])}, "has no accountId"),
    ],
)
def test_wrong_files_of_x_are_refused(tmp_path, files, message):
    good = x_files(tweet(1))
    if "has no tweets.js" in message or "has no account.js" in message:
        good = {}
    with pytest.raises(DataError, match=message) as error:
        read_x(folder_of(tmp_path, good | files))
    assert "archive" in str(error.value)
    assert "secret" not in str(error.value)


HEAD = (
    '"Tweet id","Tweet permalink","Tweet text","time","impressions","engagements",'
    '"engagement rate","retweets","replies","likes","url clicks","media views",'
    '"promoted impressions","promoted engagement rate","promoted likes"\n'
)


def line(
    number, text, when="2014-05-01 12:30 +0000", counts="424.0,3.0,0.007,1.0,2.0,3.0", paid="-"
):
    cells = counts.split(",")
    row = [str(number), f"https://twitter.com/Zoe_Z/status/{number}", text, when, *cells, "0", "0"]
    return ",".join(f'"{cell}"' for cell in [*row, paid, "-", "-"]) + "\n"


def csv(tmp_path, text, name="tweet_activity.csv"):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_twitter_analytics_by_hand(tmp_path):
    text = (
        "\ufeff"
        + HEAD
        + line(
            649293177409679360,
            "@bob secret, #Ä #1\nword http://t.co/a https://t.co/b @eva",
            "2014-05-02 01:30 +0200",
            paid="10.0",
        )
        + line(649064976133525504, "secret", counts="-,-,-,0,0.0,0")
        + line(649064976133525505, "", "2014-05-03 00:00 +0000", paid="0.0")
    )
    tables = read_twitter_analytics(csv(tmp_path, text))
    posts = tables.posts
    assert posts["post_id"].tolist() == ["p1", "p2", "p3"]
    assert posts["created_at"].astype(str).tolist() == [
        "2014-05-01 12:30:00+00:00",
        "2014-05-01 23:30:00+00:00",
        "2014-05-03 00:00:00+00:00",
    ]
    assert posts["hashtags"].tolist() == [0, 1, 0]
    assert posts["links"].tolist() == [0, 2, 0]
    assert posts["mentions"].tolist() == [0, 2, 0]
    assert posts["is_reply"].tolist() == [False, True, False]
    assert posts["is_paid"].tolist() == [False, True, False]
    assert posts["impressions"].fillna(-1).tolist() == [-1, 424, 424]
    assert posts["shares"].tolist() == [0, 1, 1]
    assert posts["replies"].tolist() == [0, 2, 2]
    assert posts["reactions"].tolist() == [0, 3, 3]
    assert "has_media" not in posts
    assert tables.accounts.to_numpy().tolist() == [["a1", "Twitter"]]
    assert not any(name in shown(tables) for name in [*NAMES, "6490"])


def test_favorites_are_likes_and_nothing_promoted_is_unknown(tmp_path):
    text = HEAD.replace('"likes"', '"favorites"') + line(1, "x")
    text = "\n".join(row.rsplit(",", 3)[0] for row in text.splitlines())
    posts = read_twitter_analytics(csv(tmp_path, text)).posts
    assert posts["reactions"].tolist() == [3]
    assert "is_paid" not in posts


CONTENT_HEAD = (
    "Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,"
    "Replies,Reposts,Profile visits,Detail Expands,URL Clicks,Hashtag Clicks,Permalink Clicks\n"
)
# The platform's own example of an id: 2020-10-15 16:52:42.000 UTC by its clock.
KNOWN_ID = ((1_602_780_762_123 - 1_288_834_974_657) << 22) + 4_000_001
ROW = f'{KNOWN_ID},"Thu, Oct 15, 2020","@bob #a",https://x.com/Zoe/status/1,9,2,0,0,5,1,3,4,0,0,0,0,0\n'


def test_x_analytics_has_its_times_from_the_ids(tmp_path):
    tables = read_twitter_analytics(csv(tmp_path, CONTENT_HEAD + ROW))
    (row,) = tables.posts.to_dict("records")
    assert row == {
        "post_id": "p1",
        "account_id": "a1",
        "created_at": pd.Timestamp("2020-10-15 16:52:42.123", tz="UTC"),
        "hashtags": 1,
        "links": 0,
        "mentions": 1,
        "is_reply": True,
        "impressions": 9,
        "reactions": 2,
        "replies": 3,
        "shares": 4,
    }


def test_post_in_several_exports_is_taken_where_it_counts_most(tmp_path):
    early = HEAD + line(7, "x", counts="9,0,0,1,1,1") + line(8, "x", counts="8,0,0,1,1,1")
    late = HEAD + line(7, "x", counts="10,0,0,2,2,2")
    csv(tmp_path, late, "a/1.csv")
    csv(tmp_path, early, "a/2.csv")
    csv(tmp_path, CONTENT_HEAD + ROW, "a/3.csv")
    tables = read_twitter_analytics(tmp_path / "a")
    assert tables.posts["impressions"].tolist() == [10, 8, 9]
    assert tables.posts["account_id"].tolist() == ["a1", "a1", "a2"]
    assert len(tables.accounts) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HEAD, "has no posts"),
        ("Tweet id,secret\n1,2\n", "has no column Tweet permalink"),
        ("a,b\n1,2\n", "has no column Post id"),
        (HEAD + '1,"secret\n', "is no whole table|is no table"),
        (HEAD + line("6.49E+17", "x"), "row 2: 'Tweet id' is no id"),
        (
            HEAD
            + line(1234567890123450000, "x").replace(
                "status/1234567890123450000", "status/1234567890123456789"
            ),
            "'Tweet id' is not the id in the link",
        ),
        (HEAD.replace(",", ";"), "was saved by a spreadsheet"),
        ("Date,Tweets published,impressions,engagements\n", "is the export by day"),
        (HEAD + line(1, "secret", "secret"), "row 2: 'time' is no time of the form"),
        (HEAD + line(1, "x", "2014-05-01 12:30"), "row 2: 'time' is no time of the form"),
        (
            HEAD + line(1, "x") + line(2, "x", counts="1,1,1,0.5,1,1"),
            "row 3: 'retweets' is no count",
        ),
        (HEAD + line(1, "x").replace("/status/", "/secret/"), "'Tweet permalink' is no address"),
        (CONTENT_HEAD + ROW.replace("Oct 15", "Oct 19"), "'Post id' is of another day"),
        (CONTENT_HEAD + ROW.replace("Thu, Oct 15, 2020", "2020"), "'Date' is no time"),
        ("Date,Impressions,New follows,Unfollows\nx,1,1,1\n", "is the account overview"),
        (HEAD + line(1, "x", "2999-05-01 12:30 +0000"), "in the future"),
    ],
)
def test_wrong_exports_are_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as error:
        read_twitter_analytics(csv(tmp_path, text))
    assert "tweet_activity.csv" in str(error.value)
    assert "secret" not in str(error.value)


def test_absent_exports_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.csv cannot be read"):
        read_twitter_analytics(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"has no .csv file"):
        read_twitter_analytics(tmp_path)
