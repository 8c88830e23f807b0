"""The Prefect task of exporting: every export that a profile asks for, proven, and kept."""

import logging
import shutil

from prefect import task

from data_contracts.base import digest
from data_contracts.results import ExportRef, ModelRef
from tasks.exporting.config import ExportConfig
from tasks.tracking import RunContext, flatten, stage_run

logger = logging.getLogger(__name__)


@task(name="export")
def export_tuned(model: ModelRef, config: ExportConfig, context: RunContext) -> ExportRef:
    """Return the export of a tuned model below the home folder, made only once.

    It is returned whether it answers as the model does or not; `parity` says so.
    """
    from tasks.exporting.export import EXPORT, export_model
    from tasks.exporting.find import comparison_rows

    what = f"{config.form}-{config.chosen_precision}"
    name = f"{what}-{digest(config.model_dump(mode='json'))}"
    folder = context.home / "exports" / model.fingerprint / name
    with stage_run(context, "export") as mlflow:
        mlflow.log_params(flatten(config.model_dump(mode="json")))
        reused = (folder / EXPORT).is_file()
        mlflow.set_tags({"temper.reused": str(reused).lower(), "temper.export": what})
        if reused:
            ref = ExportRef.model_validate_json((folder / EXPORT).read_text(encoding="utf-8"))
        else:
            shutil.rmtree(folder, ignore_errors=True)  # of a run that did not come to its end
            ref = export_model(model, comparison_rows(model, context.home), config, folder)
        parity = ref.parity
        mlflow.log_metrics(
            {
                "highest_difference": parity.highest_difference,
                "equal_answers": parity.equal_answers,
                "passed": float(parity.passed),
            }
        )
    return ref
