"""One training step of a model and a method, run for its memory alone.

The method prepares the model's skeleton as it would the model, then forward and backward
pass run on the meta device while `LiveBytes` counts. So what has to be kept follows from
the code that will run (PyTorch's autograd, transformers, PEFT, Temper's own methods), and
a new method needs no entry anywhere.
"""

import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from data_contracts.errors import ConfigError
from tasks.estimation.architecture import skeleton
from tasks.estimation.config import RunShape
from tasks.estimation.decompositions import WithoutDecompositions
from tasks.estimation.live import LiveBytes
from tasks.estimation.unpacked import widen_unpacked
from tasks.training.recomputation import checkpoint_options

if TYPE_CHECKING:
    from transformers import PretrainedConfig

Prepare = Callable[[nn.Module], nn.Module]


@dataclass(frozen=True)
class Trace:
    """What a step keeps alive, in bytes, with every weight in the type it was built in."""

    parameters: int
    trainable: int
    weights: int  # everything alive before the step: parameters, buffers, what the method keeps
    trainable_bytes: int
    saved: int  # what the method writes to disk
    saved_wide: int  # the same with every number in single precision
    matrices: int  # parameters in the layers' frozen matrices: what quantisation packs
    matrix_bytes: int
    largest_matrix: int  # its parameters
    largest_layer: int  # bytes of the largest layer: what FSDP gathers at a time
    activations: int  # kept for the backward pass when the head is reached
    head: int  # on top of them, at most, until the loss has flown back through the head
    tail: int  # at most, gradients of the weights included, while it flows on through the layers


def trace_step(config: "PretrainedConfig", prepare: Prepare, shape: RunShape) -> Trace:
    """Return what one step keeps alive.

    A method that computes with the weights when it prepares (a singular value
    decomposition, a random choice) cannot do so on the meta device. It prepares one and two
    real layers of the true width, and the rest of the depth follows, layers being alike.

    Raises:
        ModelError: The configuration is not that of a causal language model.
        ConfigError: The method does not fit the model.
    """
    try:
        prepared, weights = _prepared(config, prepare, shape)
        return _trace(prepared, weights, shape)
    except (NotImplementedError, RuntimeError):  # PyTorch's words for "this needs real values"
        return _trace_shallow(config, prepare, shape)


def _trace_shallow(config: "PretrainedConfig", prepare: Prepare, shape: RunShape) -> Trace:
    try:
        one, two = (_trace_real(config, prepare, shape, layers) for layers in (1, 2))
    except (NotImplementedError, RuntimeError) as error:
        raise ConfigError(
            "This method's memory cannot be estimated: its code cannot run on shapes alone "
            f"({str(error).splitlines()[0]}). Measure it: train for a few steps."
        ) from error
    return _at_depth(one, two, config.num_hidden_layers)


def _prepared(
    config: "PretrainedConfig", prepare: Prepare, shape: RunShape
) -> tuple[nn.Module, int]:
    """Return the prepared skeleton, and the bytes of all that is alive with it."""
    live = LiveBytes()
    with live, torch.device("meta"):
        model = _prepare(skeleton(config, shape.dtype), prepare, shape)
    return model, live.bytes


