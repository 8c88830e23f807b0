"""How many more subjects to ask about, and why the rows wanted cannot be had."""

from dataclasses import dataclass
from math import ceil

# Subjects asked about before a yield is judged hopeless: at a true yield of 5 %, 50 subjects
# without a single row come about once in 13 times.
_FAIR_TRIAL = 50


@dataclass(frozen=True)
class Progress:
    """How far a kind of rows has come.

    Attributes:
        wanted: Rows wanted, or None where no number was named.
        kept: Rows kept so far.
        asked: Subjects asked about so far.
        usable: Subjects that there are.
        limit: Most subjects that may be asked about, or None.
        min_yield: Lowest share of rows kept that is worth going on with.
        spent: Whether the model's budget is used up.
    """

    wanted: int | None
    kept: int
    asked: int
    usable: int
    limit: int | None
    min_yield: float
    spent: bool = False

    @property
    def room(self) -> int:
        """Subjects that may still be asked about."""
        most = self.usable if self.limit is None else min(self.usable, self.limit)
        return max(0, most - self.asked)

    @property
    def hopeless(self) -> bool:
        """Whether so little was kept that going on is a waste."""
        return self.asked >= _FAIR_TRIAL and self.kept < self.min_yield * self.asked


def next_round(progress: Progress) -> int:
    """Return how many more subjects to ask about.

    The first round asks for as many as rows are wanted, since none gives more than one; later
    ones are sized by the yield so far, and at most double what was asked.
    """
    if progress.wanted is None:
        return 0 if progress.asked else progress.room
    missing = progress.wanted - progress.kept
    if missing <= 0 or progress.hopeless or progress.spent:
        return 0
    if not progress.asked:
        return min(progress.room, missing)
    expected = (progress.kept + 1) / (progress.asked + 2)
    return min(progress.room, ceil(missing / expected), max(progress.asked, missing))


def why_short(progress: Progress, kept: int) -> str | None:
    """Return why a kind has fewer rows than wanted, or None if it has enough.

    Args:
        progress: Of the kind, when asking ended.
        kept: Its rows in the end, after limits that hold for all documents together.
    """
    if progress.wanted is None or kept >= progress.wanted:
        return None
    found = f"{progress.kept} rows were kept of {progress.asked} subjects asked about"
    if progress.kept >= progress.wanted:
        return f"{found}, and limits on the whole dataset took rows away"
    if not progress.usable:
        return "no passage is fit for it"
    if progress.spent:
        return f"{found}, and the budget of the language model is used up"
    if progress.hopeless:
        return f"{found}, too few to go on; a larger model may do better"
    if progress.limit is not None and progress.asked >= progress.limit:
        return f"{found}, and `llm.max_calls` allows no more"
    return f"{found}, and there is no further subject to ask about"
