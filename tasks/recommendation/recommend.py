"""Ranks the methods for a situation, with a reason for each point."""

from collections.abc import Iterable, Mapping

from data_contracts.base import Result
from tasks.recommendation.rules import ADVICE, RULES, TRAITS, Rule
from tasks.recommendation.situation import Situation

GB, MB = 1e9, 1e6

# Points for each nat of validation loss that a method of one's own runs is better than their
# mean: a tenth of a nat, much for one dataset, outweighs every rule of the literature.
POINTS_A_NAT = 100.0


class Cost(Result):
    """What a method needs for this base model; bytes."""

    memory: int
    storage: int
    registered: bool  # whether this version of Temper trains by it


class Reason(Result):
    """Why a method gained or lost points, and who says so."""

    criterion: str
    points: float
    text: str
    source: str


class Choice(Result):
    """A method that the budgets allow."""

    method: str
    score: float
    cost: Cost
    extra_latency: float  # share of the base's time a token
    reasons: tuple[Reason, ...]


class Recommendation(Result):
    """Methods that fit, best first; those that do not, and why; what else to mind."""

    choices: tuple[Choice, ...]
    excluded: dict[str, str]
    advice: tuple[Reason, ...]


def recommend(
    situation: Situation, costs: Mapping[str, Cost], measured: Mapping[str, float] | None = None
) -> Recommendation:
    """Rank the methods.

    Args:
        situation: What is asked for.
        costs: Memory and storage of each method that is to be considered.
        measured: Validation loss of one's own runs, in nats, by method; outweighs the rules.
    """
    excluded = {
        method: why for method, cost in costs.items() if (why := _obstacle(situation, method, cost))
    }
    choices = [
        _choice(situation, method, cost, measured or {})
        for method, cost in costs.items()
        if method not in excluded
    ]
    return Recommendation(
        choices=tuple(sorted(choices, key=lambda c: (-c.score, c.cost.memory, c.method))),
        excluded=excluded,
        advice=tuple(_reason(rule, 0) for rule in _holding(situation, ADVICE)),
    )


def _obstacle(situation: Situation, method: str, cost: Cost) -> str:
    """Return which budget or demand rules a method out; empty if none does."""
    if cost.memory > situation.memory_gb * GB:
        return f"needs {cost.memory / GB:.1f} GB of memory, {situation.memory_gb:g} are there"
    if cost.storage > situation.storage_mb * MB:
        return f"writes {cost.storage / MB:.0f} MB, {situation.storage_mb:g} are there"
    if situation.latency == "base" and not TRAITS[method].mergeable:
        return f"cannot be merged, so answers are slower ({TRAITS[method].source})"
    return ""


def _choice(situation: Situation, method: str, cost: Cost, measured: Mapping[str, float]) -> Choice:
    reasons = [
        _reason(rule, rule.points[method])
        for rule in _holding(situation, RULES)
        if method in rule.points
    ]
    if method in measured:
        reasons.append(_own(method, measured))
    trait = TRAITS[method]
    merged = trait.mergeable and situation.tasks_at_once == 1
    return Choice(
        method=method,
        score=sum(reason.points for reason in reasons),
        cost=cost,
        extra_latency=0.0 if merged else trait.extra_latency,
        reasons=tuple(reasons),
    )


def _own(method: str, measured: Mapping[str, float]) -> Reason:
    mean = sum(measured.values()) / len(measured)
    gain = mean - measured[method]
    return Reason(
        criterion="own runs",
        points=POINTS_A_NAT * gain,
        text=f"validation loss {measured[method]:.3f}, {gain:+.3f} nats better than the mean of "
        f"{len(measured)} methods",
        source="MLflow",
    )


def _holding(situation: Situation, rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.holds(situation)]


def _reason(rule: Rule, points: float) -> Reason:
    return Reason(criterion=rule.criterion, points=points, text=rule.reason, source=rule.source)
