"""Prompt tuning: virtual tokens before every row."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tasks.modeling.shapes import ModelShapes
from tasks.training.method import METHODS
from tasks.training.peft_method import PromptMethod

if TYPE_CHECKING:
    from torch import nn


@METHODS.register
class PromptTuning(PromptMethod):
    """Learn the embeddings of virtual tokens in front of the input; the model is not touched.

    A few kilobytes for a task, many tasks in one batch. Weak on small models, and the tokens
    take their place in the context.
    """

    default_learning_rate: ClassVar[float] = 3e-2
    source: ClassVar[str] = "Lester et al. 2021, arXiv 2104.08691"

    method: Literal["prompt_tuning"] = "prompt_tuning"

    def peft_config(self, model: "nn.Module") -> Any:
        """Return a PromptTuningConfig that starts from embeddings of the vocabulary."""
        from peft import PromptTuningConfig, PromptTuningInit

        return PromptTuningConfig(
            num_virtual_tokens=self.tokens,
            prompt_tuning_init=PromptTuningInit.SAMPLE_VOCAB,
            task_type="CAUSAL_LM",
        )

    def trainable_parameters(self, shapes: ModelShapes) -> int:
        """Return one embedding for each token."""
        return self.tokens * shapes.hidden_size
