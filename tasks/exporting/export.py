"""Exports a tuned model and proves the export."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.errors import ExportError, StorageError
from data_contracts.results import ExportRef, ModelRef
from tasks.exporting.chat_format import find_chat_format
from tasks.exporting.config import ExportConfig
from tasks.exporting.modelfile import modelfile
from tasks.exporting.parity import check_export, expected_answers
from tasks.exporting.weights import write_adapter, write_merged
from tasks.modeling.base_model import WRITE_ERRORS, load_tokenizer
from tasks.modeling.chat import end_token_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

EXPORT = "export.json"


def export_model(
    model: ModelRef, rows: Sequence[Mapping[str, Any]], config: ExportConfig, folder: Path
) -> ExportRef:
    """Write a tuned model for other programs, and compare what they answer with it.

    An export that answers otherwise is written too, so that it can be looked into; its
    `export.json` says `passed: false`.

    Args:
        model: The tuned model.
        rows: Questions by which the export is compared.
        config: Form, precision, number and length of answers.
        folder: A new or empty folder.

    Raises:
        ExportError: The model cannot be written in that form, or the folder is in use.
        TrainingError: The method's change cannot be merged.
        StorageError: The disk is full.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise ExportError(f"{folder} is not empty. Name a new folder with --out.")
    if not rows:
        raise ExportError("There is no prompt to compare answers by: name a dataset with rows.")
    chosen = rows[: config.prompts]
    try:
        write_export(model, config, folder)
    except WRITE_ERRORS as error:
        raise StorageError(f"Cannot write the export to {folder}: {error}.") from error
    parity = check_export(model, folder, expected_answers(model, chosen, config), config)
    logger.info(
        "export %s: %.0f %% of %d answers alike, highest difference %.2g nats of %g allowed",
        config.form,
        100 * parity.equal_answers,
        parity.prompts,
        parity.highest_difference,
        parity.tolerance,
    )
    ref = ExportRef(
        folder=folder,
        model=model.fingerprint,
        base=model.base.name,
        method=model.method,
        form=config.form,
        precision=config.chosen_precision,
        files={path.name: path.stat().st_size for path in sorted(folder.iterdir())},
        parity=parity,
    )
    (folder / EXPORT).write_text(ref.model_dump_json(indent=2), encoding="utf-8")
    return ref


def write_export(model: ModelRef, config: ExportConfig, folder: Path) -> None:
    """Write the files of an export, without checking them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(model.base.model_copy(update={"folder": model.folder}))
    if config.form == "adapter":
        write_adapter(model, folder)
    elif config.form == "merged":
        write_merged(model, tokenizer, config.chosen_precision, folder)
    else:
        _write_ollama(model, tokenizer, config.chosen_precision, folder)


def _write_ollama(
    model: ModelRef, tokenizer: "PreTrainedTokenizerBase", precision: str, folder: Path
) -> None:
    from tasks.exporting.gguf_file import write_gguf

    form = find_chat_format(tokenizer)  # refuses before anything is computed
    file = folder / f"model-{precision}.gguf"
    with tempfile.TemporaryDirectory(dir=folder.parent) as merged:
        write_merged(model, tokenizer, "f32", Path(merged))
        write_gguf(Path(merged), tokenizer, precision, form.adds_start, file)
    ends = [str(tokenizer.decode([token])) for token in end_token_ids(tokenizer)]
    text = modelfile(file.name, form, ends)
    (folder / "Modelfile").write_text(text, encoding="utf-8")
