"""The last step's model as the base of the next one."""

import shutil
import tempfile
from pathlib import Path

from data_contracts.errors import StorageError
from data_contracts.results import BaseModelRef, ModelRef
from tasks.modeling.base_model import WRITE_ERRORS, load_tokenizer, resolve_base_model


def next_base(model: ModelRef, home: Path) -> BaseModelRef:
    """Return a tuned model as a base, its adapter merged into single-precision weights.

    Args:
        model: The tuned model.
        home: Temper's home folder; merged models are kept below it and found again.

    Raises:
        TrainingError: The method's change is no change of weights.
        StorageError: The weights cannot be written.
    """
    folder = home / "models" / "steps" / model.fingerprint
    if not folder.is_dir():
        _write(model, folder)
    return resolve_base_model(str(folder), home)


def _write(model: ModelRef, folder: Path) -> None:
    from tasks.exporting.weights import write_merged

    tokenizer = load_tokenizer(model.base.model_copy(update={"folder": model.folder}))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as staged:
            write_merged(model, tokenizer, "f32", Path(staged) / "model")
            shutil.move(Path(staged) / "model", folder)
    except WRITE_ERRORS as error:
        raise StorageError(
            f"Cannot write the merged model {folder}: {error}. Free disk space, then run again: "
            "what was trained is kept."
        ) from error
