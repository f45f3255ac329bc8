"""What can be learnt of a sample."""

from typing import Any, Self

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from crystalvision.config import Config


class Target(Config):
    """One thing that a sample should be recognised as: a column of the dataset, and its meaning.

    Attributes:
        name: Name of the column, such as `label`, `severity` or `thickness_angstrom`.
        task: Which task judges it, by the name under which a plugin offers it: `classification`,
            `regression`, `orientation`, `segmentation`, or another.
        shape: Of the value of one sample: `()` for a number, `(4,)` for a unit quaternion,
            `(h, w)` for a map.
        classes: Names of the classes that its whole numbers count; empty for a real value.
        class_severities: Severity of each class, where classes have one; else empty.
        class_elements: Symbols of the elements of each class, where classes are substances; else
            empty.
        components: What each number of a vector is of, such as the phases whose shares it holds;
            empty for none.
        units: Units of a real value, `1` for a pure number.
        symmetry: Point group (Hermann-Mauguin) under which values mean the same; empty for none.
        label_shares: Of each of its classes, which part is of which class of `label`, by name,
            where they say something of `label`; else empty.
    """

    name: str
    task: str
    shape: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    class_severities: tuple[float, ...] = ()
    class_elements: tuple[tuple[str, ...], ...] = ()
    components: tuple[str, ...] = ()
    units: str = "1"
    symmetry: str = ""
    label_shares: tuple[dict[str, float], ...] = ()

    @model_serializer(mode="wrap")
    def _without_unused(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialize(self)
        for name in ("class_elements", "components", "label_shares"):
            if not getattr(self, name):  # what was written without them stays as it is
                written.pop(name, None)
        return written

    @property
    def words(self) -> str:
        """What sentences call it: its name with spaces, without its units."""
        return self.name.removesuffix(f"_{self.units}").replace("_", " ")

    @model_validator(mode="after")
    def _severities_are_of_classes(self) -> Self:
        if self.class_severities and len(self.class_severities) != len(self.classes):
            raise ValueError(
                f"{len(self.classes)} classes need as many class_severities, "
                f"not {len(self.class_severities)}"
            )
        return self
