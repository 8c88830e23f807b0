"""Rows of any origin are judged; each keeps its scores, and drops keep the judge's reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.base import digest
from data_contracts.dataset import StageResult, count_reasons
from data_contracts.errors import TooFewRows
from data_contracts.schemas import DROP_COLUMNS, EXAMPLE, SCHEMA_VERSION, dropped_schema
from tasks.judging.base import Judge, JudgedRow, LLMJudge, RuleJudge, Verdict
from tasks.judging.config import JudgingConfig
from tasks.judging.passages import Passages
from tasks.llm.logged import LoggedModel
from tasks.llm.request import Complete
from tasks.llm.response_log import ResponseLog
from tasks.llm.structured import ask_all, converse
from tasks.progress import track
from tasks.remembered_rows import PartedTable, RememberedRows, UnitRows
from tasks.row_names import joined_names
from tasks.text.instructions import FLAG
from tasks.text.rows import listed, strings

# Raise when this package gives other verdicts for the same rows and configuration.
VERSION = 4

RESPONSES = "responses.jsonl"
Row = dict[str, Any]

# Reason, detail and `duplicate_of` of a row that is dropped; None where it is not.
Why = tuple[str | None, str | None, str | None]

# What is said of one row: the scores that its judges gave here, all scores and flags it then has,
# and why it is dropped.
VERDICT = pa.schema(
    [
        pa.field("own", EXAMPLE.field("scores").type),
        EXAMPLE.field("scores"),
        EXAMPLE.field("flags"),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("duplicate_of", pa.string()),
    ]
)
_NOTHING = pa.schema([pa.field("reason", pa.string())])


def judge_examples(
    examples: pa.Table,
    chunks: pa.Table | None,
    config: JudgingConfig,
    complete: Complete | None,
    cache: Path,
    folder: Path | None = None,
) -> StageResult:
    """Judge rows.

    Input and output columns: all of EXAMPLE; `scores` and `flags` are added to.

    Args:
        examples: Rows in the schema EXAMPLE, of any origin.
        chunks: The chunks that they name; None where no row has any.
        config: The judges and their thresholds.
        complete: Asks the language model; needed only if a judge uses one.
        cache: Folder for the model's replies.
        folder: Where is kept what the judges without a model said; None to keep nothing.

    Raises:
        EndpointError: The language model cannot be reached or keeps failing.
        StorageError: The cache cannot be written.
        TooFewRows: Not one row was kept.
    """
    passages = Passages(chunks)
    judging = _Judging(config, _model(complete, config, cache), passages)
    verdicts = judging.by_rules(examples, folder)
    if needs_model(config):
        verdicts = judging.by_model(examples, verdicts)
    return judging.result(examples, verdicts)


def needs_model(config: JudgingConfig) -> bool:
    """Whether any of the configured judges asks a language model."""
    return any(isinstance(judge, LLMJudge) for judge in config.judges)


def _model(complete: Complete | None, config: JudgingConfig, cache: Path) -> LoggedModel | None:
    if not needs_model(config):
        return None
    if complete is None:
        raise ValueError("A judge needs a language model, but none was given.")
    return LoggedModel(complete, ResponseLog(cache / RESPONSES), config.llm)


class _Judging:
    """Collects the verdicts on rows: for each row what its judges said, and what becomes of it."""

    def __init__(
        self, config: JudgingConfig, model: LoggedModel | None, passages: Passages
    ) -> None:
        self.config, self.model, self.passages = config, model, passages
        self._without = Counter[str]()

    def by_rules(self, examples: pa.Table, folder: Path | None) -> pa.Table:
        """Return the verdicts of the judges without a model, a row for each row."""
        options = self.config.model_dump(mode="json", exclude={"llm"})
        basis = [VERSION, SCHEMA_VERSION, options]
        remembered = RememberedRows(folder, basis, VERDICT, _NOTHING)
        repeated = _repeated(examples)

        def make(places: list[int]) -> UnitRows:
            rows = examples.take(pa.array(places, pa.int64())).to_pylist()
            judged = self.passages.judged_rows(rows)
            found = [
                self._repetition(row) if place in repeated else self._judged(row)
                for place, row in zip(places, judged, strict=True)
            ]
            table, ones = pa.Table.from_pylist(found, VERDICT), np.ones(len(places), np.int64)
            return UnitRows(PartedTable(table, ones), PartedTable(_NOTHING.empty_table(), 0 * ones))

        names = self.passages.names(examples)
        for place in repeated:
            names[place] = joined_names([names[place], b"again"])
        return remembered.rows(names, make).kept.table

    def by_model(self, examples: pa.Table, verdicts: pa.Table) -> pa.Table:
        """Return the verdicts with those of the judges with a model on the rows that passed."""
        found = verdicts.to_pylist()
        passed = [place for place, said in enumerate(found) if said["reason"] is None]
        rows = self.passages.judged_rows(examples.take(pa.array(passed, pa.int64())).to_pylist())
        self._ask_ahead(rows)
        for place, row in zip(passed, rows, strict=True):
            found[place] = self._asked_about(row, found[place])
        return pa.Table.from_pylist(found, VERDICT)

    def result(self, examples: pa.Table, verdicts: pa.Table) -> StageResult:
        """Return what came of it.

        Raises:
            TooFewRows: Nothing is left.
        """
        judged = examples
        for name in ("scores", "flags"):
            place = EXAMPLE.get_field_index(name)
            judged = judged.set_column(place, EXAMPLE.field(place), verdicts.column(name))
        stays = pc.is_null(verdicts.column("reason"))
        gone = judged.filter(pc.invert(stays))
        why = verdicts.filter(pc.invert(stays))
        for field in DROP_COLUMNS:
            values = why.column(field.name) if field.name in why.column_names else None
            cells = pa.nulls(gone.num_rows, field.type) if values is None else values
            gone = gone.append_column(field, cells)
        kept = judged.filter(stays)
        if not kept.num_rows:
            reasons = ", ".join(f"{n} {reason}" for reason, n in count_reasons(gone).items())
            raise TooFewRows(
                f"Judging kept none of {examples.num_rows} rows ({reasons or 'there were none'}). "
                "Lower `min_score` of the judge concerned, or take it out of `judging.judges`."
            )
        return StageResult(
            kept=kept.cast(EXAMPLE),
            dropped=gone.cast(dropped_schema(EXAMPLE)),
            rows_in=examples.num_rows,
            figures=self._figures(verdicts),
            unanswered=self.model.unanswered if self.model else 0,
        )

    def _repetition(self, row: JudgedRow) -> Row:
        """Drop a row whose identifier another has: two imports of one file."""
        detail = "Another row has the same identifier."
        why: Why = ("duplicate", detail, row.values["example_id"])
        return _verdict_row(row, {}, why)

    def _judged(self, row: JudgedRow) -> Row:
        """Let the judges without a model judge a row, up to the first that it fails."""
        own: dict[str, float] = {}
        for judge in self.config.judges:
            if isinstance(judge, RuleJudge) and judge.applies(row):
                why = _enter(judge, judge.verdict(row), own)
                if why is not None:
                    return _verdict_row(row, own, why)
        return _verdict_row(row, own)

    def _ask_ahead(self, rows: Sequence[JudgedRow]) -> None:
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

        ask_all(work, self.config.llm.at_once, progress, self.model)

    def _asked_about(self, row: JudgedRow, said: Row) -> Row:
        """Keep or drop a row by the verdicts of the language model."""
        own = {score["name"]: score["score"] for score in said["own"]}
        for judge in self._llm_judges(row):
            if self.model is None:
                continue
            verdict, failure = self._asked(judge, row, self.model)
            if verdict is None:
                self._without[judge.judge] += 1
                if not self.config.keep_without_verdict:
                    lacking = (judge.judge, f"No verdict that counts: {failure}.", None)
                    return _verdict_row(row, own, lacking)
            elif (why := _enter(judge, verdict, own)) is not None:
                return _verdict_row(row, own, why)
        return _verdict_row(row, own)

    def _figures(self, verdicts: pa.Table) -> dict[str, float]:
        given = _given(verdicts)
        figures: dict[str, float] = {}
        for judge in self.config.judges:
            scores = given[judge.judge]
            figures[f"judged.{judge.judge}"] = len(scores)
            if scores:
                figures[f"mean.{judge.judge}"] = round(sum(scores) / len(scores), 4)
                passed = sum(score >= judge.min_score for score in scores)
                figures[f"passed.{judge.judge}"] = round(passed / len(scores), 4)
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


def _enter(judge: Judge, verdict: Verdict, own: dict[str, float]) -> Why | None:
    """Note a verdict; return why the row is to be dropped, if it is."""
    own[judge.judge] = verdict.score
    if verdict.score >= judge.min_score or getattr(judge, "on_flag", "drop") == "keep":
        return None
    return judge.judge, verdict.detail or f"Score {verdict.score:.2f}.", None


def _verdict_row(row: JudgedRow, own: Mapping[str, float], why: Why = (None, None, None)) -> Row:
    """Return what is said of a row: its scores and flags, and why it is dropped."""
    before = [score for score in row.values["scores"] if score["name"] not in own]
    said = [{"name": name, "score": score} for name, score in own.items()]
    flags = row.flags | ({FLAG} if own.get(FLAG, 1.0) == 0.0 else set())
    reason, detail, duplicate_of = why
    return {
        "own": said,
        "scores": [*before, *said],
        "flags": sorted(flags),
        "reason": reason,
        "detail": detail,
        "duplicate_of": duplicate_of,
    }


def _repeated(examples: pa.Table) -> set[int]:
    """Return the places of rows whose identifier an earlier row has."""
    seen: dict[str, int] = {}
    ids = strings(examples, "example_id")
    return {place for place, name in enumerate(ids) if seen.setdefault(name, place) != place}


def _given(verdicts: pa.Table) -> defaultdict[str, list[float]]:
    """Return the scores that each judge gave, in the order of the rows."""
    given = defaultdict[str, list[float]](list)
    for name, score in listed(verdicts, "own", "name", "score"):
        given[name].append(score)
    return given
