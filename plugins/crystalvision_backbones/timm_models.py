"""Backbones from timm: one adaptor for all of them, and the names we register."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import huggingface_hub
import timm

from crystalvision_backbones._adapted import (
    AdaptedBackbone,
    Arguments,
    build,
    check_model,
)
from crystalvision_backbones._checks import check_in_channels
from crystalvision_backbones._weights import Published, checkpoints, load_weights

_ANY_SIZE: tuple[dict[str, object], ...] = (
    {"dynamic_img_size": True, "dynamic_img_pad": True},  # vision transformers
    {"strict_img_size": False},  # Swin and its kin
    {},
)
"""What timm calls it that images may have any size, where a network has to be told."""


def timm_backbone(
    model: str,
    in_channels: int,
    *,
    weights: str | None = None,
    arguments: Arguments | None = None,
) -> AdaptedBackbone:
    """Any network of timm, without its pooling and classifier.

    Vision transformers interpolate their positional embeddings to the image, which is filled up to
    whole patches; the map is that of the patches.

    Args:
        model: Its name in timm, such as resnet34.
        in_channels: Channels of the images; the first convolution is made for them.
        weights: Weights to begin with: imagenet, the path of a file .safetensors or .pth, or
            RUN#BRANCH, a branch of another run. The first convolution is adapted to the channels.
        arguments: Further arguments of the network's own constructor, such as
            {drop_path_rate: 0.1}.

    Raises:
        InputError: No such model or weights, an argument that it does not take, or a network that
            takes images of one size alone.
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
    network = build(model, make, _ANY_SIZE, arguments)
    backbone = AdaptedBackbone(model, network, in_channels)
    about: dict[str, Any] = getattr(network, "pretrained_cfg", {})
    classifier = about.get("classifier") or ()
    load_weights(
        model,
        network,
        weights,
        published=partial(_published, about),
        readers=[classifier] if isinstance(classifier, str) else list(classifier),
    )
    return backbone


def _published(about: Mapping[str, Any]) -> Published | None:
    """Weights of a network that was trained, last of all, on the 1000 classes of ImageNet.

    Args:
        about: What timm knows of them.
    """
    repository, url = about.get("hf_hub_id"), about.get("url")
    if about.get("num_classes") != 1000 or not (repository or url):
        return None
    if not repository:
        return Published([checkpoints() / str(url).rpartition("/")[2]], str(url))
    file = "model.safetensors"
    places = [checkpoints() / f"{str(repository).rpartition('/')[2]}.safetensors"]
    cached = huggingface_hub.try_to_load_from_cache(str(repository), file)
    if isinstance(cached, str):
        places.append(Path(cached))
    return Published(places, f"{file} of the Hugging Face repository {repository}")


def _registered(model: str, text: str) -> "partial[AdaptedBackbone]":
    factory = partial(timm_backbone, model)
    factory.__doc__ = f"{text}, from timm."
    return factory


vit_small = _registered(
    "vit_small_patch16_224",
    "Vision transformer S/16 (Dosovitskiy et al. 2021, arXiv:2010.11929)",
)
xception = _registered(
    "legacy_xception", "Xception, eight middle blocks (Chollet 2017, arXiv:1610.02357)"
)
