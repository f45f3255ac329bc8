"""Defects, one file each."""
