"""Backbones from timm: one adaptor for all of them, and the names we register."""

from functools import partial

import timm

from crystalvision_backbones._adapted import (
    AdaptedBackbone,
    Arguments,
    build,
    check_model,
)
from crystalvision_backbones._checks import check_in_channels

_ANY_SIZE: tuple[dict[str, object], ...] = (
    {"dynamic_img_size": True, "dynamic_img_pad": True},  # vision transformers
    {"strict_img_size": False},  # Swin and its kin
    {},
)
"""What timm calls it that images may have any size, where a network has to be told."""


def timm_backbone(
    model: str, in_channels: int, *, arguments: Arguments | None = None
) -> AdaptedBackbone:
    """Any network of timm, without its pooling and classifier.

    Vision transformers interpolate their positional embeddings to the image, which is filled up to
    whole patches; the map is that of the patches.

    Args:
        model: Its name in timm, such as resnet34.
        in_channels: Channels of the images; the first convolution is made for them.
        arguments: Further arguments of the network's own constructor, such as
            {drop_path_rate: 0.1}.

    Raises:
        InputError: No such model, an argument that it does not take, or a network that takes
            images of one size alone.
    """
    check_in_channels(in_channels)
    # After a dot comes the name of trained weights, as in resnet50.a1_in1k.
    check_model("timm", model.partition(".")[0], timm.list_models())
    make = partial(
        timm.create_model,
        model,
        pretrained=False,
        in_chans=in_channels,
        num_classes=0,
        global_pool="",
    )
    return AdaptedBackbone(model, build(model, make, _ANY_SIZE, arguments), in_channels)


def _registered(model: str, text: str) -> "partial[AdaptedBackbone]":
    factory = partial(timm_backbone, model)
    factory.__doc__ = f"{text}, from timm."
    return factory


vit_small = _registered(
    "vit_small_patch16_224",
    "Vision transformer S/16 (Dosovitskiy et al. 2021, arXiv:2010.11929)",
)
xception = _registered("legacy_xception", "Xception as in Keras (Chollet 2017, arXiv:1610.02357)")
