"""The replies of language models that were asked about a document, in their logs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.generation.base import LLMGenerator, Subject
from tasks.generation.config import GenerationConfig
from tasks.generation.conversation import ask_about
from tasks.generation.documents import Sources
from tasks.generation.generate import RESPONSES, find_passages
from tasks.generation.subjects import ranked_subjects
from tasks.judging.base import LLMJudge
from tasks.judging.config import JudgingConfig
from tasks.judging.passages import Passages
from tasks.lineage.origin import of_documents, read_part
from tasks.llm.config import LLMConfig
from tasks.llm.request import CallFailed, Request
from tasks.llm.response_log import Completion, ResponseLog
from tasks.llm.structured import converse
from tasks.versions.find import Version

_STAGES = ("generation", "judging")


class LoggedReplies:
    """Answers from a log only, and notes which of its replies were wanted.

    Args:
        log: The replies.
        config: Part of their keys.

    Attributes:
        keys: Of the replies that were found.
    """

    def __init__(self, log: ResponseLog, config: LLMConfig) -> None:
        self.log, self.config = log, config
        self.keys: set[str] = set()

    def __call__(self, request: Request) -> Completion:
        """Return the reply to a request.

        Raises:
            CallFailed: It is not in the log.
        """
        key = request.key(self.config)
        reply = self.log.get(key)
        if reply is None:
            raise CallFailed("It is not in the log.")
        self.keys.add(key)
        return reply


def response_logs(home: Path) -> dict[str, Path]:
    """Return the logs of replies by the stage that keeps them."""
    places = {stage: home / "cache" / stage / RESPONSES for stage in _STAGES}
    return {stage: path for stage, path in places.items() if path.exists()}


def replies_about(
    home: Path, versions: Sequence[Version], document_ids: Iterable[str]
) -> dict[str, set[str]]:
    """Return the keys of the logged replies about documents, by stage.

    Every conversation that generation or judging had is had again with the log alone: what is
    looked up there is what was asked.

    Args:
        home: Temper's home.
        versions: All dataset versions of the home.
        document_ids: The documents.
    """
    known, ids = {v.manifest.fingerprint: v for v in versions}, set(document_ids)
    found: dict[str, set[str]] = {}
    for stage, path in response_logs(home).items():
        ask = {"generation": _generated, "judging": _judged}[stage]
        log, keys = ResponseLog(path), set[str]()
        for version in versions:
            if version.manifest.stage == stage:
                keys |= ask(version, known, log, ids)
        found[stage] = keys
    return found


def _inputs(version: Version, known: Mapping[str, Version]) -> dict[str, Version]:
    parents = version.manifest.parents.items()
    return {role: known[name] for role, name in parents if name in known}


def _generated(
    version: Version, known: Mapping[str, Version], log: ResponseLog, ids: set[str]
) -> set[str]:
    config = GenerationConfig.model_validate(version.manifest.config)
    inputs = _inputs(version, known)
    generators = [g for g in config.generators if isinstance(g, LLMGenerator)]
    if not generators or not {"chunks", "documents"} <= inputs.keys():
        return set()
    sources = list(Sources(read_part(inputs["chunks"]), read_part(inputs["documents"])))
    related = find_passages(sources, config)
    replies = LoggedReplies(log, config.llm)
    for generator in generators:
        for subject in ranked_subjects(generator, sources, related, config.seed):
            if ids & set(_documents(subject)):
                ask_about(generator, subject, replies, config.llm.repairs)
    return replies.keys


def _documents(subject: Subject) -> Iterator[str]:
    yield subject.chunk.document_id
    yield from (other.document_id for other in subject.others)


def _judged(
    version: Version, known: Mapping[str, Version], log: ResponseLog, ids: set[str]
) -> set[str]:
    config = JudgingConfig.model_validate(version.manifest.config)
    judges = [judge for judge in config.judges if isinstance(judge, LLMJudge)]
    inputs = _inputs(version, known)
    if not judges:
        return set()
    passages = Passages(read_part(inputs["chunks"]) if "chunks" in inputs else None)
    replies = LoggedReplies(log, config.llm)
    rows = _rows([v for role, v in inputs.items() if role != "chunks"], ids)
    for judged in passages.judged_rows(rows):
        for judge in judges:
            if judge.applies(judged):
                read = partial(judge.read, row=judged)
                messages = judge.messages(judged)
                converse(messages, judge.response_format, read, replies, config.llm.repairs)
    return replies.keys


def _rows(versions: Sequence[Version], ids: set[str]) -> list[dict[str, Any]]:
    tables: list[pa.Table] = [of_documents(read_part(version), ids) for version in versions]
    return [row for table in tables for row in table.to_pylist()]
