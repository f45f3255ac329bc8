"""Renderers: from specimen to calibrated pattern."""
