"""Examples of data of one's own, made by the simulator, to see how each is brought in."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

from smo_research.datasets.twitter_analytics import BITS, DAY, FIRST_MILLISECOND, POSTS
from smo_research.datasets.x_archive import TIME
from smo_research.errors import DataError
from smo_research.example_repository import repository
from smo_research.importing import TEMPLATES, check_empty
from smo_research.output import beside, place
from smo_research.simulation.scenarios import scenario
from smo_research.simulation.simulated import simulate

ACCOUNTS, PERIODS = 120, 30
COLUMNS = {"source_id": "From", "target_id": "To", "created_at": "Sent"}
SETTINGS = """\
# What these files are. Every line is optional but the columns of a table that is not canonical.
name = "letters"
title = "Letters of a simulated village"

# People's ids become a1, a2 and so on; "public" keeps those of organisations and public figures.
ids = "people"

# In days: how long a period is, when a newcomer must be back at the earliest, and at the latest.
[windows]
period = 7
gap = 7
horizon = 42
from_launch = true

[table.interactions]
file = "letters.csv"
separator = ";"

# The name here, and the name in the file. Columns that are not named are not read.
[table.interactions.columns]
source_id = "From"
target_id = "To"
created_at = "Sent"

# The same in every row.
[table.interactions.values]
kind = "message"
"""


def example_folder(folder: str | Path, *, seed: int = 1) -> Path:
    """Write a CSV that is not in canonical form, and the smo.toml that says what it is.

    Parameters
    ----------
    folder
        Where to; it is made if need be.
    seed
        Of the simulated village: answering brings newcomers, and the answered come back more.

    Returns
    -------
    pathlib.Path
        The folder, for `read_folder` and `smo study --data`.

    Examples
    --------
    >>> import tempfile
    >>> sorted(path.name for path in example_folder(tempfile.mkdtemp()).iterdir())
    ['accounts.csv', 'letters.csv', 'smo.toml']
    """
    folder = Path(folder)
    village = scenario("conversation").turned(accounts=ACCOUNTS, periods=PERIODS, turns=0.3)
    world = simulate(village, seed=seed)
    letters = world.interactions[[*COLUMNS]].rename(columns=COLUMNS)
    letters["Text"] = "(what was written)"
    # Whom the study is about; a table with canonical names needs no line in smo.toml.
    accounts = world.accounts.assign(platform="letters")
    with beside(folder) as part:
        letters.to_csv(part / "letters.csv", sep=";", index=False)
        accounts.to_csv(part / "accounts.csv", index=False)
        (part / "smo.toml").write_text(SETTINGS, encoding="utf-8")
        place(part, folder)
    return folder


HOME, AWAY = "https://home.example/users/", "https://away.example/users/"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
OWNER = "somebody"
# Of the acts of the made-up owner one in so many is a share, or a message to one person.
SHARES, PRIVATE = 10, 15
GRAPHML = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="t" for="edge" attr.name="time" attr.type="string"/>
<key id="k" for="edge" attr.name="kind" attr.type="string"><default>message</default></key>
<graph edgedefault="directed">
{nodes}
{edges}
</graph></graphml>
"""
GRAPHML_EDGE = '<edge source="{}" target="{}"><data key="t">{}</data></edge>'
GEXF = """\
<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<graph defaultedgetype="directed" mode="dynamic" timeformat="dateTime">
<nodes>
{nodes}
</nodes><edges>
{edges}
</edges></graph></gexf>
"""
GEXF_EDGE = '<edge id="{number}" source="{}" target="{}" start="{}" kind="message"/>'

Act = tuple[str, str, Any]
Post = dict[str, Any]


def write_template(kind: str, folder: str | Path) -> str:
    r"""Write a made-up example of an archive, export, graph or log, and say how to go on.

    Parameters
    ----------
    kind
        One of those of `smo import`, with graphml and gexf for graph; or csv, for tables whose
        columns smo.toml names.
    folder
        It is new or empty.

    Returns
    -------
    str
        The next command.

    Raises
    ------
    DataError
        When the kind is not known, or the folder not empty.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_template("snap", folder).startswith("Now: smo import snap")
    True
    >>> (folder / "log.txt").read_text().partition("\n")[0]
    '# source target seconds'
    """
    folder = Path(folder)
    if kind not in TEMPLATES:
        raise DataError(f"There is no kind '{kind[:60]}'; give one of {', '.join(TEMPLATES)}.")
    check_empty(folder)
    if kind == "csv":
        return f"Now: smo study --data {quote(str(example_folder(folder)))}"
    with beside(folder) as part:
        made = WRITERS[kind](part)
        place(part, folder)
    reader = "graph" if kind in ("graphml", "gexf") else kind
    return f"Now: smo import {reader} {quote(str(folder / made))} -o tables"


