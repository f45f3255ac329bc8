"""Powder patterns that were measured, and what names their phases."""
