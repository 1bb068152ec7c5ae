# SPDX-License-Identifier: MPL-2.0
"""Defines the learning rate over a training."""

import math
from collections.abc import Callable


def warm_cosine(steps: int, warmup_steps: int) -> Callable[[int], float]:
    """Returns the factor of the peak rate, 0 to 1, as a function of the step.

    It rises linearly over `warmup_steps` and falls to zero at `steps` along half a cosine (Loshchilov and Hutter,
    "SGDR", 2017).
    """

    def factor(step: int) -> float:
        return min(1, (step + 1) / warmup_steps) * 0.5 * (1 + math.cos(math.pi * step / steps))

    return factor
