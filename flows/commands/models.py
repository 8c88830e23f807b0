"""`temper methods`, `temper mitigations`, `temper train`, `temper inspect`."""

from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from data_contracts.base import Config
    from tasks.training.method import TrainingMethod
    from tasks.training.mitigation import Mitigation


def register(app: typer.Typer) -> None:
    """Add this module's verbs."""
    for verb in (methods, mitigations, train, inspect):
        app.command()(verb)


def methods(
    name: Annotated[str, typer.Argument(help="Show this method's options too.")] = "",
    json_output: Json = False,
) -> None:
    """List the training methods: share of parameters, merging, source; or one with its options.

    Example: temper methods lora
    """
    from tasks.training.method import METHODS

    chosen = [METHODS.get(name)] if name else list(METHODS)
    found = {str(m.model_fields["method"].default): _described(m) for m in chosen}
    if json_output:
        print_json(found)
        return
    rows = [
        (key, f"{m['share']:.2%}", "yes" if m["merges"] else "no", m["what"], m["source"])
        for key, m in found.items()
    ]
    print_table("", ["method", "trains", "merges", "what", "source"], rows)
    console.print("`trains` is the share of a 3B model's parameters, with the default options.")
    if name:
        options = found[name]["options"].items()
        meanings = [(option, o["default"], o["description"]) for option, o in options]
        print_table("", ["option", "default", "meaning"], meanings)


def _described(method: "type[TrainingMethod]") -> dict[str, Any]:
    from tasks.training.method_share import share_of_reference

    made = method.model_validate({})  # with its defaults
    return {
        "what": (method.__doc__ or "").strip().splitlines()[0],
        "share": share_of_reference(made),
        "merges": method.merges,
        "inference_cost": method.inference_cost,
        "context_tokens": made.context_tokens(),
        "source": method.source,
        "learning_rate": method.default_learning_rate,
        "options": _options(method, "method"),
    }


def mitigations(
    name: Annotated[str, typer.Argument(help="Show this mitigation's options too.")] = "",
    json_output: Json = False,
) -> None:
    """List the mitigations of forgetting: what each does and keeps; or one with its options.

    Example: temper mitigations ewc
    """
    from tasks.training.mitigation import MITIGATIONS

    chosen = [MITIGATIONS.get(name)] if name else list(MITIGATIONS)
    found = {str(m.model_fields["mitigation"].default): _mitigation(m) for m in chosen}
    if json_output:
        print_json(found)
        return
    rows = [
        (key, m["strength"], m["copies"], "yes" if m["anchors"] else "no", m["what"], m["source"])
        for key, m in found.items()
    ]
    columns = ["mitigation", "strength", "copies", "anchor texts", "what", "source"]
    print_table("", columns, rows)
    console.print(
        "`strength` is the option that says how much: at 0 training is plain. `copies` are of the "
        "trained parameters, kept in memory while training."
    )
    if name:
        options = found[name]["options"].items()
        meanings = [(option, o["default"], o["description"]) for option, o in options]
        print_table("", ["option", "default", "meaning"], meanings)


def _mitigation(mitigation: "type[Mitigation]") -> dict[str, Any]:
    made = mitigation.model_validate({})
    return {
        "what": (mitigation.__doc__ or "").strip().splitlines()[0],
        "strength": mitigation.strength_option,
        "copies": made.memory_copies,
        "anchors": mitigation.needs_anchors,
        "source": mitigation.source,
        "options": _options(mitigation, "mitigation"),
    }


def _options(plug_in: "type[Config]", discriminator: str) -> dict[str, Any]:
    return {
        name: {
            "default": field.get_default(call_default_factory=True),
            "description": field.description,
        }
        for name, field in plug_in.model_fields.items()
        if name != discriminator
    }


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
    with prefect_session(places):
        from flows.train import train_pipeline
        from tasks.modeling.tuned import read_training_result

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
    training = config.training
    encoded = encode_example(tokenizer, example, training.max_length, training.every_turn)
    check_mask(tokenizer, example, encoded, training.every_turn)
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
