"""A simulated world as canonical tables, in memory or in a folder, with its truth."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.output import beside, place
from smo_research.simulation.audience import HOUR, together
from smo_research.simulation.economy import Period, run
from smo_research.simulation.truth import planted
from smo_research.simulation.worlds import POST_TWEAKS, World
from smo_research.tables import Tables

BEGINS = pd.Timestamp("2020-01-06", tz="UTC")
DAY_US = 86_400_000_000
PLATFORM = "simulated"
STREAMED = ("interactions", "posts", "followers")
COUNTS = ("hashtags", "links", "reactions", "replies", "shares")
FLAGS = ("has_media", "is_paid", "is_automated")


@dataclass(frozen=True, eq=False)
class Simulated:
    """A world that was run: its canonical tables and what was planted in it."""

    world: World
    seed: int
    accounts: pd.DataFrame
    posts: pd.DataFrame
    interactions: pd.DataFrame
    followers: pd.DataFrame
    truth: pd.DataFrame

    @property
    def tables(self) -> Tables:
        """As a data set of the catalogue has them."""
        return Tables(PLATFORM, self.accounts, self.posts, self.interactions, self.followers)


def simulate(world: World, *, seed: int = 1) -> Simulated:
    """Run a world and hand over what an observer would have.

    Parameters
    ----------
    world
        Its knobs, as `scenario` or `World` give them.
    seed
        The same seed gives the same tables to the last bit.

    Returns
    -------
    Simulated
        `accounts` lists the accounts under study; members of the audience appear in
        `interactions` alone.

    Examples
    --------
    >>> from smo_research.simulation.scenarios import scenario
    >>> small = simulate(scenario("null").turned(accounts=20, periods=12), seed=1)
    >>> small.interactions.kind.unique().tolist()
    ['message']
    """
    observer, periods = _start(world, seed)
    happened = list(periods)
    return Simulated(
        world=world,
        seed=seed,
        accounts=observer.accounts,
        posts=observer.posts(happened),
        interactions=observer.interactions(happened),
        followers=observer.followers(happened),
        truth=planted(world),
    )


def write(world: World, folder: str | Path, *, seed: int = 1) -> tuple[list[Path], int]:
    """Run a world and write its tables as Parquet and truth.json, all of them or none.

    A period is written before the next one runs, so that a large world needs little memory. The
    tables are those of `simulate`.

    Parameters
    ----------
    world, seed
        As in `simulate`.
    folder
        It is made if need be; files of these names in it are replaced.

    Returns
    -------
    tuple
        The files, and the number of acts.

    Raises
    ------
    SmoError
        When the folder cannot be written to.
    """
    folder = Path(folder)
    with beside(folder) as part:
        acts = _stream(world, seed, part)
        (part / "truth.json").write_text(truth_text(world, seed), encoding="utf-8")
        return place(part, folder), acts


def _stream(world: World, seed: int, folder: Path) -> int:
    """Write the tables period by period; gives the number of acts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    observer, periods = _start(world, seed)
    observer.accounts.to_parquet(folder / "accounts.parquet", index=False)
    with contextlib.ExitStack() as open_files:
        writers: dict[str, pq.ParquetWriter] = {}
        for one in periods:
            for name in STREAMED:
                frame = getattr(observer, name)([one])
                table = pa.Table.from_pandas(frame, preserve_index=False)
                table = table.replace_schema_metadata()
                if name not in writers:
                    # Ids recur; times and numbers do not, and would take long to look up.
                    text = frame.select_dtypes("str").columns.tolist()
                    path = folder / f"{name}.parquet"
                    file = pq.ParquetWriter(path, table.schema, use_dictionary=text)
                    writers[name] = open_files.enter_context(file)
                writers[name].write_table(table)
    return observer.acts


def _start(world: World, seed: int) -> tuple[_Observer, Iterator[Period]]:
    audience, periods = run(world, np.random.default_rng([seed, 0]))
    return _Observer(world, audience.members, np.random.default_rng([seed, 1])), periods


