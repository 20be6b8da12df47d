"""An attention economy, period by period: posts, first contacts, answers, returns, followers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from smo_research.measures.acts import ANSWER_WITHIN_DAYS
from smo_research.simulation.audience import (
    Audience,
    Exchange,
    answer_delays,
    exchange,
    together,
    turns_after,
)
from smo_research.simulation.posting import Habits, Posted, drawn_activity, make_posts
from smo_research.simulation.worlds import World

CONTRAST = 0.25
LN2 = math.log(2)
KEEN = 0.3
LOOK_BACK = 3
RESPONSE = 0.02
MORE_VISITS = 0.8
MOST_VISITS = 12
SEASONS = 13
FOLLOWERS = 300
FOLLOWED, LEFT, BOUGHT_LEFT, BOUGHT = 0.02, 0.005, 0.4, 0.3


@dataclass(frozen=True, eq=False)
class Period:
    """What happened in a period: acts, posts, and followers at its end by account."""

    number: int
    acts: Exchange
    posts: Posted
    followers: np.ndarray


@dataclass(frozen=True, eq=False)
class Seen:
    """What of a period is known at its end, one value an account."""

    inbound: np.ndarray
    answered: np.ndarray
    new: np.ndarray
    posts: np.ndarray
    tweaks: np.ndarray


def run(world: World, rng: np.random.Generator) -> tuple[Audience, Iterator[Period]]:
    """Let a world run.

    Parameters
    ----------
    world
        Its knobs.
    rng
        Random numbers; the same ones give the same history.

    Returns
    -------
    The audience, and one period after the other.
    """
    economy = _Economy(world, rng)
    return economy.audience, economy.run()


class _Economy:
    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.world, self.rng = world, rng
        n = world.accounts
        self.audience = Audience(n, homophily=world.homophily, rng=rng)
        self.activity = drawn_activity(world, rng)
        self.talent = rng.standard_normal(n)
        # How much is going on around each account, without what it did.
        centred = world.talent * self.talent - world.talent**2 / 2
        self.level = self.activity * np.exp(centred)
        own = rng.standard_normal(n)
        corr = world.talent_on_answering
        self.leaning = corr * self.talent + math.sqrt(1 - corr**2) * own
        self.habits = Habits.drawn(n, rng)
        self.begins, self.ends = np.zeros(n), np.full(n, math.inf)
        if math.isfinite(world.lifetime):
            self.begins = rng.random(n) * world.periods
            self.ends = self.begins + rng.exponential(world.lifetime, n)
        self.interest = world.interest * rng.standard_normal(n)
        self.reached = np.zeros(n)
        self.organic = np.maximum(FOLLOWERS * self.activity * rng.lognormal(0, 0.5, n), 20).astype(
            np.int64
        )
        self.bought = np.zeros(n, dtype=np.int64)
        self.posting = drawn_activity(world, rng)
        self.past: list[Seen] = []
        self.pooled = (0, 0)
        # By period: acts to come, of regulars (still to be answered) and of exchanges under way.
        self.visits: dict[int, list[tuple[np.ndarray, ...]]] = {}
        self.under_way: dict[int, list[Exchange]] = {}

    def run(self) -> Iterator[Period]:
        for t in range(self.world.periods):
            active = (self.begins <= t) & (t < self.ends)
            posted = self._posts(t, active)
            acts = self._talk(t, active)
            self.past = [*self.past[-LOOK_BACK:], self._seen(acts, posted)]
            yield Period(t, acts, posted, self._follow(active))

    def _posts(self, t: int, active: np.ndarray) -> Posted:
        world, rng = self.world, self.rng
        now, own = drawn_activity(world, rng), world.steadiness
        amount = self.posting**own * now ** (1 - own) * self.level**world.posts_follow_standing
        number = rng.poisson(world.posts * amount * active)
        buying = rng.random(world.accounts) < world.bought
        self.buying = buying & active
        drawing = np.exp(0.5 * world.talent * self.talent + self.interest)
        return make_posts(world, t, number, self.habits, drawing, self.buying, rng)

    def _pull(self) -> tuple[np.ndarray, np.ndarray]:
        """Effects of the period before on this one's newcomers and on their staying, in ln."""
        world, n = self.world, self.world.accounts
        coming, staying = np.zeros(n), np.zeros(n)
        if not self.past:
            return coming, staying
        last = self.past[-1]
        heard = last.inbound > 0
        prior = self.prior
        share = np.divide(last.answered, last.inbound, out=np.zeros(n), where=heard)
        shrunken = (last.answered + 2 * prior) / (last.inbound + 2) - prior
        answering = np.where(heard, shrunken, 0) / CONTRAST
        coming += world.answering_on_discovery * answering
        staying += world.answering_on_retention * answering
        earlier = self.past[-1 - LOOK_BACK : -1]
        if len(earlier) == LOOK_BACK:
            wrote = sum(one.inbound for one in earlier)
            told = sum(one.answered for one in earlier)
            past = np.where(wrote > 0, (told + 2 * prior) / (wrote + 2) - prior, 0)
            staying += world.past_answering_on_retention * past / CONTRAST
        tweaks = last.tweaks.sum(axis=1) / CONTRAST
        coming += world.tweaks_on_discovery * tweaks
        staying += world.tweaks_on_retention * tweaks
        volume = np.log1p(last.posts) / LN2
        coming += world.volume_on_discovery * volume
        coming += world.volume_with_answering * volume * share / CONTRAST
        coming += world.exposure * np.log1p(last.new)
        return coming, staying

    @property
    def prior(self) -> float:
        """Share answered in all periods so far, as the measures shrink toward it."""
        answered, inbound = self.pooled
        return answered / inbound if inbound else 0.5

    def _moments(self, t: int, n: int) -> np.ndarray:
        """Times in a period, in days since the start: any day, more by day than by night."""
        length = self.world.windows.period
        day = (self.rng.random(n) * length).astype(np.int64)
        hour = np.searchsorted(DAILY, self.rng.random(n))
        return t * length + day + (hour + self.rng.random(n)) / 24

    def _talk(self, t: int, active: np.ndarray) -> Exchange:
        """All acts of a period; what reaches beyond it is kept for later."""
        world, rng = self.world, self.rng
        wave = math.sqrt(1 - world.interest_ar**2) * world.interest
        if t:
            fresh = wave * rng.standard_normal(world.accounts)
            self.interest = world.interest_ar * self.interest + fresh
        self.pull = coming, staying = self._pull()
        season = world.season * math.sin(2 * math.pi * t / SEASONS)
        rate = world.newcomers * self.level * active
        rate *= np.exp(self.interest - world.interest**2 / 2 + season + coming)
        rate *= np.maximum(0, 1 - self.reached / world.ceiling)
        noise = rng.standard_normal(world.accounts)
        lean = math.sqrt(world.habit) * self.leaning + math.sqrt(1 - world.habit) * noise
        middle = math.log(world.answering / (1 - world.answering))
        chance = 1 / (1 + np.exp(-middle - world.answering_spread * lean))

        account = np.repeat(np.arange(world.accounts), rng.poisson(rate))
        account, member = self.audience.first_contacts(account, rng)
        self.fresh = np.bincount(account, minlength=world.accounts)
        self.reached += self.fresh
        at = self._moments(t, len(account))
        acts = [exchange(account, member, at, inward=True)]
        acts += self._newcomers(account, member, at, chance, staying)
        acts += self._regulars(t, chance)
        acts += self._outreach(t, active)
        return self._sorted_out(t, together([*acts, *self.under_way.pop(t, [])]))

    def _answers(
        self, account: np.ndarray, member: np.ndarray, at: np.ndarray, said: np.ndarray
    ) -> tuple[list[Exchange], np.ndarray]:
        """Answer some of those who wrote, and go on from there; with the days each took."""
        delay = np.full(len(at), math.inf)
        delay[said] = answer_delays(int(said.sum()), self.rng)
        answers = exchange(account[said], member[said], (at + delay)[said], inward=False)
        return [turns_after(answers, self.world.turns, self.rng)], delay

    def _newcomers(
        self,
        account: np.ndarray,
        member: np.ndarray,
        at: np.ndarray,
        chance: np.ndarray,
        staying: np.ndarray,
    ) -> list[Exchange]:
        """Answer the newcomers or not, and say which of them come back, and when."""
        world, rng = self.world, self.rng
        landmark = self.landmark
        acts, delay = self._answers(account, member, at, rng.random(len(at)) < chance[account])
        in_time = delay <= landmark
        keen = rng.random(len(at)) < KEEN
        if world.keenness > 1:
            # The keen write a second time, and may be answered then.
            again = np.flatnonzero(keen & ~in_time)
            later = at[again] + rng.random(len(again))
            acts.append(exchange(account[again], member[again], later, inward=True))
            said = rng.random(len(again)) < chance[account[again]]
            more, second = self._answers(account[again], member[again], later, said)
            acts += more
            in_time[again] = later - at[again] + second <= landmark
        usual = 1 + KEEN * (world.keenness - 1)
        stays = world.retention * np.exp(staying[account] + world.answered_on_return * in_time)
        stays *= np.where(keen, world.keenness, 1) / usual
        regular = np.flatnonzero(rng.random(len(at)) < stays)
        self._plan_visits(account[regular], member[regular], at[regular], in_time[regular])
        return acts

    @property
    def landmark(self) -> int:
        """Days by which an answer counts as one (design, section 5)."""
        return 7 if (self.world.windows.gap or 0) >= 14 else 2

    def _plan_visits(
        self, account: np.ndarray, member: np.ndarray, at: np.ndarray, in_time: np.ndarray
    ) -> None:
        """When regulars write again: log-normal gaps, about four visits."""
        rng, windows = self.rng, self.world.windows
        shape = (len(at), MOST_VISITS)
        middle = 0.7 * (windows.gap or windows.period)
        gaps = rng.lognormal(math.log(middle), 1.1, shape)
        more = rng.random(shape) < MORE_VISITS
        more[:, 0] = True
        comes = np.cumprod(more, axis=1).astype(bool)
        when = (at[:, None] + np.cumsum(gaps, axis=1))[comes]
        who = np.repeat(np.arange(len(at)), comes.sum(axis=1))
        muted = ~in_time[who] & (when - at[who] <= self.landmark)
        period = (when // windows.period).astype(np.int64)
        for later in np.unique(period[period < self.world.periods]):
            mask = period == later
            part = (account[who[mask]], member[who[mask]], when[mask], muted[mask])
            self.visits.setdefault(int(later), []).append(part)

    def _regulars(self, t: int, chance: np.ndarray) -> list[Exchange]:
        """Those who come back in a period, some answered."""
        parts = self.visits.pop(t, [])
        if not parts:
            return []
        account, member, at, muted = (np.concatenate(column) for column in zip(*parts, strict=True))
        said = (self.rng.random(len(at)) < chance[account]) & ~muted
        answers, _ = self._answers(account, member, at, said)
        return [exchange(account, member, at, inward=True), *answers]

    def _outreach(self, t: int, active: np.ndarray) -> list[Exchange]:
        """Accounts that write to members first; few respond."""
        world, rng = self.world, self.rng
        account = np.repeat(
            np.arange(world.accounts), rng.poisson(world.outreach * self.level * active)
        )
        account, member = self.audience.first_contacts(account, rng)
        at = self._moments(t, len(account))
        out = exchange(account, member, at, inward=False)
        back = out.pick(rng.random(len(at)) < RESPONSE)
        delay = answer_delays(len(back.at), rng)
        return [out, exchange(back.account, back.member, back.at + delay, inward=True)]

    def _sorted_out(self, t: int, acts: Exchange) -> Exchange:
        """Keep the acts of this period, and put the others by."""
        period = (acts.at // self.world.windows.period).astype(np.int64)
        for later in np.unique(period[(period > t) & (period < self.world.periods)]):
            self.under_way.setdefault(int(later), []).append(acts.pick(period == later))
        return acts.pick(period == t)

    def _seen(self, acts: Exchange, posted: Posted) -> Seen:
        """Measure a period as the panel will."""
        n = self.world.accounts
        code = acts.account * self.audience.members + acts.member
        order = np.flatnonzero(acts.inward)
        order = order[np.argsort(code[order])]
        inward = code[order]
        begins = np.flatnonzero(np.diff(inward, prepend=-1))
        wrote = inward[begins]
        told = np.zeros(len(wrote), dtype=bool)
        if len(wrote):
            # The first act outward after the member's first, if any.
            first = np.minimum.reduceat(acts.at[order], begins)
            outward, at = code[~acts.inward], acts.at[~acts.inward]
            which = np.minimum(np.searchsorted(wrote, outward), len(wrote) - 1)
            wait = at - first[which]
            answer = (wrote[which] == outward) & (wait > 0) & (wait <= ANSWER_WITHIN_DAYS)
            told[which[answer]] = True
        whose = wrote // self.audience.members
        inbound = np.bincount(whose, minlength=n)
        answered = np.bincount(whose[told], minlength=n)
        self.pooled = (self.pooled[0] + int(answered.sum()), self.pooled[1] + int(inbound.sum()))
        return Seen(inbound, answered, self.fresh, posted.number, posted.tweaks)

    def _follow(self, active: np.ndarray) -> np.ndarray:
        """Followers at the end of a period: those who came, those who left, those bought."""
        world, rng = self.world, self.rng
        coming, staying = self.pull
        centred = world.talent * self.talent / 2 + self.interest / 2
        rate = FOLLOWED * self.organic * active * np.exp(centred + coming + staying)
        self.organic += rng.poisson(np.minimum(rate, 1e8)) - rng.binomial(self.organic, LEFT)
        self.bought -= rng.binomial(self.bought, BOUGHT_LEFT)
        self.bought += (self.buying * BOUGHT * self.organic).astype(np.int64)
        return self.organic + self.bought


_HOURS = 1 + 0.7 * np.sin(2 * np.pi * (np.arange(24) - 9) / 24)
DAILY = np.cumsum(_HOURS / _HOURS.sum())[:-1]
