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
        "resnet18": "crystalvision_backbones.resnet:ResNet18",
    }
