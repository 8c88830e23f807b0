"""What a model is to answer when the passage does not."""

from collections.abc import Sequence

from data_contracts.base import digest

# Several wordings, so that a model learns the refusal and not a sentence.
REFUSALS = (
    "The passage does not say.",
    "The passage gives no answer to this question.",
    "That is not stated in the passage.",
    "I cannot answer that from the passage: it does not say.",
)


def choose_refusal(refusals: Sequence[str], question: str) -> str:
    """Return the wording for a question: always the same for the same question."""
    return refusals[int(digest(question, length=8), 16) % len(refusals)]
