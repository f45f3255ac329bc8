"""What a run folder says about itself to whoever opens it."""

from crystalvision.runs._record import RunRecord
from crystalvision.text import command_line, one_line
from crystalvision.training import ClassicalExperiment

README = "README.txt"

_TEXT = """\
A system trained by CrystalVision {version}: {parts}.

{phases}

Trained on {dataset}
({samples} patterns, identity {identity})
in {minutes:.1f} min on {device}{threads}{together}.{adapted}
{command}
{files}

Next, with the paths of this folder and of your data:

  crystalvision evaluate RUN -d DATA.zarr
  crystalvision predict RUN IMAGES
  crystalvision report RUN OTHER-RUN -o report.html
{last}"""
_FILES = {
    "run.yaml": "the experiment with everything filled in, the dataset, the plugins and versions",
    "weights.safetensors": "the weights; no pickle, safe to open",
    "features.safetensors": "what the features learned",
    "estimator.skops": "the estimator; no pickle, checked before it is opened",
    "calibration.json": "temperatures, limits of the flags, fitted to the validation split",
    "reference.safetensors": "training patterns' descriptions, which the reject flag compares with",
    "metrics.csv": "one row for each epoch",
    "split.csv": "which pattern of the dataset was in which split",
    "figures/": "training curves",
    "tensorboard/": "the same for TensorBoard",
    "evaluations/": "what crystalvision evaluate has found, if it has run",
}
_OF_NETWORKS = {"weights.safetensors", "figures/", "tensorboard/"}
_OF_CLASSICAL = {"features.safetensors", "estimator.skops"}


def describe(record: RunRecord) -> str:
    """The text of the run folder's README."""
    phases = "\n".join(
        f"phase {one_line(phase.name)}: {phase.epochs} epochs, kept epoch {phase.best_epoch} "
        f"({phase.monitor.replace('_', ' ')} {phase.best_value:.4f})"
        for phase in record.phases
    )
    classical = isinstance(record.experiment, ClassicalExperiment)
    absent = _OF_NETWORKS if classical else _OF_CLASSICAL
    command = f"\n  {command_line(*record.command)}\n" if record.command else ""
    return _TEXT.format(
        version=record.environment.get("crystalvision", ""),
        parts=", ".join(one_line(f"{plugin.kind} {plugin.name}") for plugin in record.plugins),
        phases=phases,
        dataset=one_line(record.dataset.path),
        samples=record.dataset.samples,
        identity=record.dataset.identity,
        minutes=record.training_seconds / 60,
        device=record.device,
        threads=_threads(record),
        together=f", {record.processes} processes together" if record.processes > 1 else "",
        adapted=_adapted(record),
        command=command,
        files="\n".join(f"{name:23}{_FILES[name]}" for name in _FILES if name not in absent),
        last="" if classical else "  tensorboard --logdir RUN/tensorboard\n",
    )


def _adapted(record: RunRecord) -> str:
    """To what its batch statistics were adapted, which its labels did not need."""
    made = record.adapted
    if made is None:
        return ""
    return (
        f"\nBatch statistics of {one_line(made.run)} adapted to {made.patterns} patterns without "
        f"labels: {one_line(', '.join(made.sources))}."
    )


def _threads(record: RunRecord) -> str:
    """What gives the same weights again, to the last digit."""
    threads = record.environment.get("threads", "")
    if record.device != "cpu" or not threads.isdigit():
        return ""
    return f" with OMP_NUM_THREADS={int(threads) * record.processes}"
