"""Berth windows from arrival and departure times.

The booking website and the sailing board use this module. It is kept by Ravenna Coldbeck.
A berth window starts ten minutes before the planned arrival and ends five minutes after the
planned departure.
"""

from datetime import datetime, timedelta

# At Hesk the channel is narrow, so the window starts earlier.
LEAD_MINUTES = {"Hesk": 15}
USUAL_LEAD_MINUTES = 10
TAIL_MINUTES = 5


def berth_window(port: str, arrival: datetime, departure: datetime) -> tuple[datetime, datetime]:
    """Return the start and the end of a berth window.

    Args:
        port: The name of the port, as on the sailing board.
        arrival: The planned time of arrival.
        departure: The planned time of departure.

    Raises:
        ValueError: The ship would leave before it arrives.
    """
    if departure < arrival:
        raise ValueError(f"{port}: departure {departure} lies before arrival {arrival}.")
    lead = LEAD_MINUTES.get(port, USUAL_LEAD_MINUTES)
    return arrival - timedelta(minutes=lead), departure + timedelta(minutes=TAIL_MINUTES)


def overlap(first: tuple[datetime, datetime], second: tuple[datetime, datetime]) -> bool:
    """Say whether two windows need the same berth at the same time.

    Windows that only touch do not overlap: one ship may leave at the minute another comes.
    """
    return first[0] < second[1] and second[0] < first[1]
