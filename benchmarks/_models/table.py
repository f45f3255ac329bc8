"""What was measured, as Markdown on a page."""

import math
from collections.abc import Sequence

from _models.settings import Result


def render(document: Result) -> str:
    """The sections that are there, in words and tables."""
    sections = document["sections"]
    parts = [f"# The backbones on a {'CPU' if document['device'] == 'cpu' else 'GPU'}"]
    machines = {name: _machine(section["machine"]) for name, section in sections.items()}
    alike = len(set(machines.values())) == 1
    parts += [f"{next(iter(machines.values()))}. {_RATIOS}" if alike else _RATIOS]
    for name, (title, write) in _SECTIONS.items():
        if name in sections:
            section = sections[name]
            parts += [f"## {title}", *([] if alike else [f"{machines[name]}."])]
            parts += [write(section), f"`{section['command']}`{_load(section['machine'])}"]
    return "\n\n".join(parts) + "\n"


_RATIOS = "Ratios are medians of pairs taken in turn, least to greatest in brackets."


def _machine(machine: Result) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in machine["versions"].items())
    words = [machine.get("gpu"), machine["processor"], _threads(machine)]
    words += [machine["system"], f"Python {machine['python']}", versions]
    return "; ".join(word for word in words if word)


def _load(machine: Result) -> str:
    loads = machine["load_average"]
    return f", load {loads[0]:.1f} afterwards" if loads else ""


def _threads(machine: Result) -> str:
    return "1 thread" if machine["threads"] == 1 else f"{machine['threads']} threads"


def _speed(section: Result) -> str:
    measured, settings = section["measured"], section["settings"]
    models = measured["models"]
    text = (
        f"Training on images of {settings['size']}×{settings['size']}, one channel, random: "
        "forward, backward, SGD with momentum, float32. Tensors: the most memory that all tensors "
        "of a step took; process: by how much the process grew at most, start-up left out. FLOP/s "
        "count matrix products and convolutions alone. Smaller batches are of networks of which "
        f"{settings['batch']} images take more than {settings['step_seconds']:g} s."
    )
    head = ["backbone", "parameters [10⁶]", "GFLOP an image", "batch", "images/s"]
    head += [f"× {measured['unit']}", "tensors [MiB]", "process [MiB]", "GFLOP/s"]
    head += [f"FLOP/s × {measured['unit']}"]
    rows = []
    for name, model in sorted(models.items(), key=lambda item: -item[1]["over_unit"]["median"]):
        process = model["process_growth_mib"]
        rows.append(
            [
                name,
                f"{model['parameters'] / 1e6:.3g}",
                f"{model['training_flops'] / 1e9:.3g}",
                str(model["batch"]),
                f"{model['images_a_second']['median']:.3g}",
                _spread(model["over_unit"]),
                f"{model['peak_tensor_mib']:,.0f}",
                "" if math.isnan(process) else f"{process:,.0f}",
                f"{model['flops_a_second']['median'] / 1e9:.3g}",
                _spread(model["flops_over_unit"]),
            ]
        )
    text += "\n\n" + _grid(head, rows)
    if any("variants" in model for model in models.values()):
        text += "\n\n" + _variants(models)
    if measured["skipped"]:
        lines = [f"- {name}: {reason}" for name, reason in measured["skipped"].items()]
        text += "\n\nSkipped:\n\n" + "\n".join(lines)
    return text


def _variants(models: Result) -> str:
    """Images/s in the ways that a GPU has, over float32."""
    names = list(next(iter(models.values()))["variants"])
    rows = []
    for model, measured in models.items():
        cells = [_variant(measured["variants"][name]) for name in names]
        rows.append([model, *cells])
    return (
        "Images a second, ratio to float32 in turn, and memory; `compiled` is bf16, channels_last "
        "and torch.compile together.\n\n" + _grid(["backbone", *names], rows)
    )


def _variant(found: Result) -> str:
    if "skipped" in found:
        return str(found["skipped"])
    rate, memory = found["images_a_second"]["median"], found["peak_tensor_mib"]
    return f"{rate:.3g}/s, {_spread(found['over_float32'])}, {memory:,.0f} MiB"


def _dnsnet(section: Result) -> str:
    measured = section["measured"]
    ours, unit = measured["model"], measured["unit"]
    networks = measured["networks"]
    text = (
        f"`{ours}` reaches {_spread(measured['flops_over_unit'])} of the FLOP/s of `{unit}`. It "
        f"computes {networks[ours]['flops_a_byte']:.0f} FLOP for each byte that its convolutions "
        f"must read and write, `{unit}` {networks[unit]['flops_a_byte']:.0f}. Where the time of a "
        "step goes (an operation of the backward pass counts with the one that it undoes):"
    )
    rows = []
    for kind in networks[ours]["shares"]:
        seconds = [
            network["shares"][kind]["median"] / network["images_a_second"]["median"]
            for network in networks.values()
        ]
        shares = [f"{network['shares'][kind]['median']:.0%}" for network in networks.values()]
        rows.append([kind, *shares, *(f"{1e3 * value:.3g}" for value in seconds)])
    head = ["", *(f"{name}, share" for name in networks)]
    head += [f"{name}, ms an image" for name in networks]
    text += "\n\n" + _grid(head, rows)
    flops = ", ".join(
        f"`{name}` {network['flops_a_second']['median'] / 1e9:.3g} GFLOP/s of "
        f"{network['training_flops'] / 1e9:.3g} GFLOP an image"
        for name, network in networks.items()
    )
    share = networks[ours]["shares"]["convolution"]["median"]
    alone = measured["flops_over_unit"]["median"] / share
    alone *= networks[unit]["shares"]["convolution"]["median"]
    return text + (
        f"\n\nIn all, {flops}. Counting the time of convolutions alone, those of `{ours}` reach "
        f"{alone:.2f} of the FLOP/s of those of `{unit}`; the rest of the difference is what goes "
        "between them, which moves bytes and hardly computes."
    )


def _epoch(section: Result) -> str:
    measured = section["measured"]
    size = measured["size"]
    text = (
        f"`{measured['model']}`, {measured['images']} images of {size}×{size} in batches of "
        f"{measured['batch']}, at hand in memory. The paper's took {measured['paper_seconds']:g} s "
        "on its workstation. FLOP floor: the convolutions' operations at the rate of a large "
        "matrix product here. Byte floor: what the convolutions must read and write, at the rate "
        "of a copy here, with all else fused into them."
    )
    if size != 1024:
        text += f" *Images of {size} pixels, not of 1024, and from some steps only.*"
    rows = []
    for name, found in measured["variants"].items():
        if "skipped" in found:
            rows.append([name, found["skipped"], "", "", ""])
            continue
        rows.append(
            [
                name,
                _spread(found["seconds"]),
                f"{found['flop_floor_seconds']:.3g}",
                f"{found['byte_floor_seconds']:.3g}",
                f"{found['peak_tensor_mib'] / 1024:.3g}",
            ]
        )
    head = ["", "epoch [s]", "FLOP floor [s]", "byte floor [s]", "memory [GiB]"]
    return text + "\n\n" + _grid(head, rows)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _spread(values: Result) -> str:
    return f"{values['median']:.3g} ({values['min']:.3g}–{values['max']:.3g})"


_SECTIONS = {
    "speed": ("Training speed and memory", _speed),
    "dnsnet": ("What holds the paper's network where it is", _dnsnet),
    "epoch": ("The paper's epoch", _epoch),
}
