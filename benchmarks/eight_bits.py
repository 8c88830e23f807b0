"""What computing in blocks of 8 bits changes, part by part, without a GGUF file or llama.cpp."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import torch
from gguf import GGMLQuantizationType, quants
from torch import Tensor, nn

from tasks.exporting.answers import echo
from tasks.exporting.parity import Expected

# Prompts on which single parts are put into 8 bits.
PROBED = 10
Quantised = Callable[[str], bool]


def parts() -> dict[str, tuple[Quantised, Quantised]]:
    """Return which weights and which inputs of matrices are put into 8 bits, by label."""

    def none(_name: str) -> bool:
        return False

    def every(_name: str) -> bool:
        return True

    def only(part: str) -> Quantised:
        return lambda name: part in name

    return {
        "all weights": (every, none),
        "the embedding, which is the head, alone": (only("embed"), none),
        "inputs of all matrices": (none, every),
        "inputs of down_proj": (none, only("down_proj")),
        "inputs of o_proj": (none, only("o_proj")),
        "inputs of q_proj, k_proj, v_proj": (none, only("_proj.qkv")),
        "inputs of gate_proj, up_proj": (none, only("_proj.gu")),
        "inputs of the head": (none, only("lm_head")),
        "all weights and inputs": (every, every),
        "all weights, and inputs but those of down_proj": (
            every,
            lambda name: "down_proj" not in name,
        ),
    }


def probe(
    loaded: nn.Module, expected: Expected, weights: Quantised, inputs: Quantised
) -> dict[str, float]:
    """Return how answers differ, in nats, when some parts are computed from 8 bits."""
    differences: list[float] = []
    with rounded_weights(loaded, weights), rounded_inputs(loaded, inputs):
        for prompt, wanted in list(zip(expected.prompts, expected.answers, strict=True))[:PROBED]:
            found = echo(loaded, prompt, True, wanted)
            pairs = zip(found.log_probabilities, wanted.log_probabilities, strict=True)
            differences += [abs(a - b) for a, b in pairs]
    return {"highest": max(differences), "median": median(differences)}


@contextmanager
def rounded_weights(model: nn.Module, chosen: Quantised) -> Iterator[None]:
    """While active, chosen matrices hold what blocks of 8 bits hold of them."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and chosen(name)]
    whole = [matrix.data for matrix in matrices]
    for matrix in matrices:
        matrix.data = in_eight_bits(matrix.data)
    yield
    for matrix, data in zip(matrices, whole, strict=True):
        matrix.data = data


@contextmanager
def rounded_inputs(model: nn.Module, chosen: Quantised) -> Iterator[None]:
    """While active, chosen matrices see their inputs as llama.cpp hands them to 8-bit weights."""

    def rounded(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (in_eight_bits(given[0]), *given[1:])

    with ExitStack() as stack:
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and chosen(labelled(name)):
                stack.callback(module.register_forward_pre_hook(rounded).remove)
        yield


def labelled(name: str) -> str:
    """Return a module's name with the group that shares its input."""
    last = name.rpartition(".")[2]
    return (
        f"{name}.qkv"
        if last in {"q_proj", "k_proj", "v_proj"}
        else (f"{name}.gu" if last in {"gate_proj", "up_proj"} else name)
    )


def in_eight_bits(values: Tensor) -> Tensor:
    """Return values as blocks of 32 bytes and a scale would hold them."""
    kind = GGMLQuantizationType.Q8_0
    packed = quants.quantize(values.detach().float().numpy(), kind)
    return torch.from_numpy(quants.dequantize(packed, kind)).reshape(values.shape)