def _prepare(model: nn.Module, prepare: Prepare, shape: RunShape) -> nn.Module:
    if shape.quantisation != "none" and shape.unpacked_in_single_precision:
        widen_unpacked(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice for the run itself, not for its estimate
        try:
            return prepare(model)
        except ValueError as error:
            raise ConfigError(f"The method does not fit this model: {error}") from error


def _trace_real(
    config: "PretrainedConfig", prepare: Prepare, shape: RunShape, layers: int
) -> Trace:
    """Trace a model of few layers whose method prepared real weights."""
    shallow = deepcopy(config)
    shallow.num_hidden_layers = layers
    if getattr(shallow, "layer_types", None):
        shallow.layer_types = shallow.layer_types[:layers]
    shallow.vocab_size, shallow.pad_token_id = 256, None  # the true one is put back below
    with WithoutDecompositions():  # type: ignore[no-untyped-call]
        model = _prepare(skeleton(shallow, shape.dtype, device="cpu"), prepare, shape)
    model._apply(_without_values)  # type: ignore[no-untyped-call]
    with torch.device("meta"):
        _true_vocabulary(model, config)
    return _trace(model, _registered_bytes(model), shape)


def _without_values(tensor: Tensor) -> Tensor:
    """Move to the meta device all but the few integers in which a method keeps its shapes."""
    shapes = tensor.numel() <= 16 and not tensor.is_floating_point()
    return tensor if shapes else tensor.to("meta")


def _true_vocabulary(model: nn.Module, config: "PretrainedConfig") -> None:
    base = _base(model)
    embedding, head = base.get_input_embeddings(), base.get_output_embeddings()  # type: ignore[operator]
    kind, width = embedding.weight.dtype, embedding.weight.shape[1]
    rows = nn.Parameter(torch.empty(config.vocab_size, width, dtype=kind), requires_grad=False)
    tied = head.weight is embedding.weight or getattr(config, "tie_word_embeddings", False)
    embedding.weight = rows
    head.weight = rows if tied else nn.Parameter(torch.empty_like(rows), requires_grad=False)


def _base(model: nn.Module) -> nn.Module:
    unwrapped: nn.Module = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
    return unwrapped


def _registered_bytes(model: nn.Module) -> int:
    tensors = [*model.parameters(), *model.buffers()]
    storages = {t.untyped_storage()._cdata: t.untyped_storage().nbytes() for t in tensors}
    return sum(storages.values())


def _at_depth(one: Trace, two: Trace, layers: int) -> Trace:
    values = {}
    for field in fields(Trace):
        first, second = getattr(one, field.name), getattr(two, field.name)
        values[field.name] = first + (layers - 1) * (second - first)
    return Trace(**values)


def _trace(model: nn.Module, weights: int, shape: RunShape) -> Trace:
    activations, head, tail = _run(model, shape)
    trainable = [p for p in model.parameters() if p.requires_grad]
    matrices, saved = _frozen_matrices(model), _saved(model)
    return Trace(
        parameters=sum(p.numel() for p in model.parameters()),
        trainable=sum(p.numel() for p in trainable),
        weights=weights,
        trainable_bytes=sum(p.numel() * p.element_size() for p in trainable),
        saved=sum(t.numel() * t.element_size() for t in saved),
        saved_wide=sum(t.numel() * max(4, t.element_size()) for t in saved),
        matrices=sum(p.numel() for p in matrices),
        matrix_bytes=sum(p.numel() * p.element_size() for p in matrices),
        largest_matrix=max((p.numel() for p in matrices), default=0),
        largest_layer=_largest_layer(model),
        activations=activations,
        head=head,
        tail=tail,
    )


def _run(model: nn.Module, shape: RunShape) -> tuple[int, int, int]:
    """Return the bytes kept at the head, added by the head, and the peak after it."""
    model.train()
    if shape.gradient_checkpointing != "none":
        base = _base(model)
        base.enable_input_require_grads()  # type: ignore[operator]
        options = checkpoint_options(shape.gradient_checkpointing)
        base.activation_checkpointing_enable(options)  # type: ignore[operator]
    live = LiveBytes([*model.parameters(), *model.buffers()])
    marks: dict[str, int] = {}

    def at_head(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        marks["activations"] = live.bytes
        live.restart_peak()
        if inputs[0].requires_grad:
            inputs[0].register_hook(after_head)  # type: ignore[no-untyped-call]

    def after_head(_gradient: Tensor) -> None:
        marks["head"] = live.peak
        live.restart_peak()

    output_layer = _base(model).get_output_embeddings()  # type: ignore[operator]
    handle = output_layer.register_forward_pre_hook(at_head)
    with live, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _step(model, shape)
    handle.remove()
    head = marks.get("head", live.peak)
    return marks["activations"], head - marks["activations"], live.peak


def _step(model: nn.Module, shape: RunShape) -> None:
    """Run forward and backward pass as a trainer does, the logits' loss in single precision."""
    size = (shape.batch_size, shape.sequence_length)
    ids = torch.empty(size, dtype=torch.long, device="meta")
    mask = torch.empty(size, dtype=torch.long, device="meta")
    kept = shape.kept_positions
    options: dict[str, int] = {} if kept is None else {"logits_to_keep": kept}
    if shape.gradient_checkpointing != "none":
        options["use_cache"] = False
    output = model(input_ids=ids, attention_mask=mask, **options)
    scores = output.logits.float().flatten(0, 1)
    labels = torch.empty(scores.shape[0], dtype=torch.long, device="meta")
    loss = cross_entropy(scores, labels, reduction="sum")
    del scores  # as in transformers, where it is a local variable of the loss function
    loss.backward()  # type: ignore[no-untyped-call]


def _frozen_matrices(model: nn.Module) -> list[Tensor]:
    """Return the weights that bitsandbytes would pack: of linear layers, the head left out."""
    head = _base(model).get_output_embeddings()  # type: ignore[operator]
    return [
        module.weight
        for module in model.modules()
        if isinstance(module, nn.Linear) and module is not head and not module.weight.requires_grad
    ]


def _saved(model: nn.Module) -> Sequence[Tensor]:
    """Return the tensors that are written; a mostly trained model is written whole."""
    from peft import PeftModel
    from peft.utils import get_peft_model_state_dict

    tensors: Sequence[Tensor] = [p for p in model.parameters() if p.requires_grad]
    if isinstance(model, PeftModel):
        if not model.active_peft_config.is_prompt_learning:  # else: what is trained, no more
            state = get_peft_model_state_dict(model, save_embedding_layers=False)
            tensors = list(state.values())
    else:
        whole = list(model.parameters())
        if 2 * sum(p.numel() for p in tensors) > sum(p.numel() for p in whole):
            tensors = whole
    return tensors


def _largest_layer(model: nn.Module) -> int:
    lists = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) > 0]
    sizes = [[_registered_bytes(layer) for layer in layers] for layers in lists]
    return max(max(sizes, key=sum, default=[0]))
