"""What a run folder says about itself to whoever opens it."""

import shlex

from crystalvision.runs._record import RunRecord

README = "README.txt"

_TEXT = """\
A system trained by CrystalVision {version}: {parts}.

{phases}

Trained on {dataset}
({samples} patterns, identity {identity})
in {minutes:.1f} min on {device}{together}.
{command}
run.yaml             the experiment with everything filled in, the dataset, the plugins and versions
weights.safetensors  the weights; no pickle, safe to open
metrics.csv          one row for each epoch
split.csv            which pattern of the dataset was in which split
figures/             training curves
tensorboard/         the same for TensorBoard
evaluations/         what crystalvision evaluate has found, if it has run

Next, with the paths of this folder and of your data:

  crystalvision evaluate RUN -d DATA.zarr
  crystalvision predict RUN IMAGES
  crystalvision report RUN OTHER-RUN -o report.html
  tensorboard --logdir RUN/tensorboard
"""


def describe(record: RunRecord) -> str:
    """The text of the run folder's README."""
    phases = "\n".join(
        f"phase {phase.name}: {phase.epochs} epochs, kept epoch {phase.best_epoch} "
        f"({phase.monitor.replace('_', ' ')} {phase.best_value:.4f})"
        for phase in record.phases
    )
    command = f"\n  {shlex.join(record.command)}\n" if record.command else ""
    return _TEXT.format(
        version=record.environment.get("crystalvision", ""),
        parts=", ".join(f"{plugin.kind} {plugin.name}" for plugin in record.plugins),
        phases=phases,
        dataset=record.dataset.path,
        samples=record.dataset.samples,
        identity=record.dataset.identity,
        minutes=record.training_seconds / 60,
        device=record.device,
        together=f", {record.processes} processes together" if record.processes > 1 else "",
        command=command,
    )
