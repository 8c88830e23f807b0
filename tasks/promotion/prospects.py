"""What can be known of the verdict before anything is trained."""

from tasks.promotion.config import GateConfig


def why_undecided(test_rows: int, most_scored: int, gate: GateConfig) -> str:
    """Return why a run cannot end in PASS however good its model is; empty if it can.

    Args:
        test_rows: Of the dataset.
        most_scored: How many of them evaluation scores at most.
        gate: What a PASS demands.
    """
    least = gate.min_test_rows
    scored = min(test_rows, most_scored)
    if scored >= least or "sample_size" in gate.switched_off:
        return ""
    if test_rows >= least:
        return (
            f"This run cannot end in PASS: {most_scored} test rows are scored "
            f"(evaluation.test_rows), and a verdict wants {least} (gate.min_test_rows)."
        )
    return (
        f"This run cannot end in PASS: it has {test_rows} test rows, and a verdict wants {least} "
        "(gate.min_test_rows). Add documents, raise generation.max_rows_per_document, have a "
        "language model write questions (deploy/profiles/llm.yaml), or give the test a larger "
        "share (splitting.test)."
    )
