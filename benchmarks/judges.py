"""Does a judge with a language model know right rows from wrong ones?

    python -m benchmarks.judges [--base-url URL --model NAME] [--rows N]

Asks the judges about rows that are known to be right, and about the same rows made wrong.
Run it on the model that you mean to judge with before you believe its verdicts. Replies are
kept in the home folder, so a run that was stopped goes on.
"""

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.defects import wrong_rows
from benchmarks.row_stock import EXAMPLES, HANDBOOK, Row, load_stock
from data_contracts.schemas import EXAMPLE, blank_row
from tasks.judging.base import JudgedRow, LLMJudge
from tasks.judging.judges.correctness import CorrectnessJudge
from tasks.judging.judges.faithfulness import FaithfulnessJudge
from tasks.judging.judges.relevance import RelevanceJudge
from tasks.llm.config import EMBEDDED, LLMConfig
from tasks.llm.connect import language_model
from tasks.llm.logged import LoggedModel
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import ask_all, converse
from tasks.settings import Settings

PAGE = Path("docs/results/judges.md")

JUDGES: dict[str, type[LLMJudge]] = {
    "faithfulness": FaithfulnessJudge,
    "relevance": RelevanceJudge,
    "correctness": CorrectnessJudge,
}

# Defects that make an answer miss its question; the passage may still state the answer.
_OFF_TOPIC = frozenset(("answer of another question", "answer from another passage"))
_UNFAITHFUL = frozenset(("answer of another question",))  # the passage does say it


def expected(judge: LLMJudge, row: Row) -> bool | None:
    """Return whether a judge should pass a row; None where the truth is not known."""
    if not row.defect:
        return True
    if isinstance(judge, RelevanceJudge):
        return False if row.defect in _OFF_TOPIC else None
    if isinstance(judge, FaithfulnessJudge) and row.defect in _UNFAITHFUL:
        return None
    return False


def judged_row(number: int, row: Row) -> JudgedRow:
    values = blank_row(EXAMPLE) | {
        "example_id": f"row-{number}",
        "kind": row.kind,
        "question": row.question,
        "answer": row.answer,
        "context": row.passage,
    }
    return JudgedRow(values, row.passage, row.headings)


def verdicts(judge: LLMJudge, rows: Sequence[Row], model: LoggedModel) -> list[float | None]:
    """Return the score of each row, None where no verdict counted."""
    views = [judged_row(n, row) for n, row in enumerate(rows)]

    def score(view: JudgedRow) -> float | None:
        reply = converse(
            judge.messages(view),
            judge.response_format,
            lambda parsed: judge.read(parsed, view),
            model,
            model.config.repairs,
        )
        return reply.value.score if reply.value else None

    work = [lambda view=view: score(view) for view in views]
    ask_all(work, model.config.concurrency, lambda items, total: items)
    return [score(view) for view in views]


def line(judge: LLMJudge, rows: Sequence[Row], scores: Sequence[float | None]) -> str:
    """Return a table line: how right and wrong rows fared, and the balanced accuracy."""
    counts: Counter[tuple[bool, str]] = Counter()
    for row, score in zip(rows, scores, strict=True):
        truth = expected(judge, row)
        if truth is not None:
            passed = "none" if score is None else str(score >= judge.min_score)
            counts[truth, passed] += 1
    right = [counts[True, key] for key in ("True", "False", "none")]
    wrong = [counts[False, key] for key in ("True", "False", "none")]
    decided = sum(right[:2]) and sum(wrong[:2])
    balanced = (right[0] / sum(right[:2]) + wrong[1] / sum(wrong[:2])) / 2 if decided else 0.0
    said = f"{balanced:.0%}" if decided else "no verdicts"
    cells = [judge.judge, *right, *wrong, said]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", default=EMBEDDED)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--judge", nargs="+", choices=list(JUDGES), default=list(JUDGES))
    parser.add_argument("--rows", type=int, default=40, help="right rows; as many wrong ones")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    stock = load_stock((HANDBOOK, EXAMPLES), options.documents, options.seed)
    wrong = wrong_rows(stock, -(-options.rows // 8), options.seed)[: options.rows]
    rows = [*stock.rows[:: max(1, len(stock.rows) // options.rows)][: options.rows], *wrong]
    config = LLMConfig(base_url=options.base_url, model=options.model, max_tokens=200)
    home = Settings().resolved_home
    with language_model(config, home) as complete:
        log = ResponseLog(home / "cache" / "benchmark_judges" / "responses.jsonl")
        model = LoggedModel(complete, log, config)
        judges = [judge() for name, judge in JUDGES.items() if name in options.judge]
        lines = [line(judge, rows, verdicts(judge, rows, model)) for judge in judges]
    page = [
        f"## {options.model}",
        "",
        f"`python -m benchmarks.judges` on {datetime.now(UTC):%Y-%m-%d}, Python "
        f"{platform.python_version()}, {platform.machine()}; {len(rows)} rows, seed "
        f"{options.seed}. "
        "A verdict that quotes what the passage does not say does not count.",
        "",
        "| judge | right: passed | dropped | no verdict | wrong: passed | dropped | no verdict |"
        " balanced accuracy where there is a verdict |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *lines,
        "",
    ]
    sys.stdout.write("\n".join(page))
    known = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Judges on known rows\n\n"
    before, _, after = known.partition(page[0] + "\n")
    before = before.rstrip() + "\n\n"
    rest = after[after.find("\n## ") + 1 :] if "\n## " in after else ""
    PAGE.write_text(before + "\n".join(page) + ("\n" + rest if rest else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
