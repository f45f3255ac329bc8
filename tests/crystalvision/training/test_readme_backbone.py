"""The README's plugin, word for word, trains by name and is missed once it is gone."""

import re
from pathlib import Path

from crystalvision.cli import main

README = Path(__file__).parents[3] / "README.md"


def test_the_readmes_backbone_trains_as_printed(dataset_path, tmp_path, capsys):
    text = README.read_text(encoding="utf-8")
    (source,) = re.findall(r"block: file my_backbone\.py -->\n```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    plugin, run = tmp_path / "my_backbone.py", tmp_path / "run"
    plugin.write_text(source, encoding="utf-8")
    chosen = ["--set", "system.branches.classifier.backbone=mynet"]
    words = ["train", "single", "-d", str(dataset_path), "-o", str(run), *chosen]
    words += ["--set", "schedule.classifier.epochs=1", "--set", "input.bin.size=1"]
    assert main(["-p", str(plugin), *words]) == 0
    assert main(["-p", str(plugin), "evaluate", str(run), "-d", str(dataset_path)]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(run), "-d", str(dataset_path)]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "mynet" in error
    assert "-p" in error
    assert main([*words, "--overwrite"]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "no backbone is called 'mynet'" in error
    assert "dnsnet, dnsnet-small" in error
