"""What each block of predictors contributes out of sample, with its bootstrap draws (H4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from smo_research.evidence.effects import Estimate
from smo_research.evidence.result import Key, effect_row
from smo_research.evidence.shapley import shapley
from smo_research.evidence.tilts import recentred

FEWEST_TWEAKS = 2
TIMING = ("schedule_focus", "burstiness", "cadence")
UNIT = "nats per row"
NORMAL = 1.959964
CONTRAST = "conversation minus tweaks"
FULL = "full model"


@dataclass(frozen=True, eq=False)
class Drawn:
    """A quantity with its bootstrap draws; stands in for `Effect`."""

    estimate: float
    draws: np.ndarray = field(repr=False)

    @property
    def std_error(self) -> float:
        """That of a normal distribution with the same 95 % interval: some draws are far off."""
        low, high = self.interval()
        return (high - low) / (2 * NORMAL)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Percentiles of the draws."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)

    @property
    def p_difference(self) -> float:
        """Two-sided p of zero: one less the level of the interval that ends at zero."""
        levels = np.linspace(0, 1, len(self.draws))
        reached = [float(np.interp(0, np.sort(side), levels)) for side in (self.draws, -self.draws)]
        return min(1.0, max(2 * min(reached), 2 / (1 + len(levels))))

    def p_equivalence(self, bound: float) -> float:
        """Always 1: no band of negligible contributions is set."""
        return 1.0

    def p_minimal_effect(self, bound: float) -> float:
        """Always 1, for the same reason."""
        return 1.0

    @property
    def detectable(self) -> float:
        """The smallest difference found in 80 % of samples like this, by a 5 % test."""
        return 2.8 * self.std_error


def too_few_tweaks(tweaks: Sequence[str]) -> str:
    """Say that there are fewer than two tweaks beyond timing, or nothing."""
    beyond = [name for name in tweaks if not name.endswith("_missing")]
    beyond = [name for name in beyond if not name.startswith(TIMING)]
    few = len(beyond) < FEWEST_TWEAKS
    return "fewer than two tweaks beyond timing are measured" if few else ""


def contributions_of(
    losses: Mapping[frozenset[str], np.ndarray], players: list[str]
) -> dict[str, Drawn]:
    """The margin of conversation over tweaks, the gain of the full model, and each block's part.

    Parameters
    ----------
    losses
        Every subset of the players to its losses, tilts and tilts of chance, 3 by draws; the
        first draw is the sample, the others are the bootstrap's.
    players
        Names of blocks, "conversation" and "tweaks" among them.
    """
    shares = shapley(losses, players)
    found = {
        CONTRAST: shares["conversation"] - shares["tweaks"],
        FULL: losses[frozenset()] - losses[frozenset(players)],
        **shares,
    }
    return {term: Drawn(float(lines[0, 0]), recentred(*lines)) for term, lines in found.items()}


def contribution_rows(
    found: Mapping[str, Drawn], *, dataset: str, model: str, n_obs: int, n_accounts: int
) -> tuple[pd.DataFrame, dict[Key, Estimate]]:
    """Lay contributions out in the vocabulary; the margin and the gain are totals."""
    label: dict[str, Any] = {"hypothesis": "H4", "dataset": dataset, "model": model}
    label |= {"unit": UNIT, "n_obs": n_obs, "n_accounts": n_accounts}
    effects: dict[Key, Estimate] = {
        (model, "total" if term in (CONTRAST, FULL) else term, term): drawn
        for term, drawn in found.items()
    }
    lines = [
        effect_row(drawn, **label, block=block, term=term)
        for (_, block, term), drawn in effects.items()
    ]
    return pd.DataFrame(lines), effects


def conditions(gain: float, answering: Estimate | None) -> tuple[bool, tuple[str, ...]]:
    """What H4 asks for beside the margin: whether it holds, and in words."""
    positive = answering is not None and answering.interval()[0] > 0
    beats = gain > 0
    said = (
        f"the full model {'beats' if beats else 'does not beat'} the adjustment set "
        f"({gain:+.3g} {UNIT})"
    )
    if positive:
        return beats, (said,)
    return False, (said, "answering itself is not positive with its interval off the null")
