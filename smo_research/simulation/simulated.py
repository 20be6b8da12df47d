"""A simulated world as canonical tables, in memory or in a folder, with its truth."""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from smo_research.errors import SmoError
from smo_research.simulation.audience import together
from smo_research.simulation.economy import History, run
from smo_research.simulation.truth import planted
from smo_research.simulation.worlds import POST_TWEAKS, World
from smo_research.tables import Tables

BEGINS = pd.Timestamp("2020-01-06", tz="UTC")
DAY_US = 86_400_000_000
PLATFORM = "simulated"
TABLES = ("accounts", "posts", "interactions", "followers")


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
    >>> from smo_research.simulation.worlds import scenario
    >>> small = simulate(scenario("null").turned(accounts=20, periods=12), seed=1)
    >>> small.interactions.kind.unique().tolist()
    ['message']
    """
    rng = np.random.default_rng(seed)
    history, audience = run(world, rng)
    lost = _lost_days(world, rng)
    names = _names("a", world.accounts)
    return Simulated(
        world=world,
        seed=seed,
        accounts=pd.DataFrame({"account_id": names, "platform": PLATFORM}),
        posts=_posts(world, history, names, lost),
        interactions=_interactions(history, names, _names("m", audience.members), lost),
        followers=_followers(world, history, names, lost),
        truth=planted(world),
    )


def _names(letter: str, number: int) -> pd.Index:
    width = len(str(number - 1))
    return pd.Index([f"{letter}{k:0{width}d}" for k in range(number)], dtype="str")


def _lost_days(world: World, rng: np.random.Generator) -> np.ndarray:
    days = world.periods * world.windows.period
    return rng.choice(days, size=round(world.missing_days * days), replace=False)


def _moment(days: np.ndarray) -> pd.Series:
    return pd.Series(
        BEGINS + pd.to_timedelta((days * DAY_US).astype("int64"), unit="us")
    ).dt.as_unit("us")


def _interactions(
    history: History, names: pd.Index, members: pd.Index, lost: np.ndarray
) -> pd.DataFrame:
    acts = together(history.acts)
    kept = ~np.isin(acts.at.astype("int64"), lost)
    acts = acts.pick(kept) if len(lost) else acts
    acts = acts.pick(np.argsort(acts.at, kind="stable"))
    everyone = names.append(members)
    account, member = acts.account, acts.member + len(names)
    return pd.DataFrame(
        {
            "source_id": everyone.take(np.where(acts.inward, member, account)),
            "target_id": everyone.take(np.where(acts.inward, account, member)),
            "created_at": _moment(acts.at),
            "seq": np.arange(len(acts.at)),
            "kind": "message",
        }
    )


def _posts(world: World, history: History, names: pd.Index, lost: np.ndarray) -> pd.DataFrame:
    def every(name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name) for one in history.posts])

    drew = every("drew")
    flags = dict(zip(POST_TWEAKS, every("flags").T, strict=True))
    posts = pd.DataFrame(
        {
            "account_id": names.take(every("account")),
            "at": every("at"),
            "hashtags": flags["hashtag_rate"],
            "links": flags["link_rate"],
            "has_media": flags["media_share"] > 0,
            "is_paid": every("paid"),
            "is_automated": flags["automated_share"] > 0,
            "reactions": drew[:, 0],
            "replies": drew[:, 1],
            "shares": drew[:, 2],
        }
    ).astype(
        dict.fromkeys(["hashtags", "links", "reactions", "replies", "shares"], "Int64")
        | dict.fromkeys(["has_media", "is_paid", "is_automated"], "boolean")
    )
    if world.posts_show_replies:
        acts = together(history.acts)
        acts = acts.pick(~acts.inward)
        replies = pd.DataFrame({"account_id": names.take(acts.account), "at": acts.at})
        posts = pd.concat([posts.assign(is_reply=False), replies.assign(is_reply=True)])
        posts = posts.astype({"is_reply": "boolean"})
    posts = posts[~posts["at"].astype("int64").isin(lost)]
    posts = posts.sort_values("at", kind="stable", ignore_index=True)
    posts.insert(0, "post_id", _names("p", max(len(posts), 1))[: len(posts)])
    posts.insert(2, "created_at", _moment(posts.pop("at").to_numpy()))
    return posts


def _followers(world: World, history: History, names: pd.Index, lost: np.ndarray) -> pd.DataFrame:
    """Counts at the last hour of each period."""
    ends = (np.arange(world.periods) + 1) * world.windows.period - 1 / 24
    counts = np.stack(history.followers)
    seen = ~np.isin(ends.astype("int64"), lost)
    return pd.DataFrame(
        {
            "account_id": names.take(np.tile(np.arange(len(names)), int(seen.sum()))),
            "observed_at": _moment(np.repeat(ends[seen], len(names))),
            "followers": counts[seen].ravel(),
        }
    ).astype({"followers": "Int64"})


def write(simulated: Simulated, folder: str | Path) -> list[Path]:
    """Write the tables as Parquet and truth.json, all of them or none.

    Parameters
    ----------
    simulated
        The world.
    folder
        It is made if need be; files of these names in it are replaced.

    Raises
    ------
    SmoError
        When the folder cannot be written to.
    """
    folder = Path(folder)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    part = folder / f".part.{uuid.uuid4().hex}"
    try:
        part.mkdir(parents=True)
        for name in TABLES:
            table = getattr(simulated, name)
            table.to_parquet(part / f"{name}.parquet", index=False)
        (part / "truth.json").write_text(truth_text(simulated), encoding="utf-8")
        done = []
        for path in sorted(part.iterdir()):
            path.replace(folder / path.name)
            done.append(folder / path.name)
        return done
    except OSError as error:
        raise SmoError(
            f"{folder}: cannot be written ({error.strerror or error}); make room or choose "
            "another folder with -o."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        for path in new:
            # Goes only where it is empty, so where nothing was written.
            with contextlib.suppress(OSError):
                path.rmdir()


def truth_text(simulated: Simulated) -> str:
    """What was planted, the knobs and the seed, as JSON."""
    effects = simulated.truth.astype(object).where(simulated.truth.notna(), None)
    return (
        json.dumps(
            {
                "planted": effects.to_dict("records"),
                "world": simulated.world.as_dict(),
                "seed": simulated.seed,
                "smo_research": version("smo_research"),
            },
            indent=2,
        )
        + "\n"
    )
