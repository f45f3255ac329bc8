"""Estimators: one file each."""
