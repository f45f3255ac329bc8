"""Backbones: from images to feature maps. A new one is one file here and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_backbones() -> Mapping[str, str]:
    """The backbones that come with the toolkit."""
    return {
        "dnsnet": "crystalvision_backbones.dnsnet:DnsNet",
        "dnsnet-small": "crystalvision_backbones.dnsnet_presets:dnsnet_small",
        "dnsnet-tiny": "crystalvision_backbones.dnsnet_presets:dnsnet_tiny",
        "alexnet": "crystalvision_backbones.torchvision_models:alexnet",
        "vgg16": "crystalvision_backbones.torchvision_models:vgg16",
        "resnet-1d": "crystalvision_backbones.resnet_1d:ResNet1d",
        "resnet18": "crystalvision_backbones.torchvision_models:resnet18",
        "resnet50": "crystalvision_backbones.torchvision_models:resnet50",
        "resnet101": "crystalvision_backbones.torchvision_models:resnet101",
        "densenet121": "crystalvision_backbones.torchvision_models:densenet121",
        "efficientnet-b0": "crystalvision_backbones.torchvision_models:efficientnet_b0",
        "efficientnet-b5": "crystalvision_backbones.torchvision_models:efficientnet_b5",
        "convnext-tiny": "crystalvision_backbones.torchvision_models:convnext_tiny",
        "torchvision": "crystalvision_backbones.torchvision_models:torchvision_backbone",
        "vit-small": "crystalvision_backbones.timm_models:vit_small",
        "xception": "crystalvision_backbones.timm_models:xception",
        "xrdnet": "crystalvision_backbones.xrdnet:XrdNet",
        "ziletti": "crystalvision_backbones.ziletti:Ziletti",
        "timm": "crystalvision_backbones.timm_models:timm_backbone",
    }
