"""What a factory says of itself, also where it is a `functools.partial` of another."""

import inspect
from functools import partial


def unwrapped(factory: object) -> object:
    """The function or class behind a partial; anything else as it is."""
    while isinstance(factory, partial):
        factory = factory.func
    return factory


def documentation(thing: object) -> str:
    """Its docstring: a partial's own `__doc__` where it was given one, else that of its function.

    Python itself gives the documentation of the class `functools.partial`.
    """
    while isinstance(thing, partial):
        own = vars(thing).get("__doc__")
        if own:
            return inspect.cleandoc(str(own))
        thing = thing.func
    return inspect.getdoc(thing) or ""
