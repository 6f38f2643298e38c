"""What the system lets a process have, where that is too little for the libraries alone."""

from contextlib import suppress

FEWEST_FILES = 64
"""Files that a process has to be allowed to have open."""

LEAST_MEMORY = 4 * 2**30
"""Bytes of memory that a process has to be allowed to map: torch with its libraries maps most of them."""


def too_little() -> str | None:
    """Say what the system gives too little of, and the remedy; None where there is enough.

    The libraries would end in errors of their own, at any place, in many lines, or not at all: torch that is
    short of memory as it is imported may turn for ever. Where the system allows more open files than are
    set, as many are set as are needed.
    """
    with suppress(ImportError):  # of no limit, on Windows
        import resource

        mapped = resource.getrlimit(resource.RLIMIT_AS)[0]
        if 0 <= mapped < LEAST_MEMORY:
            tenths = mapped * 10 // 2**30  # rounded down: 4.0 would be no reason
            return (
                f"there is not enough memory: the system lets a process map {tenths / 10} GiB, and mitools"
                f" needs {LEAST_MEMORY // 2**30}; raise the limit (ulimit -v)"
            )
        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        few, fixed = (0 <= limit < FEWEST_FILES for limit in (allowed, most))
        if few and fixed:
            return (
                f"the system lets a process open {allowed} files, and mitools needs {FEWEST_FILES}; raise the"
                " limit (ulimit -n)"
            )
        if few:
            resource.setrlimit(resource.RLIMIT_NOFILE, (FEWEST_FILES, most))
    return None
