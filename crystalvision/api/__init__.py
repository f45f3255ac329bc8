"""What is used from Python, in a script or a notebook: `import crystalvision as cv`.

Functions and words are those of the commands, which are thin over them: what `--set KEY=VALUE`
changes there is `set={"KEY": value}` here. Datasets, runs and benchmarks show themselves as
pictures and tables in a notebook.
"""
