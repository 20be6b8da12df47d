"""Who is at risk when: sums over the risk sets of a stratified Cox model, without a loop."""

from __future__ import annotations

import numpy as np


class RiskSets:
    """Those at risk at each time of events in a stratum: intervals with start < time <= stop.

    Time runs backward through each stratum: an interval enters at its stop and leaves at its
    start, so the running sum is that of those at risk, and is back at 0 where a stratum ends.
    """

    def __init__(
        self,
        start: np.ndarray,
        stop: np.ndarray,
        event: np.ndarray,
        x: np.ndarray,
        *,
        stratum: np.ndarray,
    ) -> None:
        times, rank = np.unique(np.concatenate([start, stop]), return_inverse=True)
        width = len(times)
        begins, ends = np.split(rank.astype("int64"), 2)
        base = stratum.astype("int64") * width
        at, self._moment = np.unique((base + ends)[event], return_inverse=True)
        self._events = np.bincount(self._moment).astype(float)
        self._happened = event
        self._x_total = x[event].sum(axis=0)
        self._x_event = x[event]
        self.n_events = int(event.sum())

        first, last = (np.searchsorted(at, base + edge, side="right") for edge in (begins, ends))
        # Intervals between two times of events are never at risk.
        seen = first < last
        self._seen, self._first, self._last = seen, first[seen], last[seen]
        self._x = x[seen]
        reverse = base[seen] + width - 1
        moves = np.concatenate([reverse - ends[seen], reverse - begins[seen]])
        order = np.argsort(moves, kind="stable")
        self._row = np.tile(np.arange(len(self._x)), 2)[order]
        self._sign = np.repeat([1.0, -1.0], len(self._x))[order]
        self._moving = np.ascontiguousarray(self._x[self._row].T)
        stratum_of, time_of = np.divmod(at, width)
        here = stratum_of * width + width - 1 - time_of
        past = np.searchsorted(moves[order], here, side="right")
        backward = np.argsort(past, kind="stable")
        self._between = np.append(0, past[backward][:-1])
        self._until = past.max()
        self._forward = np.argsort(backward, kind="stable")

    def _totals(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight of each seen interval and of each move, and the sum of those at risk."""
        weight = np.exp(self._x @ beta)
        moving = weight[self._row] * self._sign
        return weight, moving, self._sum(moving)

    def _sum(self, moving: np.ndarray) -> np.ndarray:
        """Sum over those at risk at each time, of what enters and leaves."""
        steps = np.add.reduceat(moving[: self._until], self._between)
        return np.cumsum(steps)[self._forward]

    def _means(self, moving: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Weighted mean of each term over those at risk, times by p."""
        return np.column_stack([self._sum(moving * term) / total for term in self._moving])

    def likelihood(self, beta: np.ndarray) -> float:
        """Partial log-likelihood; not finite where beta is out of reach of the numbers."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            total = self._totals(beta)[2]
            return float(self._x_total @ beta - self._events @ np.log(total))

    def derivatives(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score and information."""
        _, moving, total = self._totals(beta)
        means, share = self._means(moving, total), self._events / total
        p = len(beta)
        information = -(means.T * self._events) @ means
        for row in range(p):
            part = moving * self._moving[row]
            for column in range(row + 1):
                information[row, column] += share @ self._sum(part * self._moving[column])
                information[column, row] = information[row, column]
        return self._x_total - self._events @ means, information

    def score_residuals(self, beta: np.ndarray) -> np.ndarray:
        """Each interval's part of the score, n by p; they sum to the score."""
        weight, moving, total = self._totals(beta)
        means, hazard = self._means(moving, total), self._events / total

        def passed(values: np.ndarray) -> np.ndarray:
            running = np.append(0.0, np.cumsum(values))
            return running[self._last] - running[self._first]

        lived = passed(hazard)
        expected = np.column_stack([passed(hazard * term) for term in means.T])
        residuals = np.zeros((len(self._seen), len(beta)))
        residuals[self._happened] = self._x_event - means[self._moment]
        residuals[self._seen] -= weight[:, None] * (self._x * lived[:, None] - expected)
        return residuals
