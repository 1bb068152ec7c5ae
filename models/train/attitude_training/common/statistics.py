# SPDX-License-Identifier: MPL-2.0
"""Computes confidence intervals of shares."""

import math
from dataclasses import dataclass

import numpy as np

# Quantile of the normal distribution for intervals of 95%.
Z = 1.959964


@dataclass(frozen=True)
class Share:
    """A share of successes with its interval of 95%, all 0 to 1.

    total: the number of trials; without any, the share is NaN and the interval is everything.
    """

    value: float
    low: float
    high: float
    total: int

    @classmethod
    def of(cls, successes: np.ndarray) -> "Share":
        """Returns the share of the true values (n,) with Wilson's score interval (Wilson, 1927)."""
        total = len(successes)
        if total == 0:
            return cls(math.nan, 0.0, 1.0, 0)
        value = float(np.mean(successes))
        middle = (value + Z * Z / (2 * total)) / (1 + Z * Z / total)
        reach = Z / (1 + Z * Z / total) * math.sqrt(value * (1 - value) / total + Z * Z / (4 * total * total))
        return cls(value, max(0.0, middle - reach), min(1.0, middle + reach), total)

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})" if self.total else "-"


@dataclass(frozen=True)
class Gap:
    """The difference of two shares with its interval of 95%, -1 to 1."""

    value: float
    low: float
    high: float

    @classmethod
    def between(cls, a: Share, b: Share) -> "Gap":
        """Returns a - b with the interval from two score intervals (Newcombe, 1998, method 10)."""
        value = a.value - b.value
        return cls(
            value,
            value - math.hypot(a.value - a.low, b.high - b.value),
            value + math.hypot(a.high - a.value, b.value - b.low),
        )

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"
