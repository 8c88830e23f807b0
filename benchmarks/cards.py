"""What graphics cards compute at most, and what a training step has to compute."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.estimation.architecture import skeleton

if TYPE_CHECKING:
    from transformers import PretrainedConfig

TERA = 1e12

# A card's name as CUDA tells it, and its products of dense 16-bit matrices with sums in single
# precision, in 10^12 operations a second, by NVIDIA's data sheets and white papers. Most of them
# print the figure "with sparsity", which is twice as much. The first that is found counts.
PEAKS: tuple[tuple[str, float], ...] = (
    (r"\bB200\b", 2250.0),  # HGX B200: 36,000 for eight of them with sparsity
    (r"\bH200 NVL\b", 835.5),  # H200: 1,671 with sparsity
    (r"\bH200\b", 989.5),  # H200 (SXM): 1,979 with sparsity
    (r"\bH100 NVL\b", 835.5),  # H100: 1,671 with sparsity
    (r"\bH100 PCIe\b", 756.5),  # H100: 1,513 with sparsity
    (r"\bH100\b", 989.5),  # H100 (SXM): 1,979 with sparsity
    (r"\bA100\b", 312.0),  # A100
    (r"\bA10\b", 125.0),  # A10
    (r"\bL40S\b", 362.05),  # L40S
    (r"\bL4\b", 121.0),  # L4: 242 with sparsity
    (r"\bRTX 5090\b(?! (D|Laptop))", 209.5),  # RTX Blackwell white paper
    (r"\bRTX 4090\b(?! (D|Laptop))", 165.2),  # Ada white paper, appendix
    (r"\bRTX 3090\b(?! Ti)", 71.0),  # Ampere GA102 white paper, appendix
    (r"\bV100\b", 125.0),  # V100 (SXM2); float16, it has no bfloat16
    (r"\bT4\b", 65.0),  # T4; float16, it has no bfloat16
)


def peak_of(card: str) -> float | None:
    """Return a card's operations a second, None where it is unknown or only a part of a card."""
    if "MIG" in card:  # several share the card
        return None
    return next((peak * TERA for name, peak in PEAKS if re.search(name, card)), None)


@dataclass(frozen=True)
class Products:
    """Weights by which a token is multiplied: in the layers, and at the head."""

    layers: int
    head: int

    def operations(self, method: str, tokens: int, supervised: int, adapters: int) -> float:
        """Return the operations that a step has to make.

        A weight takes two operations a token forward, two on the way back to the activations and
        two for its own gradient, where it has one: 6·N for full fine-tuning (Kaplan et al. 2020,
        arXiv 2001.08361, section 2.1), 4·N with a frozen base and 6 for each adapter weight. The
        head counts where there is a label: nothing else is needed of it. Attention's products and
        what is computed anew do not count (Chowdhery et al. 2022, arXiv 2204.02311, appendix B).

        Args:
            method: `full`, or a method that freezes the base.
            tokens: Of the step, padding not counted.
            supervised: Those that carry a label.
            adapters: Trained weights beside the base's.
        """
        through = float(self.layers * tokens + self.head * supervised)
        return 6 * through if method == "full" else 4 * through + 6 * float(adapters * tokens)


def products(config: "PretrainedConfig") -> Products:
    """Return what a model of this configuration multiplies by; nothing is allocated."""
    from torch import nn

    model = skeleton(config, "bfloat16")
    head = model.get_output_embeddings()  # type: ignore[operator]
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return Products(
        layers=sum(linear.weight.numel() for linear in linears if linear is not head),
        head=head.weight.numel(),
    )