class _Observer:
    """Turns what happened into tables; numbers acts and posts in the order it is shown them."""

    def __init__(self, world: World, members: int, rng: np.random.Generator) -> None:
        self.world = world
        self.names = _names("a", world.accounts)
        self.everyone = self.names.append(_names("m", members))
        days = world.periods * world.windows.period
        self.lost = rng.choice(days, size=round(world.missing_days * days), replace=False)
        self.acts = self.posted = 0
        self.accounts = pd.DataFrame({"account_id": self.names, "platform": PLATFORM})

    def interactions(self, happened: list[Period]) -> pd.DataFrame:
        acts = together([one.acts for one in happened])
        if len(self.lost):
            acts = acts.pick(~np.isin(acts.at.astype("int64"), self.lost))
        acts = acts.pick(np.argsort(acts.at, kind="stable"))
        member = acts.member + len(self.names)
        first, self.acts = self.acts, self.acts + len(acts.at)
        return pd.DataFrame(
            {
                "source_id": self.everyone.take(np.where(acts.inward, member, acts.account)),
                "target_id": self.everyone.take(np.where(acts.inward, acts.account, member)),
                "created_at": _moment(acts.at),
                "seq": np.arange(first, self.acts),
                "kind": pd.Series("message", index=range(len(acts.at)), dtype="str"),
            }
        )

    def posts(self, happened: list[Period]) -> pd.DataFrame:
        made = [one.posts for one in happened]
        account, at, paid, drew, flags = (
            np.concatenate([getattr(one, name) for one in made])
            for name in ("account", "at", "paid", "drew", "flags")
        )
        tweak = dict(zip(POST_TWEAKS, flags.T, strict=True))
        posts = pd.DataFrame(
            {
                "account_id": self.names.take(account),
                "at": at,
                "hashtags": tweak["hashtag_rate"],
                "links": tweak["link_rate"],
                "has_media": tweak["media_share"] > 0,
                "is_paid": paid,
                "is_automated": tweak["automated_share"] > 0,
                "reactions": drew[:, 0],
                "replies": drew[:, 1],
                "shares": drew[:, 2],
            }
        ).astype(dict.fromkeys(COUNTS, "Int64") | dict.fromkeys(FLAGS, "boolean"))
        if self.world.posts_show_replies:
            acts = together([one.acts for one in happened])
            acts = acts.pick(~acts.inward)
            replies = pd.DataFrame({"account_id": self.names.take(acts.account), "at": acts.at})
            posts = pd.concat([posts.assign(is_reply=False), replies.assign(is_reply=True)])
            posts = posts.astype({"is_reply": "boolean"})
        posts = posts[~posts["at"].astype("int64").isin(self.lost)]
        posts = posts.sort_values("at", kind="stable", ignore_index=True)
        first, self.posted = self.posted, self.posted + len(posts)
        posts.insert(
            0, "post_id", pd.Series(range(first, self.posted), dtype="int64").astype("str")
        )
        posts.insert(2, "created_at", _moment(posts.pop("at").to_numpy()))
        return posts

    def followers(self, happened: list[Period]) -> pd.DataFrame:
        """Counts at the last hour of each period."""
        length = self.world.windows.period
        ends = (np.array([one.number for one in happened]) + 1) * length - HOUR
        counts = np.stack([one.followers for one in happened])
        seen = ~np.isin(ends.astype("int64"), self.lost)
        return pd.DataFrame(
            {
                "account_id": self.names.take(np.tile(np.arange(len(self.names)), int(seen.sum()))),
                "observed_at": _moment(np.repeat(ends[seen], len(self.names))),
                "followers": counts[seen].ravel(),
            }
        ).astype({"followers": "Int64"})


def _names(letter: str, number: int) -> pd.Index:
    width = len(str(number - 1))
    return pd.Index([f"{letter}{k:0{width}d}" for k in range(number)], dtype="str")


def _moment(days: np.ndarray) -> pd.Series:
    return pd.Series(
        BEGINS + pd.to_timedelta((days * DAY_US).astype("int64"), unit="us")
    ).dt.as_unit("us")


def truth_text(world: World, seed: int) -> str:
    """What was planted, the knobs and the seed, as JSON."""
    truth = planted(world)
    effects = truth.astype(object).where(truth.notna(), None)
    return (
        json.dumps(
            {
                "planted": effects.to_dict("records"),
                "world": world.as_dict(),
                "seed": seed,
                "smo_research": version("smo_research"),
            },
            indent=2,
        )
        + "\n"
    )
