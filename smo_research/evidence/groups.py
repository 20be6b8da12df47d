"""Sums by group, and how groupings of the same rows lie in each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows by group; sums are several times faster where the rows are in the order of theirs.

    Attributes
    ----------
    labels
        n whole numbers from 0; some may have no row.
    """

    labels: np.ndarray

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows of each group."""
        return np.bincount(self.labels)

    @cached_property
    def count(self) -> int:
        """Groups with a row."""
        return int((self.sizes > 0).sum())

    @cached_property
    def _starts(self) -> np.ndarray | None:
        steps = np.diff(self.labels, prepend=-1)
        return np.flatnonzero(steps) if np.isin(steps, (0, 1)).all() else None

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums by group of n values, or of the columns of n by p.

        Examples
        --------
        >>> Groups(np.array([0, 2, 0])).sums(np.array([1.0, 2.0, 4.0]))
        array([5., 0., 2.])
        """
        if self._starts is not None:
            return np.add.reduceat(values, self._starts, axis=0)
        if values.ndim == 1:
            return np.bincount(self.labels, values)
        sums = np.empty((len(self.sizes), values.shape[1]))
        for place, column in enumerate(values.T):
            sums[:, place] = np.bincount(self.labels, column)
        return sums

    def within(self, others: Groups) -> bool:
        """Whether each group lies within one of the others.

        Examples
        --------
        >>> small, large = Groups(np.array([0, 0, 1, 2])), Groups(np.array([0, 0, 0, 1]))
        >>> small.within(large), large.within(small)
        (True, False)
        """
        one = np.zeros(len(self.sizes), dtype=others.labels.dtype)
        one[self.labels] = others.labels
        return bool((one[self.labels] == others.labels).all())

    def crossed(self, others: Groups) -> Groups:
        """The groups of rows that are in the same group of both."""
        pairs = self.labels.astype("int64") * len(others.sizes) + others.labels
        return Groups(np.unique(pairs, return_inverse=True)[1])
