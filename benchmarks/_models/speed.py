"""Training speed and peak memory of each backbone, in pairs with the unit."""

from _models.child import Child, Job, started
from _models.settings import Result, Run
from _models.timing import pairs, ratios, spread
from crystalvision.plugins import Catalogue

CUDA_VARIANTS = ("channels_last", "bf16", "compiled")
"""Columns that only a GPU has: `compiled` is bf16, channels_last and torch.compile together."""


def measure(run: Run) -> Result:
    """Every backbone in turn with the unit, which lives through the whole section."""
    result: Result = {"unit": run.unit, "models": {}, "skipped": {}}
    with started(job(run, run.unit)) as unit:
        result["unit_facts"] = unit.facts
        for name in _names(run):
            try:
                result["models"][name] = _beside(run, name, unit)
            except RuntimeError as error:
                result["skipped"][name] = str(error)
                run.say(f"  {name}: skipped: {error}")
                continue
            ratio = result["models"][name]["over_unit"]["median"]
            run.say(f"  {name}: {ratio:.3g} of the images/s of {run.unit}")
    return result


def job(run: Run, name: str, variant: str = "float32") -> Job:
    """What a child of this run trains."""
    return Job(name, run.device, run.threads, run.size, run.batch, run.step_seconds, variant)


def _names(run: Run) -> list[str]:
    """The backbones; of a family, which needs the name of its member, none is chosen."""
    catalogue = Catalogue.load()
    if run.models:
        for name in run.models:
            catalogue.entry("backbone", name)  # a wrong name fails in the first second
        return list(run.models)
    return [
        name
        for name in catalogue.names("backbone")
        if not any(option.required for option in catalogue.entry("backbone", name).options())
    ]


def _beside(run: Run, name: str, unit: Child) -> Result:
    with started(job(run, name)) as child:
        ours, theirs = pairs(child, unit, run.rounds)
        facts = child.facts
    result = facts | {
        "images_a_second": spread(ours),
        "unit_images_a_second": spread(theirs),
        "over_unit": ratios(ours, theirs),
        "flops_a_second": spread([rate * facts["training_flops"] for rate in ours]),
        "flops_over_unit": ratios(
            ours, theirs, facts["training_flops"] / unit.facts["training_flops"]
        ),
    }
    if run.device == "cuda":
        result["variants"] = {variant: _variant(run, name, variant) for variant in CUDA_VARIANTS}
    return result


def _variant(run: Run, name: str, variant: str) -> Result:
    """The same network in another way, in turn with itself in float32."""
    try:
        with started(job(run, name, variant)) as child, started(job(run, name)) as plain:
            ours, theirs = pairs(child, plain, run.rounds)
            return {
                "images_a_second": spread(ours),
                "over_float32": ratios(ours, theirs),
                "peak_tensor_mib": child.facts["peak_tensor_mib"],
            }
    except RuntimeError as error:
        return {"skipped": str(error)}
