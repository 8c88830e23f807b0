"""Takes the network from a process that parses files: one taken over by a file reaches nobody."""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

# linux/sched.h
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Move this process, of one thread still, into a network without a way out.

    Only Linux knows such networks. Root makes one by itself; others need a user namespace too,
    in which the process may not look into those it came from either.

    Returns:
        Whether it could: kernels and containers may forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None).unshare
    if unshare(_NEW_NETWORK) == 0:
        return True
    user, group = os.geteuid(), os.getegid()
    if unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    own = Path("/proc/self")
    with suppress(OSError):  # then it has no name there, which what it does needs not
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{user} {user} 1")
        (own / "gid_map").write_text(f"{group} {group} 1")
    return True
