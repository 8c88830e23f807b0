"""Online EWC: EWC over a sequence of trainings, at the memory of one."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from data_contracts.errors import ConfigError
from tasks.training.mitigation import MITIGATIONS, Guard, Mitigation, Run

FILE = "online_ewc.safetensors"


@MITIGATIONS.register
class OnlineEwc(Mitigation):
    """EWC whose Fisher information is a running sum over the trainings before this one.

    The sum lies beside the tuned weights, one value a trained parameter. The next training,
    which takes that model as its base, names its folder: what it needed earlier fades by
    `decay`, and the spring pulls to where it is now.
    """

    source: ClassVar[str] = "Schwarz et al. 2018, arXiv 1805.06370, section 4"
    strength_option: ClassVar[str] = "strength"
    needs_anchors: ClassVar[bool] = True
    copies: ClassVar[int] = 2  # starting point and Fisher information

    mitigation: Literal["online_ewc"] = "online_ewc"
    strength: float = Field(
        1.0, ge=0, description="Weight of the penalty; at 1 a nat of drift costs a nat of loss."
    )
    decay: float = Field(0.9, ge=0, le=1, description="What remains of the earlier sum.")
    earlier: Path | None = Field(
        None, description="Folder of the tuned model that this training starts from, if any."
    )

    def files(self) -> tuple[Path, ...]:
        """Return the earlier sum's file."""
        return () if self.earlier is None else (self.earlier / FILE,)

    def start(self, run: Run) -> Guard:
        """Add the Fisher information at the starting point to the earlier sum.

        Raises:
            ConfigError: There is no earlier sum of the same parameters.
        """
        from tasks.training.fisher import add_earlier, diagonal_fisher
        from tasks.training.quadratic import KeptSpring

        information = diagonal_fisher(run.model, run.texts)
        if self.earlier is not None:
            if run.adapter:
                raise ConfigError(
                    "online_ewc.earlier goes with methods that train the base's own weights: a "
                    "new adapter has other parameters than the one before. Use ewc."
                )
            add_earlier(information, self.earlier / FILE, self.decay)
        return KeptSpring(run, self.strength, information, FILE)
