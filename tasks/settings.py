"""What comes from the environment: places and secrets, never the pipeline's configuration."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings read from environment variables."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    home: Path = Field(
        Path(".temper"),
        validation_alias="TEMPER_HOME",
        description="Folder of datasets, models, caches and the local databases.",
    )
    tracking_uri: str | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow server; without one, an SQLite file in the home folder.",
    )
    llm_api_key: SecretStr | None = Field(
        None,
        validation_alias="OPENAI_API_KEY",
        description="Key of the LLM endpoint; a local server needs none.",
    )

    @property
    def resolved_home(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def resolved_tracking_uri(self) -> str:
        """The tracking URI in force."""
        return self.tracking_uri or f"sqlite:///{self.resolved_home / 'mlflow.db'}"
