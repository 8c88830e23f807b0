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
    mlflow_page: str | None = Field(
        None,
        validation_alias="TEMPER_MLFLOW_PAGE",
        description="Address at which people open MLflow, where it is not MLFLOW_TRACKING_URI.",
    )
    installed: Path | None = Field(
        None,
        validation_alias="TEMPER_INSTALLED",
        description="Folder in which Temper lies on the workers, where it is not that of "
        "deploy/prefect.yaml; read when deployments are registered.",
    )
    may_read_only: str = Field(
        "",
        validation_alias="TEMPER_MAY_READ",
        description="Folders and beginnings of addresses, commas between them, that documents, "
        "datasets and base models may come from; without, from wherever the process may read.",
    )
    store: str | None = Field(
        None,
        validation_alias="TEMPER_STORE",
        description="Where machines share datasets and tuned models: an fsspec address such as "
        "s3://bucket/temper; without one, each home has its own.",
    )
    dask: str | None = Field(
        None,
        validation_alias="TEMPER_DASK",
        description="Dask scheduler, such as tcp://host:8786, whose workers read documents, cut "
        "them into chunks and generate by rules; the datasets are the same.",
    )
    processes: int = Field(
        1,
        ge=1,
        validation_alias="TEMPER_PROCESSES",
        description="Processes of this machine that chunk and generate by rules side by side; "
        "the datasets are the same.",
    )
    scrubbing_key: SecretStr | None = Field(
        None,
        validation_alias="TEMPER_SCRUBBING_KEY",
        description="Secret that names the placeholders of scrubbed values and opens the vault.",
    )

    @property
    def may_read(self) -> tuple[str, ...]:
        """What runs may read; empty where they may read everything."""
        return tuple(filter(None, map(str.strip, self.may_read_only.split(","))))

    @property
    def resolved_home(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def resolved_tracking_uri(self) -> str:
        """The tracking URI in force."""
        return self.tracking_uri or f"sqlite:///{self.resolved_home / 'mlflow.db'}"
