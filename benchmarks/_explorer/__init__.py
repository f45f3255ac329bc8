"""Drives the explorer in a real browser: the command, a page, and how long it takes to answer."""
