"""What share of a model a method trains, told on a model that readers know."""

from functools import cache

from tasks.modeling.shapes import LinearShape, ModelShapes
from tasks.training.method import TrainingMethod

# Llama 3.2 3B (its published configuration): the model of PEFT's comparison of methods.
_HIDDEN, _INNER, _KEY_VALUE, _LAYERS, _VOCABULARY = 3072, 8192, 1024, 28, 128_256
_LINEARS = {
    "self_attn.q_proj": (_HIDDEN, _HIDDEN),
    "self_attn.k_proj": (_KEY_VALUE, _HIDDEN),
    "self_attn.v_proj": (_KEY_VALUE, _HIDDEN),
    "self_attn.o_proj": (_HIDDEN, _HIDDEN),
    "mlp.gate_proj": (_INNER, _HIDDEN),
    "mlp.up_proj": (_INNER, _HIDDEN),
    "mlp.down_proj": (_HIDDEN, _INNER),
}
_NORMS = ("input_layernorm", "post_attention_layernorm")


@cache
def reference_shapes() -> ModelShapes:
    """Return the shapes of Llama 3.2 3B."""
    parameters: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (_VOCABULARY, _HIDDEN)}
    linears: list[LinearShape] = []
    norms = ["model.norm"]
    for number in range(_LAYERS):
        layer = f"model.layers.{number}"
        linears += [LinearShape(f"{layer}.{name}", *shape) for name, shape in _LINEARS.items()]
        norms += [f"{layer}.{name}" for name in _NORMS]
    parameters |= {f"{x.name}.weight": (x.outputs, x.inputs) for x in linears}
    parameters |= {f"{name}.weight": (_HIDDEN,) for name in norms}
    return ModelShapes(parameters, tuple(linears), tuple(norms), _HIDDEN, _KEY_VALUE, _LAYERS)


def share_of_reference(method: TrainingMethod) -> float:
    """Return the trained parameters over all parameters of Llama 3.2 3B."""
    shapes = reference_shapes()
    return method.trainable_parameters(shapes) / shapes.total
