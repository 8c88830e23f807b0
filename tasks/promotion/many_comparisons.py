"""Many skills at once: chance must not call one of them destroyed."""

from collections.abc import Mapping

from data_contracts.results import Delta

# The intervals are of 95 %, of which one end decides.
ONE_SIDED = 0.025


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for how many there are (Holm 1979).

    The probability that any true hypothesis is rejected stays below the level, whatever the
    dependence between them.
    """
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    corrected, highest = dict[str, float](), 0.0
    for place, (name, p_value) in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - place) * p_value))
        corrected[name] = highest
    return corrected


def loss_p_value(delta: Delta, margin: float) -> float:
    """Return the one-sided p-value of "the accuracy fell by no more than the margin".

    It is below 0.025 exactly when the delta's interval lies beyond the margin; between and
    beyond, the arm of the interval is read as that many t quantiles.

    Args:
        delta: Accuracy of the base against the tuned model.
        margin: Accuracy that may be lost.
    """
    from scipy.stats import t

    beyond = -margin - delta.delta.estimate
    arm = delta.delta.high - delta.delta.estimate
    if arm <= 0:
        return 0.0 if beyond > 0 else 1.0
    freedom = max(delta.clusters - 1, 1)
    return float(t.sf(beyond / arm * t.isf(ONE_SIDED, freedom), freedom))
