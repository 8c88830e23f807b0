"""Any task of EleutherAI's lm-evaluation-harness, by its name."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from data_contracts.base import digest, file_sha256
from data_contracts.errors import ConfigError
from tasks.evaluation.examination import EXAMINATIONS, Examination, Findings, Material, Row

if TYPE_CHECKING:
    from tasks.evaluation.subject import Subject

# The harness' names of what is a share of right answers, best first.
_ACCURACIES = ("acc_norm", "acc", "exact_match")


@EXAMINATIONS.register
class Harness(Examination):
    """Runs tasks of lm-evaluation-harness, its own or YAML tasks on local data.

    Needs the extra: `pip install temper[lm-eval]`. One measure a task: the share of right items,
    else the task's first metric.
    """

    examination: Literal["harness"] = "harness"
    tasks: tuple[str, ...] = Field((), description="Names of tasks, e.g. hellaswag.")
    folder: Path | None = Field(
        None,
        description="Folder with YAML tasks of your own. A task reads local data by `dataset_path: "
        "json` and `dataset_kwargs: {data_files: ...}`.",
    )
    items: int | None = Field(100, ge=2, description="Most items of each task; empty for all.")
    shots: int | None = Field(None, ge=0, description="Solved examples; empty for the task's own.")
    batch_size: int = Field(8, ge=1, description="Rows in a forward.")

    def examine(self, subject: "Subject", material: Material, findings: Findings) -> None:
        """Run the tasks.

        Raises:
            ConfigError: The harness is not installed, or knows no such task.
        """
        if not self.tasks:
            return
        found = self._run(subject)
        for name, samples in found["samples"].items():
            metric = _metric(samples[0], name)
            better = found["higher_is_better"].get(name, {}).get(metric)
            direction = "lower" if better is False else "higher"
            findings.kept.extend(_rows(name, samples, metric, direction))

    def source(self) -> str:
        """Return the digest of the folder's files."""
        if self.folder is None:
            return ""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return digest([(str(p.relative_to(self.folder)), file_sha256(p)) for p in files])

    def _run(self, subject: "Subject") -> Mapping[str, Any]:
        try:
            from lm_eval import simple_evaluate
            from lm_eval.models.huggingface import HFLM
            from lm_eval.tasks import TaskManager
        except ImportError as error:
            raise ConfigError(
                f"The examination `harness` needs lm-evaluation-harness ({error}). Install it with "
                "`pip install temper[lm-eval]`, or take the examination out of the profile."
            ) from error
        include = None if self.folder is None else str(self.folder)
        # Reading its own thousands of tasks takes long: only where one of them is wanted.
        own = TaskManager(include_path=include, include_defaults=False)
        found = include is not None and set(self.tasks) <= set(own.all_tasks)
        manager = own if found else TaskManager(include_path=include)
        self._check(set(manager.all_tasks))
        model: Any = subject.model
        wrapped = HFLM(
            pretrained=model,
            tokenizer=subject.tokenizer,
            batch_size=self.batch_size,
            max_length=subject.max_length,
        )
        results: Mapping[str, Any] | None = simple_evaluate(
            model=wrapped,
            tasks=list(self.tasks),
            task_manager=manager,
            num_fewshot=self.shots,
            limit=self.items,
            bootstrap_iters=0,  # intervals are ours, and paired
            log_samples=True,
        )
        return results or {"samples": {}}

    def _check(self, known: set[str]) -> None:
        unknown = [name for name in self.tasks if name not in known]
        if unknown:
            raise ConfigError(
                f"lm-evaluation-harness has no task {unknown[0]!r}. Its own are listed by "
                "`lm-eval ls tasks`; tasks of yours lie as YAML files in `folder` "
                f"({self.folder or 'not set'})."
            )


def _metric(sample: Mapping[str, Any], task: str) -> str:
    metrics: list[str] = [
        name for name in (*_ACCURACIES, *sample["metrics"]) if _is_number(sample.get(name))
    ]
    if not metrics:
        raise ConfigError(
            f"Task {task!r} has no measure of single items ({', '.join(sample['metrics'])}), so "
            "that base and tuned model cannot be compared on it item by item. Take it out."
        )
    return metrics[0]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _rows(task: str, samples: list[Mapping[str, Any]], metric: str, better: str) -> Iterator[Row]:
    measure = "accuracy" if metric in _ACCURACIES else metric
    for sample in samples:
        name = f"{task}-{sample['doc_id']}"
        yield {
            "set": "harness",
            "name": task,
            "row_id": name,
            "cluster": name,
            "measure": measure,
            "better": better,
            "value": float(sample[metric]),
            "reference": str(sample["target"]),
        }
