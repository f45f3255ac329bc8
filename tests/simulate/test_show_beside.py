"""A measured picture beside simulated ones: one scale, one range of colours."""

import h5py
import numpy as np
import pytest
from PIL import Image

from crystalvision.cli import main
from crystalvision.contracts import Axis
from crystalvision.errors import InputError
from crystalvision_simulate.pictures import Panel, draw_beside


def panel(title, *, size=64, scale=0.03, factor=1.0, dark=0.0):
    """A Gaussian of one width in 1/Å, on any pixels."""
    axes = tuple(
        Axis(name=name, size=size, scale=scale, offset=-(size // 2) * scale)
        for name in ("q_y", "q_x")
    )
    far = np.hypot(axes[0].values()[:, None], axes[1].values()[None, :])
    return Panel(title, factor * np.exp(-0.5 * (far / 0.3) ** 2) + dark, None, axes)


def test_other_pixels_doses_and_offsets_give_the_same_density():
    first = panel("one")
    others = [panel("fine", size=128, scale=0.015, factor=7.0), panel("dark", dark=-50.0)]
    expected = first.profile(0.9)
    for other in others:
        radius, mean = other.profile(0.9)
        assert np.interp(0.3, radius, mean) == pytest.approx(np.interp(0.3, *expected), rel=0.03)
    figure = draw_beside([first, *others])
    shown = figure.axes[:3]
    assert len({axes.get_xlim() for axes in shown}) == 1
    assert len({axes.images[0].get_clim() for axes in shown}) == 1
    texts = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    assert not any("$" in text for text in texts)


def test_pictures_without_a_common_part_are_refused():
    with pytest.raises(InputError, match="next to nothing in common: one reaches to"):
        draw_beside([panel("one"), panel("two", scale=0.003)])


def write_emd(path):
    axes = panel("").axes
    with h5py.File(path, "w") as file:
        group = file.create_group("data/picture")
        group.attrs["emd_group_type"] = 1
        group["data"] = np.random.default_rng(0).poisson(9.0, (64, 64)).astype(np.float32)
        for number, axis in enumerate(axes, start=1):
            dimension = group.create_dataset(f"dim{number}", data=axis.values() * 10)
            dimension.attrs.update(name=axis.name, units="[1/nm]")


def test_the_command_draws_a_recipe_beside_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_emd(tmp_path / "measured.emd")
    (tmp_path / "recipe.yaml").write_text(
        "extends: aluminium-four-classes\nname: small\n"
        "specimen: {zone_axis: [0, 0, 1], width_angstrom: 16, thickness_angstrom: 20}\n"
        "renderer: {name: kinematic}\n"
        "instrument: {name: area-detector, pixels: 32, pixel_size_inv_angstrom: 0.05,"
        " dose_electrons: 1e5}\n"
    )
    assert main(["show", "measured.emd", "recipe.yaml", "--class", "pristine"]) == 0
    assert "measured-recipe.png" in capsys.readouterr().out
    assert np.asarray(Image.open("measured-recipe.png").convert("L")).std() > 20
    np.save("plain.npy", np.ones((8, 8)))
    assert main(["show", "plain.npy", "recipe.yaml", "-o", "x.png"]) == 2
    assert "states no pixels in 1/Å" in " ".join(capsys.readouterr().err.split())
    assert main(["show", "aluminium", "recipe.yaml", "-o", "x.png"]) == 2
    assert "beside a measured picture" in " ".join(capsys.readouterr().err.split())
