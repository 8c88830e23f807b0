"""EVA: LoRA that starts from what the training rows make of each layer's input."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tasks.training.low_rank import LowRank
from tasks.training.method import METHODS

if TYPE_CHECKING:
    from torch import Tensor, nn


@METHODS.register
class Eva(LowRank):
    """Explained variance adaptation: A starts as the main directions of the layer's inputs.

    Takes some forward passes over training rows before the first step; B is zero, so the model
    begins as the base. All layers keep the same rank.
    """

    default_learning_rate: ClassVar[float] = 2e-4
    source: ClassVar[str] = "Paischer et al. 2024, arXiv 2410.07170"
    # That would leave the adapter without values until `start`.
    expected_warning: ClassVar[str] = "lora with eva initialization used with low_cpu_mem_usage"

    method: Literal["eva"] = "eva"

    def lora_options(self) -> dict[str, Any]:
        """Leave A to be set by `start`; rho 1 keeps the ranks equal."""
        from peft import EvaConfig

        return {"init_lora_weights": "eva", "eva_config": EvaConfig(rho=1.0)}

    def start(
        self, model: "nn.Module", batches: "Iterable[Mapping[str, Tensor]]", total_steps: int
    ) -> None:
        """Set A from the inputs that training rows give."""
        from peft import initialize_lora_eva_weights

        initialize_lora_eva_weights(
            model, list(batches), forward_fn=_forward, show_progress_bar=False
        )


def _forward(model: "nn.Module", inputs: "Mapping[str, Tensor]") -> Any:
    """Run the model for the sake of its layers' inputs: logits of one position are enough."""
    return model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], logits_to_keep=1
    )
