"""The configuration of a whole pipeline, and the profiles (YAML) it is read from.

Precedence: the model's defaults, then the profile, then `--set a.b=c`. Secrets and places
come from the environment (`tasks.settings`), never from here.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from data_contracts.base import Config
from data_contracts.errors import ConfigError, UnknownName
from flows.explain import explain
from flows.places import check_place, check_places, place
from tasks.augmentation.config import AugmentationConfig
from tasks.continual.config import ContinualConfig
from tasks.curation.config import CurationConfig
from tasks.evaluation.config import EvaluationConfig
from tasks.exporting.config import ExportConfig
from tasks.front.config import FrontConfig
from tasks.generation.config import GenerationConfig
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.interchange.config import ImportConfig
from tasks.judging.config import JudgingConfig
from tasks.memorisation.config import MemorisationConfig
from tasks.modeling.base_model import EMBEDDED
from tasks.promotion.config import GateConfig, LegName
from tasks.promotion.registry import RegistryConfig
from tasks.robustness.config import RobustnessConfig
from tasks.selection.config import BehaviourConfig, SelectionConfig
from tasks.settings import Settings
from tasks.splitting.config import SplittingConfig
from tasks.training.config import TrainingConfig

# What a chat template puts around a question and an answer, generously: 12 tokens in Gemma 3.
TEMPLATE_TOKENS = 24

PROFILES = Path(__file__).parents[1] / "deploy" / "profiles"

NOTHING = (
    "nothing to learn from: name a folder under `documents`, or a dataset under `datasets.sources`"
)


class PipelineConfig(Config):
    """Everything a profile can say."""

    name: str = Field("temper", description="Name of the runs in Prefect and MLflow.")
    documents: str | tuple[str, ...] | None = Field(
        None,
        description="The organisation's documents: a folder, a pattern such as `/data/**/*.md`, an "
        "address such as `s3://bucket/handbook`, or a list of these. Relative to the profile.",
    )
    datasets: ImportConfig = Field(
        default_factory=ImportConfig, description="Datasets that exist already."
    )
    general: ImportConfig = Field(
        default_factory=ImportConfig,
        description="Datasets of general rows that augmentation mixes into the training rows, "
        "`augmentation.replay.share` of them, against forgetting.",
    )
    base_model: str = Field(
        EMBEDDED,
        description="`embedded` (Gemma 3 270M, no hub needed), a folder of safetensors, or a "
        "Hugging Face hub id, pinned as `org/model@commit`.",
    )
    ingestion: IngestionConfig = Field(default_factory=IngestionConfig, description="Reading.")
    chunking: ChunkingConfig = Field(default_factory=ChunkingConfig, description="Cutting.")
    generation: GenerationConfig = Field(
        default_factory=GenerationConfig, description="Making questions and answers."
    )
    judging: JudgingConfig = Field(
        default_factory=JudgingConfig, description="Judging rows, made or imported."
    )
    curation: CurationConfig = Field(
        default_factory=CurationConfig, description="Duplicates, groups and the leakage audit."
    )
    selection: SelectionConfig = Field(
        default_factory=BehaviourConfig,
        description="What the dataset is for, and which rows serve.",
    )
    splitting: SplittingConfig = Field(
        default_factory=SplittingConfig, description="Train, validation and test."
    )
    augmentation: AugmentationConfig = Field(
        default_factory=AugmentationConfig, description="More rows for training only."
    )
    training: TrainingConfig = Field(default_factory=TrainingConfig, description="Fine-tuning.")
    evaluation: EvaluationConfig = Field(
        default_factory=EvaluationConfig, description="Base against tuned."
    )
    memorisation: MemorisationConfig = Field(
        default_factory=MemorisationConfig, description="Training rows known by heart."
    )
    robustness: RobustnessConfig = Field(
        default_factory=RobustnessConfig, description="Test questions asked otherwise."
    )
    exports: tuple[ExportConfig, ...] = Field(
        (),
        description="Forms to export the tuned model in. Each must answer as the model does, or "
        "it is not registered.",
    )
    gate: GateConfig = Field(default_factory=GateConfig, description="What a PASS demands.")
    front: FrontConfig = Field(
        default_factory=FrontConfig, description="Ways to train that `temper front` compares."
    )
    continual: ContinualConfig = Field(
        default_factory=ContinualConfig,
        description="Document sets that `temper continual` learns one after the other.",
    )
    registry: RegistryConfig = Field(
        default_factory=RegistryConfig, description="Where the model is registered."
    )

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        if not (self.has_rows or self.continual.sets):
            raise ValueError(NOTHING)
        return self

    @property
    def has_rows(self) -> bool:
        """Whether it names documents or a dataset; a sequence alone needs neither."""
        return self.documents is not None or bool(self.datasets.sources)

    @model_validator(mode="after")
    def _imported_rows_fit(self) -> Self:
        for name, found in (("datasets", self.datasets), ("general", self.general)):
            if found.sources and found.max_tokens > self.training.max_length:
                raise ValueError(
                    f"{name}.max_tokens ({found.max_tokens}) exceeds training.max_length "
                    f"({self.training.max_length}), and training refuses longer rows: lower the "
                    "first or raise the second"
                )
        return self

    @model_validator(mode="after")
    def _new_rows_fit(self) -> Self:
        most = self.augmentation.max_tokens
        if most is not None and most > self.training.max_length:
            raise ValueError(
                f"augmentation.max_tokens ({most}) exceeds training.max_length "
                f"({self.training.max_length}), and training refuses longer rows: lower the "
                "first, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _written_rows_fit(self) -> Self:
        replay, most = self.augmentation.replay, self.training.max_length
        longest = replay.question_tokens + replay.answer_tokens
        if replay.share and replay.synthesise and longest + TEMPLATE_TOKENS > most:
            raise ValueError(
                f"the base model may write rows of {longest} tokens, which with the chat template "
                f"exceed training.max_length ({most}): lower augmentation.replay.question_tokens "
                "or answer_tokens"
            )
        return self

    @model_validator(mode="after")
    def _general_rows_are_wanted(self) -> Self:
        if self.general.sources and not self.augmentation.replay.share:
            raise ValueError(
                "`general` names datasets, but augmentation.replay.share is 0, so none of their "
                "rows would be used: set the share, e.g. 0.1, or leave the datasets out"
            )
        return self

    @model_validator(mode="after")
    def _canaries_are_looked_for(self) -> Self:
        if self.training.canaries.count and not self.memorisation.enabled:
            raise ValueError(
                "training.canaries plants secrets that memorisation.enabled=false would never look "
                "for: switch the measurement on, or plant none"
            )
        return self

    @property
    def judged_by(self) -> GateConfig:
        """Return the gate, less the legs for which this profile has nothing to judge."""
        nothing_to_judge: dict[LegName, str] = {}
        if self.selection.objective == "knowledge":
            nothing_to_judge["memorisation"] = (
                "Knowing rows by heart is the aim (selection.objective is knowledge)."
            )
        if not self.exports:
            nothing_to_judge["export_parity"] = "Nothing is exported (exports is empty)."
        return self.gate.without(nothing_to_judge)

    @model_validator(mode="after")
    def _one_notion_of_similarity(self) -> Self:
        """All must call near what the audit calls near, or the audit may fail."""
        near = (self.curation, self.splitting, self.augmentation)
        if any(stage.similarity != self.curation.similarity for stage in near):
            raise ValueError(
                "curation.similarity, splitting.similarity and augmentation.similarity differ; set "
                "all to the same values, since rows are checked against what the audit looks at"
            )
        return self


def profile_names() -> list[str]:
    """Return the names of the profiles that come with Temper."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def as_typed(profile: str, documents: str | None = None, settings: Sequence[str] = ()) -> str:
    """Return a profile and what replaces parts of it as they stand after a command of `temper`."""
    given = [profile]
    if documents is not None:
        given += ["--documents", documents]
    for setting in settings:
        given += ["--set", setting]
    return shlex.join(given)


