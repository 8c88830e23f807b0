"""`temper methods`, `temper train`, `temper inspect`."""

from typing import Annotated, Any

import typer

from flows.commands.dataset import built
from flows.commands.output import (
    Documents,
    Json,
    Overrides,
    Profile,
    console,
    prefect_session,
    prepare_profile,
    print_json,
    print_pairs,
    print_table,
)


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (methods, train, inspect):
        app.command()(verb)


def methods(json_output: Json = False) -> None:
    """List the training methods with their options.

    Example: temper methods
    """
    from tasks.training.method import METHODS

    found: dict[str, dict[str, Any]] = {
        method.model_fields["method"].default: {
            "what": (method.__doc__ or "").strip().splitlines()[0],
            "learning_rate": method.default_learning_rate,
            "options": {
                name: {"default": field.default, "description": field.description}
                for name, field in method.model_fields.items()
                if name != "method"
            },
        }
        for method in METHODS
    }
    if json_output:
        print_json(found)
        return
    for name, method in found.items():
        console.print(f"\n{name}: {method['what']} Learning rate {method['learning_rate']:g}.")
        rows = [(k, v["default"], v["description"]) for k, v in method["options"].items()]
        print_table("", ["option", "default", "meaning"], rows)


def train(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    json_output: Json = False,
) -> None:
    """Train on the profile's dataset, without judging the result.

    Example: temper train demo --set training.method.method=full
    """
    places = prepare_profile(profile, documents, settings)
    from flows.train import train_pipeline
    from tasks.modeling.tuned import read_training_result

    with prefect_session(places):
        model = train_pipeline(profile, documents, settings or [])
    result = read_training_result(model)
    if json_output:
        print_json({"model": model.model_dump(mode="json"), "training": result.model_dump()})
        return
    print_pairs(
        {
            "model": model.folder,
            "method": model.method,
            "trained": f"{result.trainable_parameters:,} of {result.total_parameters:,} parameters",
            "steps": f"{result.steps} ({result.epochs:.2f} epochs), best at {result.best_step}",
            "validation loss": f"{result.best_validation_loss:.4f}",
            "time": f"{result.seconds:.0f} s, {result.tokens / result.seconds:.0f} tokens/s",
        }
    )


def inspect(
    profile: Profile = "demo",
    documents: Documents = None,
    settings: Overrides = None,
    row: Annotated[
        str, typer.Option(help="Identifier of the row; the first one if not given.")
    ] = "",
    json_output: Json = False,
) -> None:
    """Show a training row as the model sees it: tokens, label mask, end token, length.

    Example: temper inspect demo --row 3f2a...
    """
    dataset = built(profile, documents, settings)
    from data_contracts.dataset import read_kept
    from data_contracts.errors import UnknownName
    from flows.config import load_config
    from tasks.modeling.base_model import load_tokenizer
    from tasks.modeling.chat import IGNORED, check_mask, encode_example

    config = load_config(profile, documents, settings or [])
    rows = {item["example_id"]: item for item in read_kept(dataset.examples).to_pylist()}
    if row and row not in rows:
        raise UnknownName("row", row, rows)
    example = rows[row] if row else next(iter(rows.values()))
    tokenizer = load_tokenizer(dataset.base)
    encoded = encode_example(tokenizer, example, config.training.max_length)
    check_mask(tokenizer, example, encoded)
    pieces = [
        (position, token, repr(tokenizer.decode([token])), "yes" if label != IGNORED else "")
        for position, (token, label) in enumerate(
            zip(encoded.input_ids, encoded.labels, strict=True)
        )
    ]
    if json_output:
        print_json({"row": example, "tokens": encoded.input_ids, "labels": encoded.labels})
        return
    print_table("", ["position", "token", "text", "supervised"], pieces)
    console.print()
    print_pairs(
        {
            "row": example["example_id"],
            "length": f"{len(encoded.input_ids)} of at most {config.training.max_length} tokens",
            "supervised": f"{len(encoded.supervised)} tokens: the answer and its end token",
            "end token": repr(tokenizer.decode([encoded.input_ids[-1]])),
            "mask": "proven: the supervised tokens decode to the answer",
        }
    )
