"""Rows of any origin are judged; each keeps its scores, and drops keep the judge's reason."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.base import digest
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import TooFewRows
from data_contracts.schemas import EXAMPLE, dropped_schema
from tasks.judging.base import Judge, JudgedRow, LLMJudge, RuleJudge, Verdict
from tasks.judging.config import JudgingConfig
from tasks.judging.passages import Passages
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import ask_all, converse
from tasks.memo import Memo, recall
from tasks.progress import track
from tasks.text.instructions import FLAG

# Raise when this package gives other verdicts for the same rows and configuration.
VERSION = 2

RESPONSES = "responses.jsonl"
Row = dict[str, Any]


def judge_examples(
    examples: pa.Table,
    chunks: pa.Table | None,
    config: JudgingConfig,
    complete: Complete | None,
    cache: Path,
    memo: Memo | None = None,
) -> StageResult:
    """Judge rows.

    Input and output columns: all of EXAMPLE; `scores` and `flags` are added to.

    Args:
        examples: Rows in the schema EXAMPLE, of any origin.
        chunks: The chunks that they name; None where no row has any.
        config: The judges and their thresholds.
        complete: Asks the language model; needed only if a judge uses one.
        cache: Folder for the model's replies.
        memo: What the judges without a model said before.

    Raises:
        EndpointError: The language model cannot be reached or keeps failing.
        StorageError: The cache cannot be written.
        TooFewRows: Not one row was kept.
    """
    judging = _Judging(config, _model(complete, config, cache), memo)
    passages = Passages(chunks)
    seen: set[str] = set()
    rows = [passages.judged_row(row) for row in examples.to_pylist()]
    first = [row for row in rows if not judging.drop_repeated(row, seen)]
    passed = [row for row in first if judging.pass_rules(row)]
    judging.ask_ahead(passed)
    for row in passed:
        judging.file(row)
    return judging.result(examples.num_rows)


def needs_model(config: JudgingConfig) -> bool:
    """Whether any of the configured judges asks a language model."""
    return any(isinstance(judge, LLMJudge) for judge in config.judges)


def _model(complete: Complete | None, config: JudgingConfig, cache: Path) -> LoggedModel | None:
    if not needs_model(config):
        return None
    if complete is None:
        raise ValueError("A judge needs a language model, but none was given.")
    return LoggedModel(complete, ResponseLog(cache / RESPONSES), config.llm)


def _key(row: JudgedRow) -> str:
    """Return the digest of all that a verdict on a row depends on."""
    return digest([row.values, row.passage, row.headings, sorted(row.flags)])


def _passes(judge: Judge, verdict: Verdict) -> bool:
    return verdict.score >= judge.min_score or getattr(judge, "on_flag", "drop") == "keep"


class _Judging:
    """Collects the verdicts on rows, and the rows kept and dropped."""

    def __init__(self, config: JudgingConfig, model: LoggedModel | None, memo: Memo | None) -> None:
        self.config, self.model, self.memo = config, model, memo
        self.kept: list[Row] = []
        self.dropped: list[Row] = []
        self._scores: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._without = Counter[str]()

    def drop_repeated(self, row: JudgedRow, seen: set[str]) -> bool:
        """Drop a row whose identifier another has: two imports of one file."""
        name = row.values["example_id"]
        if name in seen:
            self._drop(row, "duplicate", "Another row has the same identifier.", name)
            return True
        seen.add(name)
        return False

    def pass_rules(self, row: JudgedRow) -> bool:
        """Let the judges without a model judge a row; drop it where it fails."""
        said = recall(self.memo, partial(_key, row), partial(self._rule_verdicts, row))
        judges = {judge.judge: judge for judge in self.config.judges}
        return all(
            self._enter(judges[name], row, Verdict(score, detail))
            for name, score, detail in json.loads(said)
        )

    def _rule_verdicts(self, row: JudgedRow) -> bytes:
        """Return the verdicts of the judges without a model up to the first that a row fails."""
        found = []
        for judge in self.config.judges:
            if not isinstance(judge, RuleJudge) or not judge.applies(row):
                continue
            verdict = judge.verdict(row)
            found.append((judge.judge, verdict.score, verdict.detail))
            if not _passes(judge, verdict):
                break
        return json.dumps(found).encode()

    def ask_ahead(self, rows: Sequence[JudgedRow]) -> None:
        """Ask everything at full concurrency; the verdicts are then read from the log."""
        if self.model is None:
            return
        work = [
            partial(self._asked, judge, row, self.model)
            for row in rows
            for judge in self._llm_judges(row)
        ]

        def progress(items: Iterable[object], total: int) -> Iterable[object]:
            return track(items, "Asking the judges", total)

        ask_all(work, self.config.llm.concurrency, progress, self.model)

    def file(self, row: JudgedRow) -> None:
        """Keep or drop a row by the verdicts of the language model."""
        for judge in self._llm_judges(row):
            if self.model is None:
                continue
            verdict, failure = self._asked(judge, row, self.model)
            if verdict is None:
                self._without[judge.judge] += 1
                if not self.config.keep_without_verdict:
                    self._drop(row, judge.judge, f"No verdict that counts: {failure}.")
                    return
            elif not self._enter(judge, row, verdict):
                return
        self.kept.append(self._cells(row))

    def result(self, rows_in: int) -> StageResult:
        """Return what came of it.

        Raises:
            TooFewRows: Nothing is left.
        """
        gone = pa.Table.from_pylist(self.dropped, schema=dropped_schema(EXAMPLE))
        if not self.kept:
            reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(gone).items())
            raise TooFewRows(
                f"Judging kept none of {rows_in} rows ({reasons or 'there were none'}). Lower "
                "`min_score` of the judge concerned, or take it out of `judging.judges`."
            )
        return StageResult(
            kept=pa.Table.from_pylist(self.kept, schema=EXAMPLE),
            dropped=gone,
            rows_in=rows_in,
            figures=self._figures(),
        )

    def _figures(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        for judge in self.config.judges:
            given = [s[judge.judge] for s in self._scores.values() if judge.judge in s]
            figures[f"judged.{judge.judge}"] = len(given)
            if given:
                figures[f"mean.{judge.judge}"] = round(sum(given) / len(given), 4)
                passed = sum(score >= judge.min_score for score in given)
                figures[f"passed.{judge.judge}"] = round(passed / len(given), 4)
            if isinstance(judge, LLMJudge):
                figures[f"without_verdict.{judge.judge}"] = self._without[judge.judge]
        return figures | (self.model.usage.figures() if self.model else {})

    def _llm_judges(self, row: JudgedRow) -> list[LLMJudge]:
        share = int(digest(["judging", row.values["example_id"]], length=8), 16) / 16**8
        if share >= self.config.sample:
            return []
        return [j for j in self.config.judges if isinstance(j, LLMJudge) and j.applies(row)]

    def _asked(
        self, judge: LLMJudge, row: JudgedRow, model: LoggedModel
    ) -> tuple[Verdict | None, str]:
        reply = converse(
            judge.messages(row),
            judge.response_format,
            lambda parsed: judge.read(parsed, row),
            model,
            self.config.llm.repairs,
        )
        return reply.value, reply.failure

    def _enter(self, judge: Judge, row: JudgedRow, verdict: Verdict) -> bool:
        """Note a verdict; drop the row and return False where it fails."""
        self._scores[row.values["example_id"]][judge.judge] = verdict.score
        if _passes(judge, verdict):
            return True
        self._drop(row, judge.judge, verdict.detail or f"Score {verdict.score:.2f}.")
        return False

    def _cells(self, row: JudgedRow) -> Row:
        """Return the row with its scores and flags."""
        own = self._scores[row.values["example_id"]]
        before = [s for s in row.values["scores"] if s["name"] not in own]
        scores = [*before, *({"name": name, "score": score} for name, score in own.items())]
        flags = row.flags | ({FLAG} if own.get(FLAG, 1.0) == 0.0 else set())
        return {**row.values, "scores": scores, "flags": sorted(flags)}

    def _drop(
        self, row: JudgedRow, reason: str, detail: str, duplicate_of: str | None = None
    ) -> None:
        why: Mapping[str, Any] = {
            "reason": reason,
            "detail": detail,
            "duplicate_of": duplicate_of,
            "similarity": None,
        }
        self.dropped.append({**self._cells(row), **why})
