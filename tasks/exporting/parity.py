"""Proves that an export answers as the model it was made from does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_contracts.results import DifferentAnswer, ExportCheck, ModelRef
from tasks.exporting.answers import Answer, Echo, answer, echo, echo_of_server
from tasks.exporting.config import ExportConfig
from tasks.exporting.weights import load_adapter, load_unquantised
from tasks.llm.embedded_server import embedded_server
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.modeling.chat import end_token_ids, prompt_ids, prompt_messages
from tasks.modeling.tuned import load_tuned
from tasks.progress import track

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Expected:
    """What the model itself answers to each row, and as which tokens it reads the row."""

    reference: str
    rows: tuple[Mapping[str, Any], ...]
    prompts: tuple[tuple[int, ...], ...]
    answers: tuple[Answer, ...]


def expected_answers(
    model: ModelRef, rows: Sequence[Mapping[str, Any]], config: ExportConfig
) -> Expected:
    """Let the tuned model answer; the export will be held against it.

    A model that was trained on a base in 4 or 16 bits and is merged into it as published, in
    single precision, is held against its adapter on that base: the export must add nothing to
    what leaving the few bits changes.

    Args:
        model: The tuned model.
        rows: Questions, with context or history where they have them.
        config: What is exported, and how long answers may be.
    """
    tuned, tokenizer = load_tuned(model)
    reference = "the model as trained"
    packed = getattr(tuned, "is_loaded_in_4bit", False)
    if config.form != "adapter" and (packed or model.base.held_in != "float32"):
        del tuned
        base = "the unquantised base" if packed else "the base in single precision"
        tuned, reference = load_unquantised(model), f"the adapter on {base}"
    prompts = tuple(tuple(prompt_ids(tokenizer, row)) for row in rows)
    answers = tuple(
        answer(tuned, tokenizer, prompt, config.max_new_tokens)
        for prompt in track(prompts, "Answers of the model", len(prompts))
    )
    return Expected(reference, tuple(rows), prompts, answers)


def check_export(
    model: ModelRef, folder: Path, expected: Expected, config: ExportConfig
) -> ExportCheck:
    """Load an export as its users will, and compare its answers.

    Args:
        model: The tuned model.
        folder: The export.
        expected: What it should answer.
        config: What was exported.
    """
    if config.form == "gguf":
        tokenizer = load_tokenizer(model.base.model_copy(update={"folder": model.folder}))
        echoes = _from_llama_cpp(next(folder.glob("*.gguf")), tokenizer, expected)
    else:
        exported = model.base.model_copy(update={"folder": folder})
        tokenizer = load_tokenizer(exported)
        merged = config.form == "merged"
        loaded = (
            load_model(exported, dtype="auto").eval() if merged else load_adapter(model, folder)
        )
        echoes = _from_transformers(loaded, tokenizer, expected)
    return compare(model.fingerprint, expected, echoes, tokenizer, config)


def compare(
    fingerprint: str,
    expected: Expected,
    echoes: Sequence[Echo],
    tokenizer: "PreTrainedTokenizerBase",
    config: ExportConfig,
) -> ExportCheck:
    """Hold an export's answers against the expected ones.

    It passes when each prompt became the same tokens and no log-probability differs by more
    than the tolerance. An answer may differ in words only where the model itself found two
    words about equally likely, as that difference then is within the tolerance, too.
    """
    differences = [
        max(abs(a - b) for a, b in zip(e.log_probabilities, x.log_probabilities, strict=True))
        for x, e in zip(expected.answers, echoes, strict=True)
    ]
    worst = max(range(len(differences)), key=differences.__getitem__)
    same_prompts = sum(each.same_prompt for each in echoes)
    pairs = list(zip(expected.answers, echoes, strict=True))
    return ExportCheck(
        model=fingerprint,
        form=config.form,
        precision=config.chosen_precision,
        reference=expected.reference,
        prompts=len(echoes),
        same_prompts=same_prompts,
        equal_answers=sum(x.tokens == e.greedy for x, e in pairs) / len(pairs),
        tokens=sum(len(each.log_probabilities) for each in echoes),
        highest_difference=differences[worst],
        tolerance=config.tolerance,
        passed=same_prompts == len(echoes) and differences[worst] <= config.tolerance,
        worst=DifferentAnswer(
            prompt=prompt_messages(expected.rows[worst])[-1]["content"],
            expected=str(tokenizer.decode(expected.answers[worst].tokens)),
            answered=str(tokenizer.decode(echoes[worst].greedy)),
            difference=differences[worst],
        ),
    )


def _from_transformers(
    model: "nn.Module", tokenizer: "PreTrainedTokenizerBase", expected: Expected
) -> list[Echo]:
    found = []
    for at, row in enumerate(track(expected.rows, "Answers of the export", len(expected.rows))):
        prompt = prompt_ids(tokenizer, row)  # by the exported tokenizer and template
        same = tuple(prompt) == expected.prompts[at]
        found.append(echo(model, prompt, same, expected.answers[at]))
    return found


def _from_llama_cpp(
    file: Path, tokenizer: "PreTrainedTokenizerBase", expected: Expected
) -> list[Echo]:
    end = end_token_ids(tokenizer)[0]
    rows = zip(expected.rows, expected.prompts, expected.answers, strict=True)
    with embedded_server(file, template=None) as base_url:
        return [
            echo_of_server(base_url, prompt_messages(row), prompt, wanted, end)
            for row, prompt, wanted in track(rows, "Answers of the export", len(expected.rows))
        ]
