"""What the report is made from: everything a run found out, in one frozen model."""

from datetime import datetime

from pydantic import Field

from data_contracts.base import Result
from data_contracts.dataset import Manifest
from data_contracts.front import Front
from data_contracts.results import (
    Comparison,
    LeakageCertificate,
    Memorisation,
    Robustness,
    TrainingResult,
    Verdict,
)


class Command(Result):
    """A command line that repeats or continues the run."""

    purpose: str
    line: str


class Links(Result):
    """Where the run's evidence lies."""

    tracking_uri: str
    run_id: str
    run_url: str | None = None  # becomes a link only if it starts with http:// or https://
    dataset_folder: str
    model_folder: str
    commands: list[Command] = Field(default_factory=list)


class DroppedRow(Result):
    """A row that a stage took out, as an example of its reason."""

    what: str  # path of a file, text of a chunk, question of a row
    reason: str
    detail: str
    duplicate_of: str | None = None
    similarity: float | None = None


class SampleRow(Result):
    """A row of the dataset with its lineage."""

    example_id: str
    split: str
    kind: str
    question: str
    answer: str
    context: str | None = None
    document: str  # path below the documents folder
    page: int | None = None
    chunk_id: str
    generator: str
    generator_model: str | None = None
    grounding: float | None = None
    group_id: str | None = None
    parent_id: str | None = None


class ReportContent(Result):
    """Everything the report shows."""

    title: str
    created: datetime  # with time zone
    profile: str
    base_model: str
    base_fingerprint: str
    tuned_fingerprint: str
    method: str
    manifests: list[Manifest]  # in the order of the pipeline
    certificate: LeakageCertificate
    training: TrainingResult
    comparison: Comparison
    verdict: Verdict
    links: Links
    memorisation: Memorisation | None = None  # None where it was not measured
    robustness: Robustness | None = None  # likewise
    front: Front | None = None  # the latest one of the same rows and base, if there is one
    dropped: dict[str, list[DroppedRow]] = Field(default_factory=dict)  # by stage
    rows: list[SampleRow] = Field(default_factory=list)
    seconds: dict[str, float] = Field(default_factory=dict)  # spent in this run, by stage
    settings: dict[str, str] = Field(default_factory=dict)  # the profile, flattened to a.b.c
    versions: dict[str, str] = Field(default_factory=dict)

    def manifest(self, stage: str) -> Manifest | None:
        """Return the manifest of a stage, if that stage is part of the run."""
        return next((m for m in self.manifests if m.stage == stage), None)
