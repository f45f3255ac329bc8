"""Smaller Dns-Nets: the same class with other numbers."""

from functools import partial

from crystalvision_backbones.dnsnet import DnsNet

dnsnet_small = partial(DnsNet, blocks=(4, 4, 4, 4), growth=12, stem_stride=4)
dnsnet_small.__doc__ = """Dns-Net for images of 128 pixels and training on two CPU cores.

Measured: about 190 images of 128×128 pixels a second, forward, backward and optimiser step, in
batches of 32 on two threads; 238,372 weights.
"""

dnsnet_tiny = partial(DnsNet, blocks=(2, 2), growth=4, stem_stride=2)
dnsnet_tiny.__doc__ = "Dns-Net as small as it can be, for tests and first tries."
