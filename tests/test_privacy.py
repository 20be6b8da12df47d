"""No name and no text of own data in anything that is written or said; no cell of few people."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sys
import tempfile
import traceback
import zipfile

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from leaks import hunt, hunt_folder
from test_bluesky import external, marks, repository

from smo_research import cli
from smo_research.datasets.graph_files import read_graph
from smo_research.datasets.mastodon_archive import read_mastodon
from smo_research.datasets.pseudonyms import under_pseudonyms
from smo_research.datasets.twitter_analytics import read_twitter_analytics
from smo_research.datasets.x_archive import read_x
from smo_research.errors import DataError
from smo_research.importing import KINDS
from smo_research.measures.acts import connect
from smo_research.simulation.simulated import simulate
from smo_research.simulation.worlds import World

HANDLE, NAME, MAIL = "zoltan_quibble", "Ulrike Önderdonk & <Söhne>", "wilma@grzelak.example"
DID, TAG, TEXT = "did:plc:z9q8vex77", "#Quibblegate", "marmalade heist, they said"
URL = "https://quibblefarm.example/@zoltan?a=1&b=2"
NUMBER = "918273645500017"
PLANTS = [HANDLE, NAME, MAIL, DID, TAG, TEXT, URL, NUMBER, "quibble", "önderdonk", "grzelak"]
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"

X_TIME, X_BEGINS = "%a %b %d %H:%M:%S +0000 %Y", pd.Timestamp("2019-01-01")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Folders for what is given, for what is made, and for passing files."""
    for name in ("mine", "made", "passing"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SMO_CACHE", str(tmp_path / "made" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "passing"))
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path


@pytest.fixture
def smo(place, monkeypatch, capfd, caplog):
    """Run a command and give its status, having kept all that it said beside what it made."""
    said = []

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["smo", *map(str, words)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        told = capfd.readouterr()
        said.append("\n".join((told.out, told.err, caplog.text)))
        (place / "made" / f"{len(said)} said.txt").write_text(said[-1], encoding="utf-8")
        return status, said[-1]

    return run


def clean(place, plants=PLANTS):
    """What of the planted is in any file but those given."""
    return hunt_folder(place / "made", plants) | hunt_folder(place / "passing", plants)


@pytest.mark.parametrize("plant", PLANTS)
def test_the_hunter_finds_what_is_hidden(plant, tmp_path):
    picture = io.BytesIO()
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Comment", f"it is {plant}", zip=True)
    Image.new("L", (2, 2)).save(picture, "PNG", pnginfo=told)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", f"it is {plant}")
    table = pd.DataFrame({"a": [f"it is {plant}"] * 9}).to_parquet(compression="zstd")
    for data in (
        f"it is {plant.upper()}".encode(),
        f"it is {plant}".encode("utf-16"),
        json.dumps({"a": plant}).encode(),
        gzip.compress(f"it is {plant}".encode()),
        b"<img src='data:text/plain;base64," + base64.b64encode(f"it is {plant}, yes".encode()),
        packed.getvalue(),
        table,
        picture.getvalue(),
    ):
        assert plant in hunt(data, PLANTS)
    assert not hunt(b"a1,a2,reply,2020-01-01", PLANTS)


def person(account):
    return f"{HANDLE}.{account}@quibblefarm.example" if account else account


@pytest.fixture(scope="module")
def world():
    return simulate(World(accounts=40, periods=14), seed=1)


MAPPED = """
[table.interactions]
file = "acts.csv"
separator = ";"
[table.interactions.columns]
source_id = "Who"
target_id = "Whom"
created_at = "Sent"
[table.interactions.values]
kind = "reply"
"""


def mapped_folder(folder, world, ids="people"):
    """Tables of a world whose accounts and posts have names, beside columns of texts."""
    folder.mkdir()
    acts = world.interactions.assign(
        Who=world.interactions["source_id"].map(person),
        Whom=world.interactions["target_id"].map(person),
    ).rename(columns={"created_at": "Sent"})
    columns = {"Name": NAME, "Mail": MAIL, "Text": TEXT, "Tag": TAG, "Link": URL, "Did": DID}
    acts = acts[["Who", "Whom", "Sent"]].assign(**columns)
    acts.to_csv(folder / "acts.csv", sep=";", index=False)
    rare = world.posts["account_id"].isin(["a00", "a01"])
    posts = world.posts.assign(
        account_id=world.posts["account_id"].map(person),
        post_id=URL + world.posts["post_id"],
        client=HANDLE,
        post_type=np.where(rare & (world.posts.index % 2 == 0), HANDLE, "status"),
    )
    posts.to_parquet(folder / "posts.parquet", index=False)
    accounts = world.accounts.assign(account_id=world.accounts["account_id"].map(person))
    accounts.to_csv(folder / "accounts.csv", index=False)
    (folder / "smo.toml").write_text(f'name = "village"\nids = "{ids}"\n{MAPPED}')
    return folder


@pytest.mark.parametrize("ids", ["people", "own"])
def test_a_mapped_folder_leaves_no_name_and_no_text(ids, smo, place, world):
    folder = mapped_folder(place / "mine" / "v", world, ids)
    if ids == "own":
        posts = pd.read_parquet(folder / "posts.parquet").assign(post_type="status")
        posts.to_parquet(folder / "posts.parquet")
    assert hunt_folder(place / "mine", PLANTS)
    assert smo("validate", folder)[0] == 0
    assert smo("validate", folder, "--json")[0] == 0
    status, said = smo("study", "--data", folder, "--quick", "-o", place / "made" / "out")
    assert status == 0, said
    verdicts = pd.read_csv(place / "made" / "out" / "verdicts.csv")
    assert set(verdicts.loc[verdicts["verdict"] != "untestable", "hypothesis"]) >= {"H1", "H5"}
    assert {"report.html", "evidence.csv", "specifications.csv", "manifest.json"} <= {
        path.name for path in (place / "made" / "out").iterdir()
    }
    assert clean(place) == {}
    page = (place / "made" / "out" / "report.html").read_text(encoding="utf-8")
    told = re.findall(r'\s(?:id|name|href|class|aria-label|title)="([^"]*)"', page)
    assert len(told) > 100
    # Our serial names; matplotlib's own ids are of letters, or have an underscore.
    assert not [one for one in told if re.search(r"(?<!\w)[ap]\d+(?!\w)", one)]
    assert "left out: " not in (place / "made" / "out" / "specifications.csv").read_text()


def write_log(folder, world):
    acts = world.interactions.assign(
        source_id=world.interactions["source_id"].map(person),
        target_id=world.interactions["target_id"].map(person),
    )
    acts.to_csv(folder / "log.csv", index=False)
    acts.astype({"source_id": "str", "target_id": "str"}).to_parquet(
        folder / "log.parquet", index=False
    )
    posts = world.posts.assign(account_id=world.posts["account_id"].map(person))
    posts.assign(post_id=URL + posts["post_id"]).to_csv(folder / "posts.csv", index=False)
    return acts


@pytest.mark.parametrize("log", ["log.csv", "log.parquet"])
def test_panel_and_graph_name_accounts_by_pseudonyms(log, smo, place, world):
    acts = write_log(place / "mine", world)
    out = place / "made" / "panel.parquet"
    words = ["panel", "--interactions", log, "--posts", "posts.csv"]
    assert smo(*words, "-o", out)[0] == 0
    assert smo("graph", "--interactions", log, "-o", place / "made" / "nodes.csv")[0] == 0
    assert clean(place) == {}
    kept = place / "mine" / "kept.parquet"
    assert smo(*words, "--keep-ids", "-o", kept)[0] == 0
    named = acts[["source_id", "target_id"]].to_numpy().ravel()
    serial = {name: f"a{number}" for number, name in enumerate(dict.fromkeys(named), 1)}
    panels = [pd.read_parquet(path) for path in (out, kept)]
    assert set(panels[0]["account_id"]) == {serial[one] for one in panels[1]["account_id"]}
    panels[1]["account_id"] = panels[1]["account_id"].map(serial)
    one, other = (rows.sort_values(["account_id", "period"], ignore_index=True) for rows in panels)
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_pseudonyms_of_the_engine_are_those_of_a_frame(world):
    log = world.interactions.sample(frac=1, random_state=1)
    posts = world.posts.head(3).assign(account_id=["a00", "nobody else", "a01"])
    backend = connect()
    theirs, posted = under_pseudonyms(backend.create_table("log", log), posts, backend)
    ours, posted_too = under_pseudonyms(log, posts)
    pd.testing.assert_frame_equal(
        backend.execute(theirs.order_by("seq")),
        ours.sort_values("seq", ignore_index=True),
        check_dtype=False,
    )
    pd.testing.assert_frame_equal(posted, posted_too)
    accounts = set(log["source_id"]) | set(log["target_id"])
    assert posted["account_id"][1] == f"a{len(accounts) + 1}"


def tagged(number):
    return number * 7919 % 11 < 5


def replying(number):
    return number * 104729 % 7 < 3


def linked(number):
    return number * 611953 % 13 < 5


def likes(number):
    return number * 1299709 % 5 + 2 * tagged(number)


def program(number):
    return "Buffer" if number * 15485863 % 9 < 3 else f"{HANDLE} posts"


def note(number):
    me = f"https://quibblefarm.example/users/{HANDLE}"
    them = f"https://grzelak.example/users/wilma{number % 7}"
    mentions = [{"type": "Mention", "href": them, "name": f"@{MAIL}"}]
    tags = [{"type": "Hashtag", "href": URL, "name": TAG}] * tagged(number)
    told = {
        "id": f"{me}/statuses/{number}",
        "type": "Note",
        "published": str(pd.Timestamp("2023-01-01", tz="UTC") + number * pd.Timedelta(hours=31)),
        "content": f'<p>{TEXT} {TAG} <a href="{URL}">{NAME}</a></p>',
        "summary": NAME,
        "inReplyTo": f"{them}/statuses/{number}" if replying(number) else None,
        "tag": mentions * (number % 3 == 0) + tags,
        "attachment": [{"type": "Document", "url": URL, "name": TEXT}] * linked(number),
        "likes": {"totalItems": likes(number)},
        "shares": {"totalItems": number % 3},
    }
    return {"id": f"{URL}/{number}", "type": "Create", "to": [PUBLIC], "object": told}


def mastodon_folder(folder, notes=240):
    folder.mkdir()
    me = f"https://quibblefarm.example/users/{HANDLE}"
    actor = {"id": me, "preferredUsername": HANDLE, "name": NAME, "summary": f"{MAIL} {DID}"}
    outbox = {"orderedItems": [note(number) for number in range(notes)]}
    (folder / "actor.json").write_text(json.dumps(actor))
    (folder / "outbox.json").write_text(json.dumps(outbox, ensure_ascii=False))
    return folder


def x_archive(path, tweets=240):
    account = {"accountId": NUMBER, "username": HANDLE, "email": MAIL, "accountDisplayName": NAME}
    told = [
        {
            "id_str": f"{NUMBER}{number:04}",
            "created_at": (X_BEGINS + number * pd.Timedelta(hours=31)).strftime(X_TIME),
            "full_text": f"{TEXT} {TAG} {URL}",
            "source": f'<a href="{URL}">{program(number)}</a>',
            "favorite_count": str(likes(number)),
            "retweet_count": str(number % 3),
            "in_reply_to_screen_name": HANDLE + "2" if replying(number) else None,
            "in_reply_to_user_id_str": NUMBER + "2" if replying(number) else None,
            "in_reply_to_status_id_str": NUMBER + "3" if replying(number) else None,
            "entities": {
                "hashtags": [{"text": TAG[1:]}] * tagged(number),
                "urls": [{"expanded_url": URL}] * linked(number),
                "user_mentions": [{"screen_name": HANDLE + "2", "id_str": NUMBER + "2"}]
                * (number % 3 == 0),
            },
        }
        for number in range(tweets)
    ]
    wrapped = [{"tweet": one} for one in told]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "data/account.js", f"window.YTD.account.part0 = {json.dumps([{'account': account}])}"
        )
        archive.writestr("data/tweets.js", f"window.YTD.tweets.part0 = {json.dumps(wrapped)}")
    assert hunt(path.read_bytes(), [HANDLE])
    return path


def bluesky_repository(path, posts=240):
    """What the owner wrote, liked, shared and followed, and a profile full of names."""
    me, them = f"did:plc:{HANDLE}", [f"{DID}{number}" for number in range(7)]
    records = {
        "app.bsky.actor.profile/self": {"displayName": NAME, "description": f"{MAIL} {URL}"},
        f"org.{HANDLE}.note/1": {"text": TEXT},
    }
    for number in range(posts):
        when = pd.Timestamp("2023-01-01", tz="UTC") + number * pd.Timedelta(hours=31)
        told = {"$type": "app.bsky.feed.post", "text": f"{TEXT} {TAG}", "tags": [TAG[1:]]}
        told |= {"createdAt": when.isoformat(), "langs": [HANDLE], NAME: TEXT}
        who = them[number % 7]
        told["facets"] = marks(mention=[who], link=[URL], tag=[TAG[1:]] * tagged(number))
        if linked(number):
            told["embed"] = external(URL) | {NAME: MAIL}
        if replying(number):
            place = {"uri": f"at://{who}/app.bsky.feed.post/{HANDLE}", "cid": HANDLE}
            told["reply"] = {"root": place, "parent": place}
        records[f"app.bsky.feed.post/{HANDLE}{number:04}"] = told
        follow = {"subject": who, "createdAt": when.isoformat(), "note": MAIL}
        records[f"app.bsky.graph.follow/{HANDLE}{number:04}"] = follow
    path.write_bytes(repository(records, did=me))
    return path


def analytics_export(path, tweets=240):
    rows = [
        {
            "Tweet id": f"{NUMBER}{number:04}",
            "Tweet permalink": f"https://twitter.com/{HANDLE}/status/{NUMBER}{number:04}",
            "Tweet text": f"@{HANDLE}2 {TEXT} {URL} {MAIL}"[1 - replying(number) :]
            + f" {TAG}" * tagged(number)
            + f" @{HANDLE}3" * (number % 3 == 0),
            "time": f"{X_BEGINS + number * pd.Timedelta(hours=31):%Y-%m-%d %H:%M} +0000",
            "impressions": 100 + number,
            "retweets": number % 3,
            "replies": number % 2,
            "likes": likes(number),
            NAME: f"{NAME} {DID}",
        }
        for number in range(tweets)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def planted_graph(path, world):
    """Names in nodes, their labels and addresses, in edges and in the graph itself."""
    graph = nx.DiGraph(name=NAME, creator=MAIL, note=f"{TEXT} {TAG}")
    for act in world.interactions.iloc[::20].itertuples():
        for one in (act.source_id, act.target_id):
            graph.add_node(person(one), label=NAME, mail=MAIL, home=URL, did=DID, number=NUMBER)
        told = {"time": str(act.created_at), "text": TEXT, "tag": TAG, "label": HANDLE}
        graph.add_edge(person(act.source_id), person(act.target_id), **told)
    (nx.write_gexf if path.suffix == ".gexf" else nx.write_graphml)(graph, path)
    return path


def planted_log(path, world, weight=""):
    """An edge list of names, and names in its comments."""
    lines = [
        f"{person(act.source_id)} {person(act.target_id)} {weight}{act.created_at.timestamp():.0f}"
        for act in world.interactions.itertuples()
    ]
    mark = "%" if weight else "#"
    told = "\n".join([f"{mark} {NAME} {MAIL} {URL} {TEXT}", *lines])
    path.write_text(told, encoding="utf-8")
    return path


def more_of_x(path):
    """What else is in an archive of X, and is not asked for."""
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("direct-messages", "like", "profile", "contact", HANDLE):
            archive.writestr(f"data/{name}.js", f"window.YTD.{name}.part0 = {json.dumps(PLANTS)}")
    return path


def more_of_mastodon(folder):
    (folder / "likes.json").write_text(json.dumps({"orderedItems": PLANTS}))
    (folder / "bookmarks.json").write_text(json.dumps({"orderedItems": PLANTS}))
    (folder / f"{HANDLE}.json").write_text(json.dumps(PLANTS))
    return folder


ARCHIVES = {
    "mastodon": lambda place, world: more_of_mastodon(mastodon_folder(place)),
    "bluesky": lambda place, world: bluesky_repository(place.with_suffix(".car")),
    "x": lambda place, world: more_of_x(x_archive(place.with_suffix(".zip"))),
    "twitter-analytics": lambda place, world: analytics_export(place.with_suffix(".csv")),
    "graph": lambda place, world: planted_graph(place.with_suffix(".graphml"), world),
    "graph ": lambda place, world: planted_graph(place.with_suffix(".gexf"), world),
    "snap": planted_log,
    "konect": lambda place, world: planted_log(place, world, "1 "),
}


def test_no_kind_is_without_its_plants():
    assert {kind.strip() for kind in ARCHIVES} == set(KINDS)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_what_is_imported_leaves_no_name_and_no_text(kind, smo, place, world, monkeypatch):
    """Imported, checked and studied; and nothing is told by an error in the middle of reading."""
    path = ARCHIVES[kind](place / "mine" / HANDLE, world)
    assert hunt_folder(place / "mine", [HANDLE, MAIL])
    bring = ["import", kind.strip(), path, "-o"]
    for folder, words in (("tables", []), ("packed", ["--parquet"])):
        status, said = smo(*bring, place / "made" / folder, *words)
        assert status == 0, said
    assert smo("validate", place / "made" / "packed")[0] == 0
    out = place / "made" / "out"
    status, said = smo("study", "--data", place / "made" / "tables", "--quick", "-o", out)
    assert status == 0, said
    verdicts = pd.read_csv(out / "verdicts.csv").set_index("hypothesis")["verdict"]
    tested = set(verdicts.index[verdicts != "untestable"])
    counted, logged = ("mastodon", "x", "twitter-analytics"), ("snap", "konect")
    assert tested >= ({"H1"} if kind in counted else {"H5"} if kind in logged else set())

    def fail(frame, *words, **options):
        raise RuntimeError(f"{PLANTS} {frame}")

    monkeypatch.setattr("smo_research.tables.checked", fail)
    status, said = smo(*bring, place / "made" / "third")
    assert status == 1 and "RuntimeError" in said
    assert not (place / "made" / "third").exists()
    assert clean(place) == {}


ACT, POST = "source_id,target_id,created_at,seq,kind", "post_id,account_id,created_at,hashtags"
SOUND = {
    "interactions.csv": [ACT, "ann,bob,2020-01-01,0,reply", "bob,ann,2020-01-02,1,reply"],
    "posts.csv": [POST, "1,ann,2020-01-01,2", "2,ann,2020-01-02,0"],
    "followers.csv": ["account_id,observed_at,followers", "ann,2020-01-01,3"],
    "accounts.csv": ["account_id,platform,follow_back", "ann,X,0.5"],
}
LINES = {
    "time of an act": ("interactions.csv", "ann,bob,{},2,reply"),
    "place of an act": ("interactions.csv", "ann,bob,2020-01-01,{},reply"),
    "kind of an act": ("interactions.csv", "ann,bob,2020-01-01,2,{}"),
    "no target": ("interactions.csv", "{},,2020-01-01,2,reply"),
    "too many cells": ("interactions.csv", "ann,bob,2020-01-01,2,reply,{},{}"),
    "a quote that never ends": ("interactions.csv", 'ann,bob,2020-01-01,2,"{}'),
    "time of a post": ("posts.csv", "3,{},{},0"),
    "hashtags": ("posts.csv", "3,ann,2020-01-01,{}"),
    "a post twice": ("posts.csv", "{0},ann,2020-01-01,1\n{0},ann,2020-01-01,1"),
    "followers": ("followers.csv", "{},2020-01-02,{}"),
    "a share": ("accounts.csv", "{},X,{}"),
    "an account twice": ("accounts.csv", "{0},X,1\n{0},X,1"),
}
# Where a long number is no mistake.
NUMBERS = ("place of an act", "hashtags", "followers")
CELLS = [HANDLE, NAME, MAIL, DID, TAG, TEXT.replace(",", ";"), URL, NUMBER]


def broken(folder, file, line):
    folder.mkdir(exist_ok=True)
    for name, lines in SOUND.items():
        more = [line] if name == file else []
        (folder / name).write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("wrong", LINES)
def test_wrong_rows_are_told_without_quoting_them(wrong, smo, place):
    file, line = LINES[wrong]
    for number, plant in enumerate([HANDLE, NAME, *([NUMBER] if wrong not in NUMBERS else [])]):
        folder = broken(place / "mine" / f"v{number}", file, line.format(plant, plant))
        assert smo("validate", folder)[0] == 2
        assert smo("validate", folder, "--json")[0] == 2
        status, said = smo("study", "--data", folder, "-o", place / "made" / "out")
        assert status == 2
        assert f"smo: {file}" in said
        if file == "interactions.csv":
            log = ["panel", "--interactions", folder / file, "-o", place / "made" / "p.parquet"]
            assert smo(*log)[0] in (1, 2)
        if file == "posts.csv":
            acts = ["panel", "--interactions", folder / "interactions.csv"]
            out = ["--posts", folder / file, "-o", place / "made" / "p.parquet"]
            assert smo(*acts, *out)[0] == 2
    assert clean(place) == {}


@pytest.mark.parametrize("plant", [HANDLE, NAME, URL, NUMBER])
def test_other_formats_are_refused_without_quoting_them(plant, smo, place):
    word = plant.replace(" ", "_")
    logs = {
        "snap": f"1 2 x{word}\n",
        "snap ": f"1 2 1577836800 {word}\n",
        "snap  ": f"1 2 3 4 5 6 {word}\n",
        "snap   ": f"{word} 2\n",
        "konect": f"1 2 x{word} 1577836800\n",
        "konect ": f"1 2 1 x{word}\n",
        "csv": f"{plant},{plant}\n1,2\n",
        "csv ": f"{ACT}\n1,2,2020-01-01,0,{word}\n",
    }
    for form, text in logs.items():
        path = place / "mine" / f"{len(form)}.{form.strip()}"
        path.write_text(text, encoding="utf-8")
        words = ["--interactions", path, "--format", form.strip()]
        assert smo("panel", *words, "-o", place / "made" / "p.csv")[0] == 2, form
        assert smo("graph", *words, "-o", place / "made" / "n.csv")[0] == 2, form
    table = pd.DataFrame({"source_id": ["1"], "target_id": ["2"], "created_at": [plant]})
    odd = table.assign(created_at=[[plant]], seq=[{"a": plant}])
    for frame in (table, odd, table.assign(created_at=[plant.encode()])):
        frame.to_parquet(place / "mine" / "interactions.parquet")
        words = ["--interactions", place / "mine" / "interactions.parquet"]
        assert smo("panel", *words, "-o", place / "made" / "p.csv")[0] in (1, 2)
        assert smo("validate", place / "mine")[0] in (1, 2)
    assert clean(place) == {}


def archives(folder, plant):
    """Archives and exports, each with the plant where it may not be, and how they are read."""
    analytics = "Tweet id,Tweet permalink,Tweet text,time,impressions,retweets,replies,likes\n"
    row = f'{{}},https://twitter.com/{HANDLE}/status/1,"{plant}",{{}},{{}},0,0,0\n'
    later = "2014-05-01 12:30 +0000"
    graph = (
        '<graphml><graph edgedefault="directed"><node id="{0}"/><edge source="{0}" target="b">'
        '<data key="{0}">{0}</data></edge></graph></graphml>'
    ).format("x&amp;" + plant.replace("&", "").replace("<", ""))
    actor = json.dumps({"id": f"https://quibblefarm.example/users/{HANDLE}"})
    note_of = {"id": URL, "type": "Note", "published": plant, "content": TEXT}
    wrong_note = {"orderedItems": [{"type": "Create", "object": note_of, "to": [PUBLIC]}]}
    account = f'window.YTD.account.part0 = [{{"account": {{"accountId": "{NUMBER}"}}}}]'
    told = {"id_str": NUMBER, "created_at": plant, "full_text": TEXT}
    tweets = f"window.YTD.tweets.part0 = {json.dumps([{'tweet': told}])}"
    return [
        (read_twitter_analytics, "a.csv", analytics + row.format(f"x{plant}", later, 1)),
        (read_twitter_analytics, "b.csv", analytics + row.format(NUMBER, plant, 1)),
        (read_twitter_analytics, "c.csv", analytics + row.format(NUMBER, later, f"x{plant}")),
        (read_graph, "a.graphml", graph),
        (read_graph, "b.graphml", graph.replace("</graph>", f"&{HANDLE};</graph>")),
        (read_graph, "c.graphml", graph[:-9]),
        (read_mastodon, "m1", {"actor.json": actor, "outbox.json": json.dumps(wrong_note)}),
        (read_mastodon, "m2", {"actor.json": actor, "outbox.json": '{"a": "' + plant}),
        (read_mastodon, "m3", {"actor.json": actor, "outbox.json": json.dumps([plant])}),
        (read_x, "x1", {"account.js": account, "tweets.js": tweets}),
        (read_x, "x2", {"account.js": account, "tweets.js": tweets[:-9]}),
        (read_x, "x3", {"account.js": f"{plant} = 3", "tweets.js": tweets}),
    ]


@pytest.mark.parametrize("plant", CELLS)
def test_wrong_archives_are_refused_without_quoting_them(plant, place):
    for read, name, content in archives(place, plant):
        path = place / "mine" / name
        if isinstance(content, dict):
            path.mkdir()
            for file, text in content.items():
                (path / file).write_text(text, encoding="utf-8")
        else:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError) as refused:
            read(path)
        error = refused.value
        told = "".join(traceback.format_exception(type(error), error, None))
        assert not hunt(told.encode(), PLANTS), (name, told)


@pytest.mark.parametrize("kind", [KeyError, ValueError, RuntimeError, TypeError])
def test_an_error_that_nobody_foresaw_says_where_and_not_what(kind, smo, place, monkeypatch):
    def fail(*words, **options):
        raise kind(PLANTS)

    monkeypatch.setattr("smo_research.datasets.folder.read_table", fail)
    folder = broken(place / "mine" / "v", "posts.csv", "")
    for words in (["validate", folder], ["study", "--data", folder, "-o", place / "made" / "out"]):
        status, said = smo(*words)
        assert status == 1
        assert kind.__name__ in said
        assert "folder.py" in said
    assert clean(place) == {}
    assert not (place / "made" / "out").exists()
