"""The grounding filter on right rows and on rows made wrong on purpose.

python -m benchmarks.grounding [--show DEFECT]
"""

import argparse
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.defects import wrong_rows
from benchmarks.rewordings import right_rows
from benchmarks.row_stock import EXAMPLES, HANDBOOK, Row, load_stock
from tasks.grounding.judge import Judgement, judge

MIN_SCORE = 0.75  # the default of `generation.min_grounding`
PAGE = Path("docs/results/grounding.md")


def judged(row: Row) -> Judgement:
    return judge(row.question, row.answer, row.passage, row.headings, MIN_SCORE)


def table(rows: Sequence[Row], verdicts: Sequence[Judgement]) -> list[str]:
    """Return one line a defect or wording: rows, rejected, share, reasons."""
    groups: defaultdict[str, list[Judgement]] = defaultdict(list)
    for row, verdict in zip(rows, verdicts, strict=True):
        groups[row.defect or row.wording or "as the rules made them"].append(verdict)
    groups["**all**"] = list(verdicts)
    lines = ["| rows | number | rejected | share | reasons |", "|---|---:|---:|---:|---|"]
    for name, found in groups.items():
        reasons = Counter(v.reason for v in found if v.reason)
        gone = sum(reasons.values())
        named = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common(4))
        lines.append(f"| {name} | {len(found)} | {gone} | {gone / len(found):.1%} | {named} |")
    return lines


def show(rows: Sequence[Row], verdicts: Sequence[Judgement], only: str) -> None:
    """Print what was decided wrongly."""
    for row, verdict in zip(rows, verdicts, strict=True):
        name = row.defect or row.wording or "right"
        if bool(row.defect) != (verdict.reason is not None) and only in ("all", name):
            print(f"--- {name} [{row.kind}] {verdict.reason} {verdict.score} {verdict.detail}")
            print(f"Q: {row.question}\nA: {row.answer}\nP: {row.passage[:1200]}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=250)
    parser.add_argument("--per-defect", type=int, default=60)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--show", default="")
    options = parser.parse_args()
    stock = load_stock((HANDBOOK, EXAMPLES), options.documents, options.seed)
    wrong = wrong_rows(stock, options.per_defect, options.seed)
    right = right_rows(stock, 4 * options.per_defect, options.per_defect, options.seed)
    verdicts = [[judged(row) for row in rows] for rows in (wrong, right)]
    if options.show:
        show(wrong, verdicts[0], options.show)
        show(right, verdicts[1], options.show)
    page = [
        "# The grounding filter on rows made wrong on purpose",
        "",
        f"Made by `python -m benchmarks.grounding --seed {options.seed}` on "
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{platform.machine()}. Rows come from {options.documents} documents of the 18F handbook "
        "and the sample handbook; threshold "
        f"{MIN_SCORE}. Names, numbers, units and clauses put in come from other documents.",
        "",
        "## Wrong rows (should be rejected)",
        "",
        *table(wrong, verdicts[0]),
        "",
        "## Right rows (should pass)",
        "",
        *table(right, verdicts[1]),
        "",
    ]
    notes = PAGE.read_text(encoding="utf-8").partition("\n## Notes")[2] if PAGE.exists() else ""
    kept = f"\n## Notes{notes}" if notes else ""
    PAGE.write_text("\n".join(page) + kept, encoding="utf-8")
    sys.stdout.write("\n".join(page))


if __name__ == "__main__":
    main()