def load_config(
    profile: str, documents: str | None = None, settings: Sequence[str] = ()
) -> PipelineConfig:
    """Read a profile and apply overrides.

    Args:
        profile: Name of a shipped profile, or path of a YAML file.
        documents: Replaces the profile's documents: a folder, a pattern or an address.
        settings: Overrides such as `training.epochs=2`; values are read as YAML.

    Raises:
        ConfigError: Profile, key or value is not valid, and the message names the nearest key; or
            a place lies where runs may not read.
    """
    path = _profile_path(profile)
    may_read = Settings().may_read
    if path.parent != PROFILES:
        check_place(str(path), may_read)
    values = _read_yaml(path)
    for setting in settings:
        _apply(values, setting)
    if documents is not None:
        values["documents"] = documents
    place(values, path.parent, documents is None)
    try:
        config = PipelineConfig.model_validate(values)
    except ValidationError as error:
        raise explain(error, f"profile {path}", PipelineConfig) from error
    check_places(config, may_read)
    return config


def override(config: PipelineConfig, values: Mapping[str, Any]) -> PipelineConfig:
    """Return a configuration with other values at some paths.

    Args:
        config: What was set in it stays, but the options of a method that is replaced.
        values: Path such as `training.epochs` to value, set in their order.

    Raises:
        ConfigError: A path is unknown or a value not valid, and the message names the nearest key;
            or a place lies where runs may not read.
    """
    told = config.model_dump(mode="json", exclude_unset=True)
    for path, value in values.items():
        _place(told, path, value)
    try:
        changed = PipelineConfig.model_validate(told)
    except ValidationError as error:
        raise explain(error, f"the values {dict(values)}", PipelineConfig) from error
    check_places(changed, Settings().may_read)
    return changed


def profile_of(config: PipelineConfig) -> str:
    """Return a configuration as a profile in YAML; its places are absolute."""
    return yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True), sort_keys=False)


def _profile_path(profile: str) -> Path:
    shipped = PROFILES / f"{profile}.yaml"
    if shipped.is_file():
        return shipped
    path = Path(profile).expanduser()
    if path.suffix in {".yaml", ".yml"} and path.is_file():
        return path
    if path.suffix in {".yaml", ".yml"}:
        raise ConfigError(f"There is no profile {path}. Shipped: {', '.join(profile_names())}.")
    raise UnknownName("profile", profile, profile_names())


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Profile {path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"Profile {path} must hold keys and values, such as `training:`.")
    return values


def _apply(values: dict[str, Any], setting: str) -> None:
    """Set one `a.b.c=value` in nested dictionaries."""
    key, separator, text = setting.partition("=")
    if not separator or not key:
        raise ConfigError(f"Override {setting!r} is not of the form a.b=value.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"Override {setting!r}: the value is not valid YAML: {error}") from error
    _place(values, key.strip(), value)


def _place(values: dict[str, Any], key: str, value: Any) -> None:
    """Set the value at one path in nested dictionaries."""
    *parents, last = key.split(".")
    target = values
    for name in parents:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            raise ConfigError(f"Override {key!r}: {name!r} is a value, not a section.")
    if last == "method" and target.get(last) != value:
        target.clear()  # another method starts from its own defaults, not from this one's options
    target[last] = value
