"""The embedded retriever: BM25 over the documents' passages."""

from collections.abc import Sequence

from tasks.evaluation.examination import Passage
from tasks.evaluation.metrics import all_words


class Retriever:
    """Finds the passages that share the rarest words with a question (BM25, Robertson 1994).

    Args:
        passages: At least one.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s

        self.passages = list(passages)
        # Its own defaults, k1 1.5 and b 0.75, which are those of Lucene but for k1 1.2.
        self._index = bm25s.BM25()
        self._index.index([all_words(p.text) for p in self.passages], show_progress=False)

    def find(self, question: str, most: int) -> list[Passage]:
        """Return at most `most` passages, best first; none where no word is shared."""
        words = [word for word in all_words(question) if word in self._index.vocab_dict]
        if not words:
            return []
        places, scores = self._index.retrieve(
            [words], k=min(most, len(self.passages)), show_progress=False
        )
        found = zip(places[0].tolist(), scores[0].tolist(), strict=True)
        return [self.passages[place] for place, score in found if score > 0]