def _acts() -> list[Act]:
    """Acts of a village: who, toward whom, when."""
    log = simulate(scenario("conversation").turned(accounts=50, periods=20), seed=1).interactions
    return list(log[["source_id", "target_id", "created_at"]].itertuples(index=False, name=None))


def _owner() -> tuple[list[Post], list[Act]]:
    """Posts and acts of one account, that which posts most."""
    world = simulate(scenario("both").turned(accounts=40, periods=80), seed=1)
    owner = world.posts["account_id"].value_counts().idxmax()
    posts = world.posts[world.posts["account_id"] == owner]
    acts = world.interactions[world.interactions["source_id"] == owner]
    ends = acts[["source_id", "target_id", "created_at"]]
    return posts.to_dict("records"), list(ends.itertuples(index=False, name=None))


def _snap(folder: Path) -> str:
    lines = [f"{one} {other} {when.timestamp():.0f}" for one, other, when in _acts()]
    return _text(folder, "log.txt", "\n".join(["# source target seconds", *lines, ""]))


def _konect(folder: Path) -> str:
    lines = [f"{one} {other} 1 {when.timestamp():.0f}" for one, other, when in _acts()]
    return _text(folder, "out.village", "\n".join(["% asym positive", *lines, ""]))


def _graphml(folder: Path) -> str:
    return _text(folder, "village.graphml", _graph(GRAPHML, GRAPHML_EDGE))


def _gexf(folder: Path) -> str:
    return _text(folder, "village.gexf", _graph(GEXF, GEXF_EDGE))


def _graph(form: str, edge: str) -> str:
    acts = [(one, other, f"{when:%Y-%m-%dT%H:%M:%SZ}") for one, other, when in _acts()]
    names = sorted({name for act in acts for name in act[:2]})
    edges = [edge.format(*act, number=number) for number, act in enumerate(acts)]
    nodes = [f'<node id="{name}"/>' for name in names]
    return form.format(nodes="\n".join(nodes), edges="\n".join(edges))


def _mastodon(folder: Path) -> str:
    posts, acts = _owner()
    items = [*map(_note, posts), *map(_activity, range(len(acts)), acts)]
    # A like is neither a post nor an act that the canonical tables have of an archive.
    items.append({"id": f"{HOME}{OWNER}#likes/1", "type": "Like", "object": f"{AWAY}m1/statuses/1"})
    actor = {"id": HOME + OWNER, "type": "Person", "followers": f"{HOME}{OWNER}/followers"}
    _text(folder, "actor.json", json.dumps(actor | {"published": "2019-01-01T00:00:00Z"}))
    outbox = {"type": "OrderedCollection", "totalItems": len(items), "orderedItems": items}
    _text(folder, "outbox.json", json.dumps(outbox, indent=1))
    return ""


def _note(post: Post) -> dict[str, Any]:
    links = "".join(f'<a href="https://news.example/{k}">n</a>' for k in range(post["links"]))
    address = f"{HOME}{OWNER}/statuses/{post['post_id']}"
    note = {
        "content": f"<p>(what was written) {links}</p>",
        "tag": [{"type": "Hashtag", "name": f"#t{k}"} for k in range(post["hashtags"])],
        "attachment": [{"type": "Document"}] if post["has_media"] else [],
        "likes": {"totalItems": post["reactions"]},
        "shares": {"totalItems": post["shares"]},
    }
    return _create(address, post["created_at"], [PUBLIC], note)


def _activity(number: int, act: Act) -> dict[str, Any]:
    _, other, when = act
    address = f"{HOME}{OWNER}/statuses/act{number}"
    if number % SHARES == 0:
        told = {"id": f"{address}/activity", "type": "Announce", "published": _iso(when)}
        return told | {"to": [PUBLIC], "object": f"{AWAY}{other}/statuses/{number}"}
    mentioned = {"tag": [{"type": "Mention", "href": AWAY + other}]}
    if number % PRIVATE == 0:
        return _create(address, when, [AWAY + other], mentioned)
    parent = {"inReplyTo": f"{AWAY}{other}/statuses/{number}"}
    return _create(address, when, [PUBLIC], mentioned | parent)


