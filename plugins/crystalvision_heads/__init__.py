"""Heads: from pooled features to classes or severity. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_heads() -> Mapping[str, str]:
    """The heads that come with the toolkit."""
    return {
        "perceptron": "crystalvision_heads.perceptron:Perceptron",
        "severity": "crystalvision_heads.severity:SeverityHead",
        "softmax": "crystalvision_heads.softmax:SoftmaxHead",
    }
