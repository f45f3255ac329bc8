"""Instruments: what records a pattern, between the renderer and the stored numbers."""
