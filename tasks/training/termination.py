"""SIGTERM while a model trains: the step is finished and a checkpoint written before the run ends.

That is how a machine that is taken away says so (preemption, a worker that cancels a run). Without
this, what was trained since the last evaluation would be trained again.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

logger = logging.getLogger(__name__)


class CheckpointBeforeTheEnd(TrainerCallback):  # type: ignore[misc]
    """Once it is asked to, saves after the step at hand and passes the signal on.

    Args:
        when_saved: Called in between.
    """

    def __init__(self, when_saved: Callable[[], None]) -> None:
        self.asked, self.when_saved = False, when_saved
        self._before = signal.getsignal(signal.SIGTERM)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Be the signal's handler: the first time ask for a checkpoint, the second time end."""
        if self.asked:
            self.pass_on()
        self.asked = True
        logger.warning(
            "SIGTERM: after the step at hand a checkpoint is written, then the run ends. "
            "A second SIGTERM ends it at once."
        )

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Save, where it was asked for."""
        if self.asked:
            control.should_save = True
            args.save_total_limit = None  # the newest evaluated one is read at the end

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """End, where it was asked for."""
        if self.asked:
            logger.warning("The checkpoint of step %d is written", state.global_step)
            try:
                self.when_saved()
            finally:
                self.pass_on()

    def pass_on(self) -> None:
        """Do with the signal what would have been done without this."""
        self.put_back()
        signal.raise_signal(signal.SIGTERM)

    def put_back(self) -> None:
        """Let the handler from before handle the signal; None is one that Python did not set."""
        signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)


@contextmanager
def checkpoint_before_the_end(trainer: Trainer, when_saved: Callable[[], None]) -> Iterator[None]:
    """Handle SIGTERM so while the trainer trains; `when_saved` is called before the run ends.

    Several processes would stop at different steps, and only a main thread can handle signals:
    there the signal ends the run at once, as it did.
    """
    alone = trainer.args.world_size == 1
    if not alone or threading.current_thread() is not threading.main_thread():
        yield
        return
    callback = CheckpointBeforeTheEnd(when_saved)
    trainer.add_callback(callback)
    signal.signal(signal.SIGTERM, callback.ask)
    try:
        yield
    finally:
        callback.put_back()
