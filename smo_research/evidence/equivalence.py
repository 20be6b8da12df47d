"""p-values for and against a band of negligible effects, and Holm's adjustment."""

from __future__ import annotations

import numpy as np
from scipy import stats


def difference_p(estimate: float, std_error: float, df: float) -> float:
    """Two-sided p of no effect.

    Examples
    --------
    >>> round(difference_p(0.2, 0.1, 30), 4)
    0.0546
    """
    return float(2 * stats.t.sf(abs(estimate) / std_error, df))


def equivalence_p(estimate: float, std_error: float, df: float, *, bound: float) -> float:
    """p of an effect at or beyond -bound or bound: two one-sided tests (Schuirmann 1987).

    Examples
    --------
    >>> round(equivalence_p(0.0, 0.05, 100, bound=0.1), 4)
    0.0241
    """
    low = stats.t.sf((estimate + bound) / std_error, df)
    high = stats.t.cdf((estimate - bound) / std_error, df)
    return float(max(low, high))


def minimal_effect_p(estimate: float, std_error: float, df: float, *, bound: float) -> float:
    """p of an effect inside the band, at its edge the hardest to reject (Murphy and Myors 1999).

    Examples
    --------
    >>> round(minimal_effect_p(0.3, 0.1, 100, bound=0.1), 4)
    0.0242
    """
    far = abs(estimate)
    beyond = stats.t.sf((far - bound) / std_error, df) + stats.t.sf((far + bound) / std_error, df)
    return float(min(1.0, beyond))


def holm(p_values: dict[str, float], *, family: int) -> dict[str, float]:
    """Holm-adjust p-values within a family of fixed size; those not run count with p = 1.

    Parameters
    ----------
    p_values
        By name; missing (NaN) counts as 1.
    family
        How many tests the family has, at least the number given.

    Examples
    --------
    >>> holm({"a": 0.01, "b": 0.04}, family=3)
    {'a': 0.03, 'b': 0.08}
    """
    if family < len(p_values):
        raise ValueError(f"family must be at least {len(p_values)}, but is {family}")
    names = list(p_values)
    values = np.nan_to_num(np.array([p_values[name] for name in names], dtype=float), nan=1.0)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * (family - np.arange(len(values)))
    adjusted = np.minimum(1.0, np.maximum.accumulate(scaled))
    return {names[i]: float(adjusted[rank]) for rank, i in enumerate(order)}
