"""The model card: hubs can read it, its figures are the run's, hostile text stays text."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from huggingface_hub import ModelCard as HubCard

from data_contracts.dataset import DatasetRef
from data_contracts.errors import StorageError
from data_contracts.results import BaseModelRef, Leg, ModelRef, Verdict
from tasks.report.model_card import ModelCard, model_card_markdown, write_cards

HOSTILE = "<script>alert(1)</script> | `a` [x](javascript:b)\n# heading"
DATA_CARD = "---\nlanguage:\n- en\n- de\n---\n\n# Rows\n"


@pytest.fixture
def card(sample, tmp_path: Path) -> ModelCard:
    content = sample.realistic()
    base = BaseModelRef(name="gemma", folder=tmp_path / "base", fingerprint="b" * 32)
    folder = tmp_path / "tuned"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "adapter_config.json").write_text("{}")
    return ModelCard(
        title="Handbook",
        created=datetime(2026, 11, 24, tzinfo=UTC),
        model=ModelRef(fingerprint="m" * 32, folder=folder, method="lora", base=base),
        datasets=[
            DatasetRef(
                stage="augmentation", fingerprint="d" * 32, folder="f", content_sha256="c", rows=42
            )
        ],
        certificate=content.certificate,
        comparison=content.comparison,
        verdict=content.verdict,
        training=content.training,
        data_card=DATA_CARD,
    )


def test_a_hub_reads_what_the_card_states(card: ModelCard) -> None:
    data = HubCard(model_card_markdown(card)).data
    assert (data.base_model, data.library_name, data.language) == ("gemma", "peft", ["en", "de"])
    assert set(data.tags) == {"temper", "lora", "pass"}
    delta = card.comparison.find("test", "cross_entropy")
    (result,) = [
        r
        for r in data.eval_results
        if (r.dataset_type, r.metric_type) == ("temper/test", "cross_entropy")
    ]
    assert result.metric_value == pytest.approx(delta.tuned, abs=1e-6)
    assert data.model_name == "Handbook"


def test_the_text_holds_verdict_and_figures(card: ModelCard) -> None:
    text = model_card_markdown(card)
    delta = card.comparison.find("test", "cross_entropy")
    assert "## Verdict: PASS" in text
    assert f"{delta.tuned:.4f}" in text and f"{delta.delta.low:+.4f}" in text
    assert "42 rows of question and answer" in text and "d" * 32 in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_full_model_needs_no_base_beside_it(card: ModelCard) -> None:
    (card.model.folder / "weights" / "adapter_config.json").unlink()
    assert HubCard(model_card_markdown(card)).data.library_name == "transformers"


def test_hostile_text_stays_text(card: ModelCard) -> None:
    leg = Leg(name="leakage", outcome="FAIL", reason=HOSTILE)
    hostile = card.model_copy(
        update={
            "title": HOSTILE,
            "verdict": Verdict(outcome="FAIL", legs=[leg], switched_off={"overfitting": HOSTILE}),
        }
    )
    text = model_card_markdown(hostile)
    assert HubCard(text).data.model_name == HOSTILE
    body = text.split("\n---\n", 1)[1]
    assert "<script>" not in body and "\n# heading" not in body
    assert "switched off" in body


def test_both_cards_lie_beside_the_weights(card: ModelCard) -> None:
    path = write_cards(card)
    assert path == card.model.folder / "README.md"
    assert path.read_text() == model_card_markdown(card)
    assert (path.parent / "dataset" / "README.md").read_text() == DATA_CARD


def test_a_folder_that_is_not_there_is_said_so(card: ModelCard, tmp_path: Path) -> None:
    model = card.model.model_copy(update={"folder": tmp_path / "none"})
    with pytest.raises(StorageError, match="Cannot write the model card"):
        write_cards(card.model_copy(update={"model": model}))
