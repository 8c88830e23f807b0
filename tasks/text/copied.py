"""What is copied from one row into another, template text left out."""

from tasks.text.config import SimilarityConfig
from tasks.text.hash_rows import HashRows
from tasks.text.rows import RowTexts, window_features, word_features
from tasks.text.template import Templates


def containment_features(
    rows: RowTexts, config: SimilarityConfig, templates: Templates | None = None
) -> tuple[HashRows, HashRows]:
    """Return what of each row to look for in others, and what each row holds.

    Looked for are the runs of words of question and answer; a row with too few of them is
    looked for nowhere. Searched is all that a row says, its passage included.

    Args:
        rows: The rows.
        config: Length and least number of runs.
        templates: The template text, where it was counted over other rows.
    """
    words = word_features(rows.said, config.containment_ngram)
    own = _own("containment", rows, words, config, templates)
    enough = own.only(own.sizes >= config.containment_least)
    return enough, word_features(rows.whole, config.containment_ngram)


def substring_features(
    rows: RowTexts, config: SimilarityConfig, templates: Templates | None = None
) -> HashRows:
    """Return the runs of characters of each row's question and answer."""
    windows = window_features(rows.said, config.substring_characters)
    return _own("substring", rows, windows, config, templates)


def _own(
    kind: str,
    rows: RowTexts,
    features: HashRows,
    config: SimilarityConfig,
    templates: Templates | None,
) -> HashRows:
    known = templates or Templates()
    return known.left_out(kind, features, rows.documents, config)
