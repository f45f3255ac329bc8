"""What augmentations ask of the channels of an image."""

from crystalvision.errors import InputError


def check_one_channel(name: str, channels: int) -> None:
    """Refuse images of several channels, which a turn of the crystal may exchange.

    It does so with a fingerprint's, which are patterns along three axes.

    Args:
        name: The augmentation that turns them.
        channels: Channels of an image.

    Raises:
        InputError: There are several.
    """
    if channels > 1:
        raise InputError(
            f"augmentation '{name}' turns images of one channel; these have {channels}, which a "
            "turn of the crystal may exchange, as it does those of a fingerprint; leave it out "
            "(augment: none)"
        )
