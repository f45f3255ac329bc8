"""Heads: from features to what is told of a pattern. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_heads() -> Mapping[str, str]:
    """The heads that come with the toolkit."""
    return {
        "dense": "crystalvision_heads.dense:DenseHead",
        "embedding": "crystalvision_heads.embedding:CosineHead",
        "fractions": "crystalvision_heads.fractions:FractionsHead",
        "joint": "crystalvision_heads.joint:JointHead",
        "ordinal": "crystalvision_heads.ordinal:OrdinalHead",
        "perceptron": "crystalvision_heads.perceptron:Perceptron",
        "regression": "crystalvision_heads.regression:RegressionHead",
        "scores": "crystalvision_heads.scores:ScoresHead",
        "severity": "crystalvision_heads.severity:SeverityHead",
        "softmax": "crystalvision_heads.softmax:SoftmaxHead",
    }
