"""What pages may exchange with the service."""

import numpy as np

NONE = type(None)


def is_plain(value: object) -> bool:
    """Whether a value is plain data that survives a hot reload."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(is_plain, value))
    return type(value) in (str, int, float, bool, NONE, np.ndarray)
