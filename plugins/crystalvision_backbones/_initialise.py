"""First weights of networks whose convolutions are followed by ReLU."""

from torch import nn


def initialise(module: nn.Module) -> None:
    """Draw a convolution's weights so that activations keep their size; other modules stay.

    Source: He et al. 2015, arXiv:1502.01852.
    """
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
