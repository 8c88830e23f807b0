"""Every error Temper raises on purpose.

A message says what happened, where, what was expected and what to do. The command line
prints it as it stands, without a traceback, and ends with `exit_code`.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class TemperError(Exception):
    """Base of all errors that a user can act on.

    Wherever its traceback is shown, as in the log of a run's page in Prefect, it ends with a note
    of the page that helps.
    """

    exit_code = 1

    def __init__(self, *told: object) -> None:
        super().__init__(*told)
        self.add_note(f"More: {self.help_page}")

    @property
    def help_page(self) -> str:
        """Where the documentation says what to do about this kind of error."""
        # errors of one stage are told with the one of this module that they derive from
        kind = next(kind for kind in type(self).__mro__ if kind.__module__ == __name__)
        return f"docs/errors.md#{kind.__name__.lower()}"


class ConfigError(TemperError):
    """A profile, an override or an option is not valid."""

    exit_code = 2


class UnknownName(ConfigError):
    """A name is not registered, or not a known key.

    Args:
        kind: What the name should have named, e.g. "training method".
        name: The name that was given.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = get_close_matches(name, self.known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
        super().__init__(f"Unknown {kind} {name!r}. {hint}Known: {', '.join(self.known)}.")

    def __reduce__(self) -> tuple[type, tuple[str, str, list[str]]]:
        """Keep the error picklable: it crosses process borders in Prefect."""
        return (type(self), (self.kind, self.name, self.known))


class Unusable(TemperError):
    """A piece of input that gives no row; it becomes a dropped row with its reason.

    Args:
        reason: One word of the stage's vocabulary.
        detail: A sentence for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Keep the error picklable: parsers run in processes of their own."""
        return (type(self), (self.reason, self.detail))


class DocumentsError(TemperError):
    """The documents folder is missing, unreadable or yields nothing."""


class TooFewRows(TemperError):
    """A stage has too few rows to do its work honestly."""


class EndpointError(TemperError):
    """The LLM endpoint cannot be reached, refuses, or keeps failing."""


class ModelError(TemperError):
    """A model path or name does not lead to a usable model."""


class GeneralSetError(TemperError):
    """A file of the general skills or general text set has the wrong format."""


class StorageError(TemperError):
    """Writing failed (disk full, no permission); nothing half-written counts as finished."""


class EngineError(TemperError):
    """A cluster that was to do the work was lost."""


class DatasetError(TemperError):
    """A dataset is missing, incomplete, or its files do not match its manifest."""


class ContractViolation(TemperError):
    """Data broke the contract between two stages.

    Args:
        stage: The stage whose output is at fault.
        failures: One line for each broken rule, naming rule and rows.
    """

    def __init__(self, stage: str, failures: Sequence[str]) -> None:
        self.stage, self.failures = stage, list(failures)
        lines = "\n".join(f"  - {failure}" for failure in self.failures)
        super().__init__(
            f"The data that stage {stage!r} produced breaks its contract, so the pipeline "
            f"stopped before anything was trained on it:\n{lines}\n"
            "Nothing was stored as finished. The evidence lies in the stage's MLflow run."
        )

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        """Keep the error picklable: it crosses process borders in Prefect."""
        return (type(self), (self.stage, self.failures))


class LeakageFound(ContractViolation):
    """The audit found test or validation rows that training rows give away."""


class TrainingError(TemperError):
    """Training cannot start or cannot go on (no supervised token, loss not finite, ...)."""


class PromotionError(TemperError):
    """A model version cannot be registered, promoted or rolled back."""


class ChampionChanged(PromotionError):
    """Another promotion or rollback came first; this one changed nothing."""


class ExportError(TemperError):
    """A model cannot be exported in a form, or its export does not answer as it does."""
