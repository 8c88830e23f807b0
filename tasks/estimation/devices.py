"""How long a step takes on several devices: calculated from one device's, nothing is run there.

A device has the same share of rows with others beside it as the probe gave it, so it computes for
as long. What it sends to them comes on top, or is hidden behind computing, in part or whole: how
much cannot be known from one device, so both ends are told.

What each sends, with n devices (Rajbhandari et al. 2020, arXiv 1910.02054, section 7):

- DDP sums gradients over a ring, 2·(n-1)/n of their size, once a step.
- FSDP gathers the weights for the forward pass and again for the way back, and sums the gradients
  of its own part: (n-1)/n of the size each, in every forward pass of a step.
"""

from data_contracts.base import Result
from tasks.estimation.config import RunShape
from tasks.estimation.estimate import MemoryEstimate
from tasks.estimation.probe import StepTime

# Temper trains in single precision, whatever the base is held in.
GRADIENT_BYTES = 4


class DevicesTime(Result):
    """What a step costs on several devices like the one that was timed."""

    devices: int
    sent: int  # bytes that each device sends in a step
    gigabytes_per_second: float  # that it can send, as stated
    rows: int  # of a step, on all devices
    least_seconds: float  # a step, all that is sent hidden behind computing
    most_seconds: float  # nothing of it hidden

    def whole(self, rows: int, epochs: float) -> tuple[float, float]:
        """Return the seconds of a run of so many rows, at least and at most, validation apart."""
        steps = epochs * rows / self.rows
        return self.least_seconds * steps, self.most_seconds * steps


def on_devices(
    step: StepTime, memory: MemoryEstimate, shape: RunShape, gigabytes_per_second: float
) -> DevicesTime:
    """Return the time of a step on `shape.devices` devices.

    Args:
        step: Timed on one device, with the batch that each of them has.
        memory: What a run of this shape was estimated to need.
        shape: Batch of a device, and how many work together in which way.
        gigabytes_per_second: What a device can send to the others, 10^9 bytes a second.
    """
    sent = _sent(memory, shape)
    seconds = sent / (gigabytes_per_second * 1e9)
    return DevicesTime(
        devices=shape.devices,
        sent=sent,
        gigabytes_per_second=gigabytes_per_second,
        rows=shape.devices * shape.batch_size * shape.gradient_accumulation,
        least_seconds=max(step.seconds, seconds),
        most_seconds=step.seconds + seconds,
    )


def _sent(memory: MemoryEstimate, shape: RunShape) -> int:
    others = shape.devices - 1
    gradients = GRADIENT_BYTES * memory.trainable_parameters
    if shape.parallel == "ddp":
        return round(2 * gradients * others / shape.devices)
    weights = memory.weights * shape.devices  # of which each holds its part
    passes = shape.gradient_accumulation
    return round(passes * (2 * weights + gradients) * others / shape.devices)
