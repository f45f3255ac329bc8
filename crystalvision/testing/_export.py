"""Whether a network survives export, compilation and low precision, with the same results."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from crystalvision.testing._require import (
    NotMetError,
    NotTestableError,
    require,
    require_close,
)

Inputs = tuple[Any, ...]
"""What a network is called with: tensors, or mappings of tensors, each with the batch first."""


BATCHES = (1, 2, 3, 9)
"""Exporters fix sizes of one and two by mistake; a batch of many shows what mixes its samples."""


class Exported:
    """A network as `torch.export` has it, for batches of any size.

    Args:
        network: In evaluation mode.
        batch: Gives inputs of so many samples.

    Raises:
        NotMetError: It cannot be exported, or for batches of one size alone.
    """

    def __init__(self, network: nn.Module, batch: Callable[[int], Inputs]) -> None:
        self.network = network.eval()
        self.batch = batch
        with _quiet():
            try:
                inputs = batch(2)
                self.program = torch.export.export(
                    self.network, inputs, dynamic_shapes=_any_batch(inputs)
                )
            except Exception as error:  # dynamo raises errors of many kinds
                raise NotMetError(f"torch.export fails: {_first_line(error)}") from error

    def check(self) -> None:
        """The exported network gives what the network itself gives, in batches of all sizes."""
        for samples in BATCHES:
            inputs = self.batch(samples)
            with torch.no_grad(), _quiet():
                found = self.program.module()(*inputs)
                expected = self.network(*inputs)
            require_close(found, expected, f"torch.export, {samples} samples")

    def check_onnx(self) -> None:
        """The same of ONNX, run by onnxruntime.

        Raises:
            NotMetError: It cannot be exported, or gives something else.
            NotTestableError: onnx, onnxscript or onnxruntime is not installed.
        """
        session = _session(self.program)
        names = [each.name for each in session.get_inputs()]
        for samples in BATCHES:
            inputs = self.batch(samples)
            with torch.no_grad():
                expected = self.network(*inputs)
            tensors = [each.numpy() for each in _tensors(inputs)]
            # Inputs that take no part in the result are kept; their order is that of the call.
            values = dict(zip(names, tensors, strict=True))
            found = torch.from_numpy(session.run(None, values)[0])
            require_close(found, expected, f"ONNX, {samples} samples", 1e-3)


def check_autocast(network: nn.Module, inputs: Inputs) -> None:
    """In evaluation, bfloat16 autocast on the CPU gives nearly the same, within a tenth."""
    network.eval()
    with torch.no_grad():
        expected = network(*inputs)
        with torch.autocast("cpu", torch.bfloat16):
            found = network(*inputs).float()
    require(found.isfinite().all(), "autocast to bfloat16 gives values that are not finite")
    difference = float((found - expected).norm() / expected.norm().clamp_min(1e-12))
    require(difference < 0.1, f"autocast to bfloat16 changes the result by {difference:.0%}")


def check_compiled(network: nn.Module, inputs: Inputs, *, backend: str = "inductor") -> None:
    """`torch.compile` gives the same results and gradients.

    Args:
        network: Any network.
        inputs: What it is called with.
        backend: `inductor` compiles; `aot_eager` captures and differentiates as for it, and stops
            before the code is made.

    Raises:
        NotMetError: It fails, or gives something else.
        NotTestableError: There is no C++ compiler.
    """
    network.eval()
    leaves = [*network.parameters(), *_tensors(inputs)]
    for leaf in leaves:
        leaf.requires_grad_()
    expected = network(*inputs)
    gradients = torch.autograd.grad(expected.square().sum(), leaves, allow_unused=True)
    compiled = torch.compile(network, backend=backend)
    with _quiet():
        try:
            found = compiled(*inputs)
            again = torch.autograd.grad(found.square().sum(), leaves, allow_unused=True)
        except Exception as error:  # inductor raises errors of many kinds
            if type(error).__name__ in {"InvalidCxxCompiler", "MissingCxxCompiler"}:
                raise NotTestableError("torch.compile finds no C++ compiler") from error
            raise NotMetError(f"torch.compile fails: {_first_line(error)}") from error
        finally:
            torch.compiler.reset()
    require_close(found.detach(), expected.detach(), "torch.compile", 1e-3)
    scale = max((float(item.abs().max()) for item in gradients if item is not None), default=0.0)
    for item, other in zip(gradients, again, strict=True):
        if item is not None and other is not None:
            difference = float((item - other).abs().max())
            require(difference <= 1e-2 * scale, f"torch.compile: gradients differ by {difference}")


def _any_batch(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """The batch of every input may have any size, the other dimensions are as they are."""
    batch = {0: torch.export.Dim.DYNAMIC}
    return tuple(dict.fromkeys(each, batch) if isinstance(each, dict) else batch for each in inputs)


def _tensors(inputs: Inputs) -> Iterator[torch.Tensor]:
    """The tensors among the inputs, in their order."""
    for each in inputs:
        yield from each.values() if isinstance(each, dict) else [each]


def _session(program: Any) -> Any:
    try:
        import onnx  # noqa: F401 - told here, or torch tells it less well
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise NotTestableError(
            f"ONNX needs {error.name}: pip install 'crystalvision[export]'"
        ) from error
    with _quiet():
        try:
            made: Any = torch.onnx.export(program, dynamo=True, verbose=False)
            model = made.model_proto.SerializeToString()
        except Exception as error:  # the exporter raises errors of many kinds
            raise NotMetError(f"torch.onnx.export fails: {_first_line(error)}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' warnings, which are about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}"
