"""Makes Temper run without Prefect, MLflow and Great Expectations: its functions and nothing else.

None of the three is imported. In their place stand modules in which every name is there and does
nothing: a flow and a task are then the plain functions that they decorate, a contract is the Arrow
schema alone, and a model that was trained and judged stays in its folder.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

LEFT_OUT = ("prefect", "mlflow", "great_expectations")

Timed = Callable[[str, Callable[..., Any]], Callable[..., Any]]


class Nothing:
    """Answers every call and has every attribute; holds and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_arguments: Any, **_named: Any) -> Any:
        """Do nothing."""
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: Any) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __bool__(self) -> bool:
        return False


class Kept(Nothing):
    """The same, but a text that is logged can be read again: the model's card holds the data's."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def log_text(self, _run: str, text: str, name: str) -> None:
        """Keep it."""
        self.texts[name] = text

    def load_text(self, address: str) -> str:
        """Return what was kept."""
        return self.texts[address.rpartition("/")[2]]


class _EmptyModule(types.ModuleType):
    """A module in which every name is there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith(("Exception", "AlreadyExists")):
            return type(name, (Exception,), {})  # it stands in an `except`
        return Nothing()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an empty module wherever one of what is left out is imported."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in LEFT_OUT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _EmptyModule(spec.name)

    def exec_module(self, _module: types.ModuleType) -> None:
        return None


def run_bare(timed: Timed, profile: str) -> Any:
    """Run the pipeline's functions on a profile; return what the pipeline would.

    Args:
        timed: Told the name and the function of every task; returns what is called instead.
        profile: Path of the profile.
    """
    sys.meta_path.insert(0, _Finder())
    import prefect

    prefect.flow = lambda **_options: lambda function: function
    prefect.task = lambda name, **_options: lambda function: timed(name, function)
    import flows.pipeline
    import flows.run
    import tasks.report.task
    import tasks.stage
    import tasks.tracking
    from data_contracts.results import ModelVersionRef
    from data_contracts.validation import ValidationReport, schema_failures

    def started(home: Path, tracking_uri: str, experiment: str, **_named: Any) -> Any:
        home.mkdir(parents=True, exist_ok=True)
        return tasks.tracking.RunContext(
            home=home, tracking_uri=tracking_uri, experiment=experiment, run_id="bare"
        )

    def checked(table: Any, schema: Any, *_suite: Any) -> ValidationReport:
        return ValidationReport(len(schema), tuple(schema_failures(table, schema)))

    kept = Kept()
    for module in (tasks.tracking, tasks.report.task):
        module.connect = lambda _uri: kept
    flows.run.start_pipeline_run = started
    tasks.stage.validate = checked
    flows.pipeline.register_model = lambda *_arguments: ModelVersionRef(
        name="none", version="0", champion=False
    )
    return flows.pipeline.fine_tuning_pipeline(profile)
