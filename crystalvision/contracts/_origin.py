"""Who gave a thing, for errors that name them."""

_ORIGIN = "_crystalvision_origin"


def mark_origin(made: object, origin: str) -> None:
    """Remember who gave a thing, such as "backbone 'mynet' of mynet.py", for errors."""
    attributes = getattr(made, "__dict__", None)
    if isinstance(attributes, dict):
        attributes[_ORIGIN] = origin


def origin_of(thing: object, kind: str) -> str:
    """Who gave a thing; where nobody remembers, its kind and type."""
    marked = getattr(thing, "__dict__", {}).get(_ORIGIN)
    return str(marked) if marked else f"{kind} {type(thing).__name__}"
