"""The knobs of a simulated world, and the worlds that have a name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from smo_research.errors import DataError
from smo_research.tables import Windows

WEEKLY = Windows(period=7, gap=7, horizon=42)
POST_TWEAKS = ("hashtag_rate", "link_rate", "media_share", "automated_share")
BOUND = math.log(1 / 0.9)
SHARES = (
    *("retention", "posts_follow_standing", "steadiness", "answering", "habit"),
    *("interest_ar", "homophily", "bought", "missing_days"),
)


@dataclass(frozen=True)
class World:
    """What a world is like. Effects are ln ratios per contrast, 0 for none.

    Attributes
    ----------
    accounts, periods
        How many are studied, for how long.
    windows
        Lengths of time, in days.
    newcomers, posts, outreach
        Mean first contacts, posts and cold acts of an account and period.
    posts_show_replies
        Whether answers stand among the posts too, as replies.
    posts_follow_standing
        How far posting goes with an account's activity and talent, 0 to 1.
    steadiness
        The share of the variation in posting and in its tweaks that is the account's lasting
        way, 0 to 1.
    retention
        Probability that a newcomer becomes a regular.
    answering, answering_spread, habit
        Share of those writing who are answered; how much it varies (SD in logits); the share of
        that variation that is the account's lasting habit, 0 to 1.
    turns
        Probability that an exchange goes on for another turn, each time.
    activity_tail
        Exponent of the Pareto tail of activity, which raises posts and newcomers alike.
    talent, talent_on_answering
        SD of what nobody sees and raises posts and newcomers (in ln); its correlation with
        the answering habit, -1 to 1.
    interest, interest_ar
        SD of the passing interest in an account (in ln), and its AR(1) coefficient.
    season
        Amplitude of the season in newcomers, in ln.
    exposure
        Exponent of (1 + newcomers now) in the newcomers of the next period: the rich get richer.
    homophily
        0: audience members do not look at groups; 1: they contact their own group alone.
    keenness
        How many times as likely the keen (3 in 10) are to become regulars; above 1 they also
        write again at once where they are not answered.
    lifetime
        Mean number of periods an account is active; infinite: always.
    ceiling
        People that an account can ever reach; infinite: no end.
    bought
        Share of account-periods in which followers are bought, who soon leave.
    missing_days
        Share of days of which the log is lost.
    tweaks_on_engagement
        Effect of each flag of a post on its reactions, replies and shares.
    tweaks_on_discovery, tweaks_on_retention
        Effect of +0.25 in each tweak of posts on the next period's newcomers, and on their
        becoming regulars.
    answering_on_discovery, answering_on_retention
        The same of +0.25 in `answering`.
    past_answering_on_retention
        Effect of +0.25 in `past_answering` on the next period's newcomers becoming regulars.
    answered_on_return
        Effect of being answered by the landmark on becoming a regular.
    volume_on_discovery, volume_with_answering
        Effect of a doubling of 1 + posts on the next period's newcomers where nobody is
        answered, and how much it rises with +0.25 in the share answered.
    """

    accounts: int = 500
    periods: int = 26
    windows: Windows = field(default=WEEKLY)
    newcomers: float = 1.4
    posts: float = 1.5
    outreach: float = 1.0
    posts_follow_standing: float = 0.5
    posts_show_replies: bool = False
    steadiness: float = 0.5
    retention: float = 0.2
    answering: float = 0.45
    answering_spread: float = 1.2
    habit: float = 0.6
    turns: float = 0.78
    activity_tail: float = 2.2
    talent: float = 0.5
    talent_on_answering: float = 0.0
    interest: float = 0.4
    interest_ar: float = 0.8
    season: float = 0.2
    exposure: float = 0.0
    homophily: float = 0.2
    keenness: float = 1.0
    lifetime: float = math.inf
    ceiling: float = math.inf
    bought: float = 0.0
    missing_days: float = 0.0
    tweaks_on_engagement: float = 0.0
    tweaks_on_discovery: float = 0.0
    tweaks_on_retention: float = 0.0
    answering_on_discovery: float = 0.0
    answering_on_retention: float = 0.0
    past_answering_on_retention: float = 0.0
    answered_on_return: float = 0.0
    volume_on_discovery: float = 0.0
    volume_with_answering: float = 0.0

    def __post_init__(self) -> None:
        for name in ("accounts", "periods"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} must be at least 1, but is {getattr(self, name)!r}.")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"{name} must be from 0 to 1, but is {getattr(self, name)!r}.")
        if not -1 <= self.talent_on_answering <= 1:
            raise DataError(
                f"talent_on_answering must be from -1 to 1, but is {self.talent_on_answering!r}."
            )
        for name in ("newcomers", "posts", "outreach", "talent", "interest", "keenness"):
            if not 0 <= getattr(self, name) < math.inf:
                raise DataError(f"{name} must be 0 or more, but is {getattr(self, name)!r}.")
        if self.turns >= 1 or self.turns < 0 or self.activity_tail <= 1:
            raise DataError("turns must be from 0 to under 1, and activity_tail above 1.")

    def turned(self, **knobs: Any) -> World:
        """Give the same world with other values of some knobs.

        Raises
        ------
        DataError
            When there is no such knob.
        """
        known = [one.name for one in fields(self)]
        if unknown := sorted(set(knobs) - set(known)):
            raise DataError(f"There is no knob '{unknown[0]}'; the knobs are {', '.join(known)}.")
        return replace(self, **knobs)

    def as_dict(self) -> dict[str, Any]:
        """The knobs as plain values; an infinite one is None."""
        plain = asdict(self)
        return {
            name: None if isinstance(value, float) and math.isinf(value) else value
            for name, value in plain.items()
        }


def read_knobs(texts: Iterable[str]) -> dict[str, Any]:
    """Read knobs written as name=value.

    Raises
    ------
    DataError
        When one is not written so, or its value is no number.

    Examples
    --------
    >>> read_knobs(["talent=0.9", "accounts=50"])
    {'talent': 0.9, 'accounts': 50}
    """
    whole = {one.name for one in fields(World) if one.type == "int"}
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = int(value) if name in whole else float(value)
        except ValueError:
            raise DataError(
                f"--set takes a knob and a number, as talent=0.9, not {text!r}."
            ) from None
    return found
