"""What the tests say of one simulated world, beside what was planted in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from smo_research.evidence.comeback import return_when_answered
from smo_research.evidence.contributions import CONTRAST
from smo_research.evidence.count_contest import count_contest
from smo_research.evidence.effects import Estimate
from smo_research.evidence.followers import follower_growth
from smo_research.evidence.lasting import lasting_growth
from smo_research.evidence.posts import JOINT, post_engagement
from smo_research.evidence.presence import TOGETHER, VOLUME, presence_counts
from smo_research.evidence.result import Result
from smo_research.evidence.return_models import NAIVE, return_models
from smo_research.evidence.returning import first_contacts
from smo_research.evidence.samples import under_study
from smo_research.evidence.verdicts import judge
from smo_research.measures.panel import follower_panel, panel
from smo_research.simulation.simulated import Simulated
from smo_research.tables import Windows

NAME = "simulated"
COLUMNS = [
    *["test", "term", "estimate", "std_error", "ci_low", "ci_high", "p_difference"],
    *["p_equivalence", "truth", "verdict", "reason"],
]
DECIDES = [("between", "total")]
POST_FLAGS = ("has_hashtag", "has_link", "has_media", "is_automated")
BOOTSTRAP = 199
WILD = 399
Rows = list[dict[str, Any]]


class Observed:
    """A world as an observer has it; what several tests need is made once."""

    def __init__(self, simulated: Simulated, rows: pd.DataFrame | None = None) -> None:
        self.simulated = simulated
        self._rows = rows
        self.windows: Windows = simulated.world.windows
        self.log = simulated.interactions

    @cached_property
    def panel(self) -> pd.DataFrame:
        """Of the accounts under study."""
        if self._rows is not None:
            return self._rows
        rows = panel(self.log, self.simulated.posts, windows=self.windows)
        return under_study(rows, self.log, self.simulated.accounts)

    @cached_property
    def contacts(self) -> pd.DataFrame:
        """First contacts of the accounts under study."""
        found = first_contacts(self.log, windows=self.windows)
        return under_study(found, self.log, self.simulated.accounts)

    def truth(self, hypothesis: str, term: str) -> float:
        """The planted effect of a term."""
        known = self.simulated.truth
        mine = known[(known["hypothesis"] == hypothesis) & (known["term"] == term)]
        return float(mine["effect"].iloc[0])

    def lasting(self, hypothesis: str, only: list[tuple[str, str]] = DECIDES) -> Result:
        """The test of H2, H3 or H7."""
        options: dict[str, Any] = {"only": only, "draws": WILD}
        return lasting_growth(self.panel, hypothesis, windows=self.windows, dataset=NAME, **options)


def observe(worlds: Sequence[Simulated]) -> list[Observed]:
    """Observe worlds of one kind whose panels are made in one go, as one platform's.

    Laying out the panel's query takes longer than running it on a small world. What the worlds
    come to share is the share answered that `answering` is shrunk toward.
    """
    logs, posts, accounts = [], [], []
    for number, one in enumerate(worlds):
        mark, log = f"{number}:", one.interactions
        logs.append(
            log.assign(source_id=mark + log["source_id"], target_id=mark + log["target_id"])
        )
        posts.append(one.posts.assign(account_id=mark + one.posts["account_id"]))
        accounts.append(mark + one.accounts["account_id"])
    log = pd.concat(logs, ignore_index=True)
    log = log.assign(seq=range(len(log)))
    rows = panel(log, pd.concat(posts, ignore_index=True), windows=worlds[0].world.windows)
    number = rows["account_id"].str.split(":", n=1).str[0]
    mine = rows["account_id"].isin(pd.concat(accounts))
    return [
        Observed(one, rows[mine & (number == str(place))].reset_index(drop=True))
        for place, one in enumerate(worlds)
    ]


def row(test: str, term: str, effect: Estimate, *, truth: float, bound: float) -> dict[str, Any]:
    """One estimate beside the truth."""
    low, high = effect.interval()
    return {
        "test": test,
        "term": term,
        "estimate": effect.estimate,
        "std_error": effect.std_error,
        "ci_low": low,
        "ci_high": high,
        "p_difference": effect.p_difference,
        "p_equivalence": effect.p_equivalence(bound),
        "truth": truth,
    }


def failed(test: str, reason: str) -> Rows:
    """A test that could not be run in this world."""
    return [{"test": test, "reason": reason or "not fitted"}]


def _of_result(
    observed: Observed, test: str, result: Result, keys: Iterable[tuple[str, str, str]]
) -> Rows:
    rows = []
    for key in keys:
        effect = result.effects.get(key)
        if effect is None or math.isnan(effect.estimate):
            return failed(test, result.reason)
        truth = observed.truth(result.hypothesis, key[2])
        rows.append(row(test, key[2], effect, truth=truth, bound=result.bound))
    return rows


def tweaks_of_posts(observed: Observed) -> Rows:
    """H1: all flags of a post together, and each alone."""
    found = post_engagement(observed.simulated.posts, dataset=NAME, draws=WILD)
    if not found.effects:
        return failed("H1", found.reason)
    truth = observed.truth("H1", "each flag")
    rows = [
        row(
            "H1 a flag", name, found.effects["posts", "total", name], truth=truth, bound=found.bound
        )
        for name in POST_FLAGS
        if ("posts", "total", name) in found.effects
    ]
    return [*rows, {"test": "H1", "term": JOINT, "p_difference": found.joint_p, "truth": truth}]


def tweaks_on_growth(observed: Observed) -> Rows:
    """H2: each tweak of posts on lasting newcomers."""
    found = observed.lasting("H2")
    terms = [term for _, _, term in found.effects if term.endswith(("_rate", "_share"))]
    if not terms:
        return failed("H2", found.reason)
    return _of_result(observed, "H2", found, [("between", "total", term) for term in terms])


def answering(observed: Observed) -> Rows:
    """H3, as it is decided."""
    key = ("between", "total", "answering")
    return _of_result(observed, "H3", observed.lasting("H3"), [key])


def answering_checked(observed: Observed) -> Rows:
    """H3 with its within model, its lead and its placebo."""
    models = {"H3": "between", "H3 within": "within", "H3 lead": "lead", "H3 placebo": "placebo"}
    found = observed.lasting("H3", [(model, "total") for model in models.values()])
    rows: Rows = []
    for test, model in models.items():
        rows += _of_result(observed, test, found, [(model, "total", "answering")])
    return rows


def past_answering(observed: Observed) -> Rows:
    """H7, as it is decided."""
    key = ("between", "total", "past_answering")
    return _of_result(observed, "H7", observed.lasting("H7"), [key])


def head_to_head(observed: Observed) -> Rows:
    """H4: conversation minus tweaks; equal contributions are its null."""
    found = count_contest(
        observed.panel, windows=observed.windows, dataset=NAME, answering=None, draws=BOOTSTRAP
    )
    if not found.effects:
        return failed("H4", found.reason)
    margin = found.effects["contest", "total", CONTRAST]
    return [row("H4", CONTRAST, margin, truth=0.0, bound=found.bound)]


def returning(observed: Observed) -> Rows:
    """H5 and its negative control, which should show nothing."""
    found = return_when_answered(observed.contacts, dataset=NAME)
    rows = _of_result(observed, "H5", found, [("landmark", "total", "answered")])
    control = found.effects.get(("negative control", "total", "answered"))
    if control is not None:
        rows.append(row("H5 control", "answered", control, truth=0.0, bound=found.bound))
    return rows


def returning_naively(observed: Observed) -> Rows:
    """The two codings of "answered" that look ahead, beside the landmark model."""
    options: dict[str, Any] = {"windows": observed.windows, "contacts": observed.contacts}
    found = return_models(observed.log, dataset=NAME, **options)
    truth = observed.truth("H5", "answered")
    rows = _of_result(observed, "H5", found, [("landmark", "total", "answered")])
    for model, (_, _, block) in NAIVE.items():
        effect = found.effects.get((model, block, "answered"))
        if effect is not None:
            rows.append(row(f"H5 {model}", "answered", effect, truth=truth, bound=found.bound))
    return rows


def presence(observed: Observed) -> Rows:
    """H6: A, volume where nobody is answered, and B, how its effect rises with answering."""
    found = presence_counts(observed.panel, windows=observed.windows, dataset=NAME)
    parts = {"H6 A": VOLUME, "H6 B": TOGETHER}
    rows: Rows = []
    for test, term in parts.items():
        rows += _of_result(observed, test, found, [("between", "total", term)])
    if len(found.effects):
        a, b = (found.effects["between", "total", term] for term in parts.values())
        p = max(a.p_equivalence(found.bound), b.p_difference if b.estimate > 0 else 1.0)
        rows.append({"test": "H6", "term": "A and B", "p_equivalence": p, "truth": 0.0})
    return rows


def followers(observed: Observed) -> Rows:
    """H3 on counts of followers, with few accounts: the wild bootstrap."""
    windows = Windows(period=observed.windows.period, horizon=observed.windows.horizon)
    world = observed.simulated
    rows = follower_panel(world.followers, world.posts, windows=windows)
    found = follower_growth(rows, "H3", windows=windows, dataset=NAME, draws=WILD)
    effect = found.effects.get(("between", "total", "reply_share"))
    if effect is None:
        return failed("H3 followers", found.reason)
    return [row("H3 followers", "reply_share", effect, truth=0.0, bound=found.bound)]


def verdicts(observed: Observed) -> Rows:
    """The verdicts on growth and return, each hypothesis by itself, and what they rest on."""
    results = [observed.lasting(name) for name in ("H2", "H3", "H7")]
    results.append(return_when_answered(observed.contacts, dataset=NAME))
    results = [result for result in results if result.effects]
    rows: Rows = []
    for result in results:
        for (model, _, term), effect in result.effects.items():
            if model in ("between", "landmark") and term != "paid_share":
                truth = observed.truth(result.hypothesis, term)
                rows.append(row(result.hypothesis, term, effect, truth=truth, bound=result.bound))
    said = judge(results, declared={}, untestable={})
    return rows + [
        {"test": f"{one.hypothesis} verdict", "verdict": one.verdict} for one in said.itertuples()
    ]


TRIALS: dict[str, Callable[[Observed], Rows]] = {
    "H1": tweaks_of_posts,
    "H2": tweaks_on_growth,
    "H3": answering,
    "H3 checked": answering_checked,
    "H3 followers": followers,
    "H4": head_to_head,
    "H5": returning,
    "H5 naive": returning_naively,
    "H6": presence,
    "H7": past_answering,
    "verdicts": verdicts,
}


def ask(observed: Observed, trials: Iterable[str]) -> pd.DataFrame:
    """Run tests on a world.

    Parameters
    ----------
    observed
        The world, as `Observed(simulate(world))` has it.
    trials
        Names in `TRIALS`.

    Returns
    -------
    pandas.DataFrame
        One row an estimate or a p-value: test, term, estimate, std_error, ci_low, ci_high,
        p_difference, p_equivalence, truth (what was planted), verdict, reason (where the
        test could not be run).
    """
    rows = [line for name in trials for line in TRIALS[name](observed)]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)
