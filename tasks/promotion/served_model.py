"""The registered model as MLflow loads it: questions in, answers out.

MLflow runs this file ("models from code") instead of unpickling an object: nothing on the
way from the registry to a serving process is a pickle.
"""

import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import torch
from mlflow.pyfunc import PythonModel, PythonModelContext

# In the registry, Temper's code lies beside this file (`registry.pack_code`).
sys.path.insert(0, str(Path(__file__).parent / "code" / "temper.zip"))

from tasks.modeling.chat import end_token_ids, prompt_ids
from tasks.modeling.tuned import load_tuned, model_reference

DEFAULT_MAX_NEW_TOKENS = 128


class ServedModel(PythonModel):  # type: ignore[misc]
    """A tuned model of Temper's; `artifacts["model"]` is its folder."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load base and tuned weights."""
        self.model, self.tokenizer = load_tuned(model_reference(Path(context.artifacts["model"])))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> list[str]:
        """Answer each row's `question`, given its `context` where it has one.

        Args:
            context: MLflow's; not used after loading.
            model_input: Columns `question` and, optionally, `context`.
            params: `max_new_tokens`, at most so many tokens an answer.
        """
        limit = int((params or {}).get("max_new_tokens", DEFAULT_MAX_NEW_TOKENS))
        rows = model_input.to_dict("records")
        return [self._answer({str(k): v for k, v in row.items()}, limit) for row in rows]

    def _answer(self, row: dict[str, Any], max_new_tokens: int) -> str:
        passage = row.get("context")
        row = {**row, "context": passage if isinstance(passage, str) else None}
        prompt = prompt_ids(self.tokenizer, row)
        ids = torch.tensor([prompt], device=next(self.model.parameters()).device)
        with torch.no_grad():
            output = self.model.generate(  # type: ignore[operator]
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max_new_tokens,
                do_sample=False,
                eos_token_id=end_token_ids(self.tokenizer),
                pad_token_id=self.tokenizer.pad_token_id,
            )
        answer = self.tokenizer.decode(output[0, len(prompt) :], skip_special_tokens=True)
        return str(answer).strip()


mlflow.models.set_model(ServedModel())
