"""What a model's work amounted to in a run, as figures for MLflow."""

import threading
from collections.abc import Callable

from tasks.llm.budget import Budget
from tasks.llm.response_log import Completion


class Usage:
    """Counts each request once, however often its reply is used.

    Args:
        budget: Where tokens and money are counted.
        reached: Says how many requests were under way at the same time, where that is known.
    """

    def __init__(self, budget: Budget, reached: Callable[[], int] | None = None) -> None:
        self.budget, self.reached = budget, reached
        self.calls = self.cached = self.failed = 0
        self.over_budget: set[str] = set()
        self.quarantined: set[str] = set()
        self.repaired: set[str] = set()
        self._seen: set[str] = set()
        self._timed_tokens, self._seconds = 0, 0.0
        self._lock = threading.Lock()

    def count(self, key: str, reply: Completion, *, cached: bool) -> None:
        """Count a reply, unless it was counted before."""
        with self._lock:
            if key in self._seen:
                return
            self._seen.add(key)
            self.calls += not cached
            self.cached += cached
            if reply.seconds:  # a batch does not tell how long a reply took
                self._timed_tokens += reply.completion_tokens
                self._seconds += reply.seconds
        self.budget.spend(reply)

    def figures(self) -> dict[str, float]:
        """Return the numbers for MLflow and the report.

        Tokens and cost are those of all replies used, from the log or new; the speed is that
        of one reply on average.
        """
        speed = self._timed_tokens / self._seconds if self._seconds else 0.0
        return {
            "llm_calls": self.calls,
            "llm_cached": self.cached,
            "llm_failed": self.failed,
            "llm_over_budget": len(self.over_budget),
            "llm_repaired": len(self.repaired),
            "llm_quarantined": len(self.quarantined),
            "prompt_tokens": self.budget.prompt_tokens,
            "completion_tokens": self.budget.completion_tokens,
            "cost": round(self.budget.cost, 6),
            "tokens_per_second": round(speed, 2),
            "concurrency_reached": self.reached() if self.reached else 0,
        }
