"""What accounts post: how much, when, with which tweaks, and what each post draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smo_research.simulation.worlds import POST_TWEAKS, World

MOST_ACTIVE = 60.0
SPREAD = 1.4
FIRST_DRAW = 8.0
HASHTAGS = 2


@dataclass(frozen=True, eq=False)
class Habits:
    """How each account posts: its leaning to each tweak, its hour, how strictly it keeps it."""

    leaning: np.ndarray
    hour: np.ndarray
    focus: np.ndarray

    @classmethod
    def drawn(cls, accounts: int, rng: np.random.Generator) -> Habits:
        """Draw them."""
        return cls(
            rng.standard_normal((accounts, len(POST_TWEAKS))),
            rng.random(accounts) * 24,
            rng.random(accounts) ** 2,
        )


@dataclass(frozen=True, eq=False)
class Posted:
    """The posts of a period.

    Attributes
    ----------
    number
        Posts by account.
    tweaks
        By account and tweak, mean over its posts less the mean over accounts; 0 where none.
    account, at, flags, paid, drew
        By post: who, when (days since the start), its tweaks, whether reach was bought, and
        reactions, replies and shares.
    """

    number: np.ndarray
    tweaks: np.ndarray
    account: np.ndarray
    at: np.ndarray
    flags: np.ndarray
    paid: np.ndarray
    drew: np.ndarray


def drawn_activity(world: World, rng: np.random.Generator) -> np.ndarray:
    """Activity of each account, with mean 1 and Pareto tails both ways."""
    tail = world.activity_tail
    activity = np.exp(rng.laplace(0, 1 / tail, world.accounts)) * (1 - 1 / tail**2)
    return np.minimum(activity, MOST_ACTIVE)


def make_posts(
    world: World,
    t: int,
    number: np.ndarray,
    habits: Habits,
    drawing: np.ndarray,
    buying: np.ndarray,
    rng: np.random.Generator,
) -> Posted:
    """Write the posts of a period.

    Parameters
    ----------
    world, t
        Knobs, and which period.
    number
        How many each account writes.
    habits
        How each account posts.
    drawing
        How much each account's posts draw, about 1.
    buying
        Who buys followers in this period; their posts are paid for.
    rng
        Random numbers.
    """
    shape = habits.leaning.shape
    noise = rng.standard_normal(shape)
    own = world.steadiness
    lean = math.sqrt(own) * habits.leaning + math.sqrt(1 - own) * noise
    chance = 1 / (1 + np.exp(-SPREAD * lean))
    account = np.repeat(np.arange(world.accounts), number)
    tries = np.where(np.array(POST_TWEAKS) == "hashtag_rate", HASHTAGS, 1)
    flags = rng.binomial(tries, chance[account])
    sums = np.stack(
        [
            np.bincount(account, flags[:, place], minlength=world.accounts)
            for place in range(len(POST_TWEAKS))
        ],
        axis=1,
    )
    means = sums / np.maximum(number, 1)[:, None] - tries / 2
    means[number == 0] = 0
    length = world.windows.period
    kept = rng.random(len(account)) < habits.focus[account]
    hour = np.where(
        kept, (habits.hour[account] + rng.random(len(account))) % 24, rng.random(len(account)) * 24
    )
    day = (rng.random(len(account)) * length).astype(np.int64)
    lift = np.exp(world.tweaks_on_engagement * (flags > 0).sum(axis=1))
    mean = FIRST_DRAW * drawing[account] * lift * rng.standard_exponential(len(account))
    drew = rng.poisson(mean[:, None] * np.array([0.7, 0.2, 0.1]))
    return Posted(
        number=number,
        tweaks=means,
        account=account,
        at=t * length + day + hour / 24,
        flags=flags,
        paid=buying[account],
        drew=drew,
    )
