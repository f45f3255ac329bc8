"""No instrument: the renderer's own pattern."""

import numpy as np

from crystalvision.contracts import Axis, Instrument, Pattern, Recording

_NO_INSTRUMENT = "There is no instrument: the patterns are without noise and without background."


class NoInstrument(Instrument):
    """The renderer's own pattern as it is, in float32, whatever its axes and its scale."""

    caveats = (_NO_INSTRUMENT,)

    def axes(self, axes: tuple[Axis, ...], band_limit: float) -> tuple[Axis, ...]:
        """See `crystalvision.contracts.Instrument.axes`: the renderer's."""
        return axes

    def measure(self, projected: Pattern, rng: np.random.Generator) -> Recording:
        """See `crystalvision.contracts.Instrument.measure`: nothing is drawn."""
        return Recording(projected.intensity.cpu().numpy().astype(np.float32))
