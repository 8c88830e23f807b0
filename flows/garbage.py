"""How often Python looks for garbage: objects that only refer to each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects after which Python looks through them, instead of 700: the tables of a stage are
# tens of thousands of rows that all stay until the stage is done.
NEW_OBJECTS = 50_000


@contextmanager
def seldom_looked_for() -> Iterator[None]:
    """Look for garbage seldom within: for code that makes many objects and little of it.

    Not for training: a tensor may be part of a ring of few objects, and would stay too long.
    """
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def loaded_to_stay() -> Iterator[None]:
    """Spare the search for garbage what the body loads: it stays until the process ends.

    Python looks through all objects again whenever there are a quarter more of them; the half
    million of these libraries cost a second while they load, and as much in the run that follows.
    Some thousand of them are garbage, and stay too: to find them took 0.7 s.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if enabled:
            gc.enable()
