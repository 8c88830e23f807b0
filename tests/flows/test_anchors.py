"""A file of anchor texts is held against the evaluation's texts before anything is trained."""

import json

import pytest

from data_contracts.errors import TrainingError
from flows.anchors import require_apart_anchors
from tasks.evaluation.config import EvaluationConfig
from tasks.evaluation.general import SHIPPED, read_general
from tasks.training.config import TrainingConfig


@pytest.mark.parametrize("mitigation", ["ewc", "l2_sp"])
def test_the_shipped_probe_is_no_anchor_text_where_anchors_are_used(mitigation, tmp_path):
    file = tmp_path / "mine.jsonl"
    texts = ["Something else.", read_general(SHIPPED).texts[0].text]
    file.write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8")
    training = TrainingConfig.model_validate(
        {"mitigations": [{"mitigation": mitigation}], "anchors": {"file": file}}
    )
    if mitigation == "l2_sp":  # it reads no anchor texts
        require_apart_anchors(training, EvaluationConfig())
        return
    with pytest.raises(TrainingError, match=r"Anchor text 2 of .*mine.jsonl"):
        require_apart_anchors(training, EvaluationConfig())
