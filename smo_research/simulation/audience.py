"""The audience: who contacts whom for the first time, and how an exchange goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PER_ACCOUNT = 8
FEWEST = 4_000
# Members by activity: what part of the audience they are, and of the first contacts.
CLASS_SIZES = np.array([0.1, 0.3, 0.6])
CLASS_SHARES = np.array([0.35, 0.4, 0.25])
GROUPS = 2
HOUR = 1 / 24
LONGEST_ANSWER = 3.0
LONGEST_TURN = 0.3
MOST_TURNS = 12


def rank_within(key: np.ndarray) -> np.ndarray:
    """Number the elements with the same key from 0, in their order.

    Examples
    --------
    >>> rank_within(np.array([5, 3, 5, 5])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(key)])
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key)) - np.repeat(starts, sizes)
    return rank


def next_prime(number: int) -> int:
    """The smallest prime from a number on.

    Examples
    --------
    >>> next_prime(14)
    17
    """
    number = max(number, 2)
    while not all(number % divisor for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number


class Audience:
    """Members in pools (by group and by how active they are), each contacting an account once.

    An account goes through a pool in steps of its own; the pool's size is a prime, so it meets
    every member before one comes again, and nobody has to remember who met whom.
    """

    def __init__(self, accounts: int, *, homophily: float, rng: np.random.Generator) -> None:
        self.homophily = homophily
        members = max(PER_ACCOUNT * accounts, FEWEST)
        one_group = [next_prime(int(share * members / GROUPS)) for share in CLASS_SIZES]
        self.sizes = np.array(one_group * GROUPS)
        self.firsts = np.r_[0, np.cumsum(self.sizes)]
        self.group = np.arange(accounts) % GROUPS
        shape = (accounts, len(self.sizes))
        self.offsets = (rng.random(shape) * self.sizes).astype(np.int64)
        self.steps = 1 + (rng.random(shape) * (self.sizes - 1)).astype(np.int64)
        self.met = np.zeros(shape, dtype=np.int64)

    @property
    def members(self) -> int:
        """How many there are."""
        return int(self.firsts[-1])

    def first_contacts(
        self, account: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose a member that each account (it may be named several times) has not met yet.

        Returns
        -------
        The accounts, without those whose pool is used up, and their members.
        """
        same = rng.random(len(account)) < (1 + self.homophily) / 2
        group = np.where(same, self.group[account], 1 - self.group[account])
        kind = np.searchsorted(np.cumsum(CLASS_SHARES)[:-1], rng.random(len(account)))
        pool = group * len(CLASS_SIZES) + kind
        number = self.met[account, pool] + rank_within(account * len(self.sizes) + pool)
        np.add.at(self.met, (account, pool), 1)
        left = number < self.sizes[pool]
        account, pool, number = account[left], pool[left], number[left]
        place = self.offsets[account, pool] + number * self.steps[account, pool]
        return account, self.firsts[pool] + place % self.sizes[pool]


@dataclass(frozen=True, eq=False)
class Exchange:
    """Acts between accounts and members: who, when (in days), and whether the member acts."""

    account: np.ndarray
    member: np.ndarray
    at: np.ndarray
    inward: np.ndarray

    def pick(self, mask: np.ndarray) -> Exchange:
        """Those of a mask."""
        return Exchange(self.account[mask], self.member[mask], self.at[mask], self.inward[mask])


def together(parts: list[Exchange]) -> Exchange:
    """One after the other."""
    return Exchange(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("account", "member", "at", "inward")
        )
    )


def exchange(account: np.ndarray, member: np.ndarray, at: np.ndarray, *, inward: bool) -> Exchange:
    """Acts that all go the same way."""
    return Exchange(account, member, at, np.full(len(account), inward))


def answer_delays(n: int, rng: np.random.Generator) -> np.ndarray:
    """Days until an answer: log-normal, half within three hours, none after three days."""
    return np.minimum(rng.lognormal(np.log(3 * HOUR), 1.8, n), LONGEST_ANSWER)


def turns_after(answers: Exchange, turns: float, rng: np.random.Generator) -> Exchange:
    """How exchanges go on after an answer: member and account in turn, within hours."""
    parts = [answers]
    now, inward = answers, True
    for _ in range(MOST_TURNS):
        now = now.pick(rng.random(len(now.at)) < turns)
        delay = np.minimum(rng.lognormal(np.log(0.08 * HOUR), 1.8, len(now.at)), LONGEST_TURN)
        now = exchange(now.account, now.member, now.at + delay, inward=inward)
        parts.append(now)
        inward = not inward
    return together(parts)
