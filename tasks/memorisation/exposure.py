"""How exposed a canary is (Carlini et al. 2019, sections 4.2 and 4.3)."""

from collections.abc import Sequence
from math import log2

import numpy as np
from numpy.typing import NDArray

# A skew-normal distribution cannot be more skewed.
_MOST_SKEW = 0.99


def exposure(secret: float, alternatives: Sequence[float]) -> float:
    """Return -log2 of the share of random secrets that are at least as likely, in bits.

    Among few enough alternatives the share is counted. A secret likelier than all of them is
    placed in the tail of the skew-normal distribution that they follow (section 4.3).

    Args:
        secret: Log-probability of the canary's secret.
        alternatives: That of random secrets of the same form.
    """
    values = np.asarray(alternatives, float)
    better = int((values >= secret).sum())
    counted = log2((len(values) + 1) / (better + 1))
    return counted if better else max(counted, _tail_bits(secret, values))


def _tail_bits(secret: float, values: NDArray[np.float64]) -> float:
    """Return -log2 of the probability that a random secret is likelier.

    The distribution is fitted by its moments (Azzalini 1985), which never fails to converge.
    """
    from scipy.stats import skew, skewnorm

    spread = float(values.std())
    if spread == 0:
        return 0.0
    skewness = float(np.clip(skew(values), -_MOST_SKEW, _MOST_SKEW))
    ratio = abs(skewness) ** (2 / 3)
    delta = np.sign(skewness) * np.sqrt(np.pi / 2 * ratio / (ratio + ((4 - np.pi) / 2) ** (2 / 3)))
    shape = delta / np.sqrt(1 - delta**2)
    scale = spread / np.sqrt(1 - 2 * delta**2 / np.pi)
    place = values.mean() - scale * delta * np.sqrt(2 / np.pi)
    return float(-skewnorm.logsf(secret, shape, place, scale) / np.log(2))
