"""What the process of a cell does: train, judge, and tell how it goes.

It reads its job from the standard input and ends when that closes, so that it does not outlive who
started it. On the standard output it writes JSON, a line a message; what plugins print goes to the
standard error.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._job import Job
from crystalvision.benchmarks._outcome import Outcome, outcome_of

Send = Callable[[dict[str, Any]], None]


def main() -> None:
    """Do the job on the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)

        def send(message: dict[str, Any]) -> None:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

        job = Job.model_validate_json(sys.stdin.buffer.readline())
        threading.Thread(target=_end_with_the_parent, daemon=True).start()
        try:
            do(job, send)
            outcome = Outcome(status="ok")
        except BaseException as error:  # a plugin may raise anything, SystemExit too
            outcome = outcome_of(error)
        send({"outcome": outcome.model_dump()})


def do(job: Job, send: Send) -> None:
    """Train the cell's run and judge it, as far as that is not done.

    A test that fails keeps no other from being made.

    Raises:
        Exception: Whatever training raises, or the first test that failed.
    """
    import torch

    from crystalvision.plugins import Catalogue
    from crystalvision.runs import Run

    os.chdir(job.folder)
    if job.device == "cpu":
        torch.set_num_threads(1)  # sums are then the same, however many cells run at a time
    catalogue = Catalogue.load(job.selection)
    path = Path(job.run)
    if not (path / "run.yaml").is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _train(job, catalogue, send)
    if job.tests:
        run = Run.load(path, catalogue)
        errors = []
        for name, data in job.tests.items():
            try:
                _judge(job, run, catalogue, name, data, send)
            except Exception as error:  # whatever a plugin raises: the other tests go on
                errors.append(error)
        if errors:
            raise errors[0]


def _train(job: Job, catalogue: Any, send: Send) -> None:
    from crystalvision.datasets import Dataset
    from crystalvision.runs import train_classical_run, train_run
    from crystalvision.training import ClassicalExperiment, Machine, check_experiment

    experiment = check_experiment(job.experiment, job.run)
    dataset = Dataset.open(job.dataset)
    if isinstance(experiment, ClassicalExperiment):
        send({"now": "fitting"})
        train_classical_run(experiment, dataset, job.run, catalogue=catalogue, command=job.command)
        return
    train_run(
        experiment,
        dataset,
        job.run,
        catalogue=catalogue,
        machine=Machine.called(job.device),
        listener=_ProgressSender(send),
        selection=job.selection,
        command=job.command,
    )


def _judge(job: Job, run: Any, catalogue: Any, name: str, data: str, send: Send) -> None:
    import torch

    from crystalvision.benchmarks._table import is_judged
    from crystalvision.datasets import Dataset
    from crystalvision.evaluation import evaluate, load_metrics, save

    dataset = Dataset.open(data)
    done = Path(job.run) / "evaluations" / name
    if is_judged(Path(job.run), name) and load_metrics(done).dataset_identity == dataset.identity:
        return
    send({"now": f"testing on {name}"})
    evaluation = evaluate(
        run,
        dataset,
        catalogue=catalogue,
        split="all",
        device=torch.device(job.device),
        despite=job.despite[name],
    )
    for note in evaluation.metrics.conditions.notes:
        send({"note": note})
    save(evaluation, Path(job.run), name)


def _end_with_the_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)  # at once: nothing may be written any more


class _ProgressSender:
    """Tells how a training goes."""

    def __init__(self, send: Send) -> None:
        self._tell = send

    def note(self, text: str) -> None:
        self._tell({"note": text})

    def phase_started(self, name: str, train: tuple[str, ...], epochs: int) -> None:
        del train
        self._tell({"now": f"{name}, {epochs} epochs to go"})

    def epoch_ended(self, record: Any) -> None:
        self._tell({"now": f"{record.phase} {record.epoch}/{record.epochs}"})

    def phase_ended(self, record: Any) -> None:
        """The next phase tells, or the end."""


if __name__ == "__main__":
    main()
