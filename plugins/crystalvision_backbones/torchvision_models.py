"""Backbones from torchvision: one adaptor for all of them, and the names we register."""

import re
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

import torchvision.models
from torch import nn

from crystalvision_backbones._adapted import (
    AdaptedBackbone,
    Arguments,
    build,
    check_model,
)
from crystalvision_backbones._checks import check_in_channels
from crystalvision_backbones._first_convolution import set_in_channels
from crystalvision_backbones._weights import Published, checkpoints, load_weights

_READERS = {"avgpool", "classifier", "fc", "head", "heads"}
"""What torchvision calls the layers that read the feature map."""


_DENSENET = re.compile(r"\.(norm|conv)\.([12])\.")
"""In the published weights of DenseNet, layers have the names they had before 2018."""


def torchvision_backbone(
    model: str,
    in_channels: int,
    *,
    weights: str | None = None,
    arguments: Arguments | None = None,
) -> AdaptedBackbone:
    """Any image classifier of torchvision, without its pooling and classifier.

    Args:
        model: Its name in torchvision, such as mobilenet_v3_small.
        in_channels: Channels of the images; the first convolution is made for them.
        weights: Weights to begin with: imagenet, the path of a file .safetensors or .pth, or
            RUN#BRANCH, a branch of another run. The first convolution is adapted to the channels.
        arguments: Further arguments of the network's own constructor, such as
            {stochastic_depth_prob: 0.1}.

    Raises:
        InputError: No such model or weights, an argument that it does not take, or a network that
            takes images of one size alone.
    """
    check_in_channels(in_channels)
    check_model("torchvision", model, torchvision.models.list_models(module=torchvision.models))
    wishes = (
        # The second classifiers of GoogLeNet and Inception are no part of a backbone.
        {"weights": None, "aux_logits": False, "init_weights": True},
        {"weights": None},
    )
    network = build(model, partial(torchvision.models.get_model, model), wishes, arguments)
    trunk = nn.Sequential(OrderedDict(_layers(network)))
    set_in_channels(model, trunk, in_channels)
    backbone = AdaptedBackbone(model, trunk, in_channels)
    load_weights(
        model,
        trunk,
        weights,
        published=partial(_published, model),
        readers=[name for name, _ in network.named_children() if name not in trunk._modules],
    )
    return backbone


def _published(model: str) -> Published | None:
    """Weights that torchvision's makers trained on ImageNet, best first."""
    choices = torchvision.models.get_model_weights(model)
    urls = [each.url for each in (choices.DEFAULT, *choices)] if len(choices) else []
    if not urls:
        return None
    places = [checkpoints() / url.rpartition("/")[2] for url in urls]
    return Published(places, urls[0], rename=partial(_DENSENET.sub, r".\1\2."))


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers that make the feature map, under torchvision's own names."""
    for name, layer in network.named_children():
        if name in _READERS or isinstance(layer, nn.AdaptiveAvgPool2d):
            break
        yield name, layer
    if isinstance(network, torchvision.models.DenseNet):
        yield "relu", nn.ReLU(inplace=True)  # there it is part of forward, not a layer


def _registered(model: str, text: str) -> "partial[AdaptedBackbone]":
    factory = partial(torchvision_backbone, model)
    factory.__doc__ = f"{text}, from torchvision."
    return factory


alexnet = _registered("alexnet", "AlexNet (Krizhevsky 2014, arXiv:1404.5997)")
vgg16 = _registered("vgg16", "VGG-16 (Simonyan & Zisserman 2015, arXiv:1409.1556)")
resnet18 = _registered("resnet18", "ResNet-18 (He et al. 2016, arXiv:1512.03385)")
resnet50 = _registered("resnet50", "ResNet-50 (He et al. 2016, arXiv:1512.03385)")
resnet101 = _registered("resnet101", "ResNet-101 (He et al. 2016, arXiv:1512.03385)")
densenet121 = _registered("densenet121", "DenseNet-121 (Huang et al. 2017, arXiv:1608.06993)")
efficientnet_b0 = _registered("efficientnet_b0", "EfficientNet-B0 (Tan, Le 2019, arXiv:1905.11946)")
efficientnet_b5 = _registered("efficientnet_b5", "EfficientNet-B5 (Tan, Le 2019, arXiv:1905.11946)")
convnext_tiny = _registered("convnext_tiny", "ConvNeXt-T (Liu et al. 2022, arXiv:2201.03545)")
