"""The explorer: local pages in the browser to look at crystals, datasets, runs and benchmarks.

A page is one module with a `Page`, and one line in `crystalvision.explorer.pages`; what pages share
is a `Workspace`. Modules here import Panel, which comes with the extra `explore`; only
`crystalvision.explorer.start` does not.
"""
