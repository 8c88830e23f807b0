"""The model card in the form of Hugging Face hubs: front matter that programs read, then text."""

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from data_contracts.base import Result
from data_contracts.dataset import DatasetRef
from data_contracts.errors import StorageError
from data_contracts.results import (
    Comparison,
    Delta,
    LeakageCertificate,
    ModelRef,
    TrainingResult,
    Verdict,
)
from tasks.report.card import markdown_environment

# Weights that need their base beside them.
_ADAPTER = "weights/adapter_config.json"


class ModelCard(Result):
    """What a model card states."""

    title: str
    created: datetime
    model: ModelRef
    datasets: list[DatasetRef]  # of every stage, in order
    certificate: LeakageCertificate
    comparison: Comparison
    verdict: Verdict
    training: TrainingResult
    data_card: str  # Markdown with front matter


def model_card_markdown(card: ModelCard) -> str:
    """Return the card as Markdown with the front matter that model hubs read."""
    deltas = [delta for delta in card.comparison.deltas if delta.name == "all"]
    content = {
        "title": card.title,
        "created": f"{card.created:%Y-%m-%d}",
        "base_name": card.model.base.name,
        "base_fingerprint": card.model.base.fingerprint,
        "fingerprint": card.model.fingerprint,
        "method": card.model.method,
        "rows": card.datasets[-1].rows,
        "datasets": card.datasets,
        "certificate": card.certificate,
        "hits": sum(finding.hits for finding in card.certificate.findings),
        "deltas": deltas,
        "training": card.training,
        "verdict": card.verdict,
    }
    template = markdown_environment().get_template("model_card.md.j2")
    return template.render(c=content, front_matter=_front_matter(card, deltas))


def write_cards(card: ModelCard) -> Path:
    """Write the model's card beside its weights, and the dataset's below; return the first.

    Raises:
        StorageError: They cannot be written.
    """
    path = card.model.folder / "README.md"
    of_dataset = card.model.folder / "dataset" / "README.md"
    try:
        of_dataset.parent.mkdir(exist_ok=True)
        of_dataset.write_text(card.data_card, encoding="utf-8")
        path.write_text(model_card_markdown(card), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"Cannot write the model card {path}: {error}. Free disk space, then run again: the "
            "model is kept."
        ) from error
    return path


def _front_matter(card: ModelCard, deltas: list[Delta]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    adapter = (card.model.folder / _ADAPTER).is_file()
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=f"temper/{delta.set}",
            dataset_name=f"{delta.set}, {delta.rows} rows",
            metric_type=delta.measure,
            metric_value=round(delta.tuned, 6),
        )
        for delta in deltas
    ]
    values = ModelCardData(
        base_model=card.model.base.name,
        language=_languages(card.data_card),
        library_name="peft" if adapter else "transformers",
        pipeline_tag="text-generation",
        tags=["temper", card.model.method, card.verdict.outcome.lower().replace(" ", "-")],
        model_name=card.title,
        eval_results=results,
        base_model_relation="adapter" if adapter else "finetune",
    )
    return str(values.to_yaml()).strip()


def _languages(data_card: str) -> list[str]:
    """Return the languages that the dataset's card states."""
    _, front_matter, _ = data_card.split("---\n", 2)
    values: dict[str, Any] = yaml.safe_load(front_matter)
    return [str(language) for language in values["language"]]
