"""The configuration of a whole pipeline, and the profiles (YAML) it is read from.

Precedence: the model's defaults, then the profile, then `--set a.b=c`. Secrets and places
come from the environment (`tasks.settings`), never from here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from data_contracts.base import Config
from data_contracts.errors import ConfigError, UnknownName
from tasks.augmentation.config import AugmentationConfig
from tasks.curation.config import CurationConfig
from tasks.evaluation.config import EvaluationConfig
from tasks.generation.config import GenerationConfig
from tasks.ingestion.config import ChunkingConfig, IngestionConfig
from tasks.modeling.base_model import EMBEDDED
from tasks.promotion.config import GateConfig
from tasks.promotion.registry import RegistryConfig
from tasks.splitting.config import SplittingConfig
from tasks.training.config import TrainingConfig

PROFILES = Path(__file__).parents[1] / "deploy" / "profiles"


class PipelineConfig(Config):
    """Everything a profile can say."""

    name: str = Field("temper", description="Name of the runs in Prefect and MLflow.")
    documents: Path = Field(description="Folder of the organisation's documents.")
    base_model: str = Field(
        EMBEDDED,
        description="`embedded` (Gemma 3 270M, no hub needed), a folder of safetensors, or a "
        "Hugging Face hub id.",
    )
    ingestion: IngestionConfig = Field(default_factory=IngestionConfig, description="Reading.")
    chunking: ChunkingConfig = Field(default_factory=ChunkingConfig, description="Cutting.")
    generation: GenerationConfig = Field(
        default_factory=GenerationConfig, description="Making questions and answers."
    )
    curation: CurationConfig = Field(
        default_factory=CurationConfig, description="Duplicates, groups and the leakage audit."
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
    gate: GateConfig = Field(default_factory=GateConfig, description="What a PASS demands.")
    registry: RegistryConfig = Field(
        default_factory=RegistryConfig, description="Where the model is registered."
    )

    @model_validator(mode="after")
    def _one_notion_of_similarity(self) -> Self:
        """Augmentation must call near what the audit calls near, or the audit may fail."""
        if self.curation.similarity != self.augmentation.similarity:
            raise ValueError(
                "curation.similarity and augmentation.similarity differ; set both to the same "
                "values, since new rows are checked against the rows that the audit looks at"
            )
        return self


def profile_names() -> list[str]:
    """Return the names of the profiles that come with Temper."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def load_config(
    profile: str, documents: str | None = None, settings: Sequence[str] = ()
) -> PipelineConfig:
    """Read a profile and apply overrides.

    Args:
        profile: Name of a shipped profile, or path of a YAML file.
        documents: Replaces the profile's documents folder.
        settings: Overrides such as `training.epochs=2`; values are read as YAML.

    Raises:
        ConfigError: Profile, key or value is not valid; the message names the nearest key.
    """
    path = _profile_path(profile)
    values = _read_yaml(path)
    for setting in settings:
        _apply(values, setting)
    if documents is not None:
        values["documents"] = documents
    elif "documents" in values:  # a profile's own path is relative to the profile
        values["documents"] = str((path.parent / str(values["documents"])).resolve())
    try:
        return PipelineConfig.model_validate(values)
    except ValidationError as error:
        raise _explain(error, f"profile {path}") from error


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
    *parents, last = key.strip().split(".")
    target = values
    for name in parents:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            raise ConfigError(f"Override {setting!r}: {name!r} is a value, not a section.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"Override {setting!r}: the value is not valid YAML: {error}") from error
    if last == "method" and target.get(last) != value:
        target.clear()  # another method starts from its own defaults, not from this one's options
    target[last] = value


def _explain(error: ValidationError, where: str) -> ConfigError:
    """Turn pydantic's errors into sentences; an unknown key names the nearest known one."""
    lines = [_explain_one(dict(problem)) for problem in error.errors()]
    return ConfigError(f"In {where}:\n" + "\n".join(f"  - {line}" for line in lines))


def _explain_one(problem: Mapping[str, Any]) -> str:
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = _keys_at(PipelineConfig, location[:-1])
        return f"{key}: {UnknownName('key', location[-1], known)}"
    if problem["type"] == "union_tag_invalid":
        context = problem["ctx"]
        known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"{key}: {UnknownName('name', str(context['tag']), known)}"
    if problem["type"] == "missing":
        return f"{key} is missing. {_description_at(location)}".strip()
    return f"{key}: {problem['msg']} (got {problem['input']!r})"


def _keys_at(model: Any, location: Sequence[str]) -> list[str]:
    """Return the keys that a section has, following nested models and tagged unions."""
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[part].annotation
        elif not part.isdigit():  # a tag: step from the union to the member of that name
            model = _member(model, part)
        else:
            model = _item_type(model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []


def _members(annotation: Any) -> list[Any]:
    """Return the classes inside a (nested) union, tuple or Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = getattr(annotation, "__args__", ())
    return [member for part in inner for member in _members(part)]


def _item_type(annotation: Any) -> Any:
    inner = getattr(annotation, "__args__", ())
    return inner[0] if inner else annotation


def _member(annotation: Any, tag: str) -> Any:
    for member in _members(annotation):
        if any(field.default == tag for field in member.model_fields.values()):
            return member
    return annotation


def _description_at(location: Sequence[str]) -> str:
    field = PipelineConfig.model_fields.get(location[0])
    return f"({field.description})" if field and len(location) == 1 else ""