def _create(address: str, when: Any, to: list[str], told: dict[str, Any]) -> dict[str, Any]:
    note = {"id": address, "type": "Note", "published": _iso(when), "to": to, **told}
    return {"id": f"{address}/activity", "type": "Create", "to": to, "object": note}


def _iso(when: Any) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def _bluesky(folder: Path) -> str:
    (folder / "repo.car").write_bytes(repository(*_owner()))
    return "repo.car"


def _x(folder: Path) -> str:
    account = [{"account": {"accountId": "7", "username": OWNER, "accountDisplayName": "(name)"}}]
    _assigned(folder, "account", account)
    tweets = [*map(_tweet, *_numbered())]
    _assigned(folder, "tweets", [{"tweet": tweet} for tweet in tweets])
    return ""


def _numbered() -> tuple[list[int], list[Post]]:
    """Posts and acts of one account in the order of time, with ids as Twitter made them."""
    posts, acts = _owner()
    told = [{"created_at": when, "other": other} for _, other, when in acts]
    both = sorted([*posts, *told], key=lambda one: one["created_at"])
    return [_snowflake(one["created_at"], number) for number, one in enumerate(both)], both


def _snowflake(when: Any, number: int) -> int:
    milliseconds = int(when.timestamp() * 1000) - FIRST_MILLISECOND
    return (milliseconds << BITS) + number


def _tweet(known: int, post: Post) -> dict[str, Any]:
    tweet = {"id_str": str(known), "created_at": post["created_at"].strftime(TIME)}
    tweet["source"] = f'<a href="https://example.org">{_program(post)}</a>'
    if "other" not in post:
        entities = {
            "hashtags": [{"text": f"t{k}"} for k in range(post["hashtags"])],
            "urls": [{"expanded_url": f"https://news.example/{k}"} for k in range(post["links"])],
            "media": [{"type": "photo"}] if post["has_media"] else [],
        }
        counts = {"favorite_count": str(post["reactions"]), "retweet_count": str(post["shares"])}
        return tweet | {"full_text": "(what was written)", "entities": entities} | counts
    other = {"screen_name": post["other"], "id_str": post["other"].strip("am")}
    tweet["entities"] = {"user_mentions": [other]}
    if known % SHARES == 0:
        return tweet | {"full_text": f"RT @{other['screen_name']}: (what was written)"}
    return tweet | {
        "full_text": f"@{other['screen_name']} (what was written)",
        "in_reply_to_status_id_str": "1",
        "in_reply_to_user_id_str": other["id_str"],
        "in_reply_to_screen_name": other["screen_name"],
    }


def _program(post: Post) -> str:
    return "Buffer" if post.get("is_automated") else "Twitter Web App"


def _assigned(folder: Path, name: str, value: list[dict[str, Any]]) -> None:
    text = f"window.YTD.{name}.part0 = {json.dumps(value, indent=1)}"
    _text(folder, f"data/{name}.js", text)


def _analytics(folder: Path) -> str:
    columns = [POSTS[name] for name in ("id", "time", "text", "link")]
    columns += [POSTS[name] for name in ("impressions", "reactions", "replies", "shares")]
    with (folder / "posts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(_exported())
    return "posts.csv"


def _exported() -> Iterator[list[Any]]:
    for known, post in zip(*_numbered(), strict=True):
        if "other" in post:
            text, counts = f"@{post['other']} (what was written)", [9, 0, 0, 0]
        else:
            signs = [f"#t{k}" for k in range(post["hashtags"])]
            signs += [f"https://t.co/{k}" for k in range(post["links"])]
            counts = [int(post[name]) for name in ("reactions", "replies", "shares")]
            text, counts = " ".join(["(what was written)", *signs]), [9 + 20 * sum(counts), *counts]
        address = f"https://x.com/{OWNER}/status/{known}"
        yield [known, post["created_at"].strftime(DAY), text, address, *counts]


def _text(folder: Path, name: str, text: str) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return name


WRITERS: dict[str, Callable[[Path], str]] = {
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "x": _x,
    "twitter-analytics": _analytics,
    "snap": _snap,
    "konect": _konect,
    "graphml": _graphml,
    "gexf": _gexf,
}
