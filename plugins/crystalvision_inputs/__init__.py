"""What networks see of raw patterns, step by step. A new one is one file and one line below."""

from collections.abc import Mapping

from crystalvision import hookimpl


@hookimpl
def crystalvision_inputs() -> Mapping[str, str]:
    """The inputs that come with the toolkit."""
    return {
        "bin": "crystalvision_inputs.bin:Bin",
        "clip": "crystalvision_inputs.clip:Clip",
        "crop": "crystalvision_inputs.crop:Crop",
        "fft-filter": "crystalvision_inputs.fft_filter:FftFilter",
        "lattice": "crystalvision_inputs.lattice:Lattice",
        "log1p": "crystalvision_inputs.log1p:Log1p",
        "mask-channel": "crystalvision_inputs.mask_channel:MaskChannel",
        "max-scale": "crystalvision_inputs.max_scale:MaxScale",
        "polar": "crystalvision_inputs.polar:Polar",
        "power": "crystalvision_inputs.power:Power",
        "snip": "crystalvision_inputs.snip:Snip",
        "sqrt": "crystalvision_inputs.sqrt:Sqrt",
        "standardise": "crystalvision_inputs.standardise:Standardise",
    }
