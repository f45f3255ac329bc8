"""The paper's network beside the unit: operations a second, and where the time goes."""

from _models.child import Child, started
from _models.settings import Result, Run
from _models.speed import job
from _models.timing import pairs, ratios, spread

_NAME = "dnsnet"
_PROFILES = 3


def measure(run: Run) -> Result:
    """FLOP/s of both, in pairs, and the shares of a step's time, medians of some steps."""
    name = run.models[0] if run.models else _NAME
    with started(job(run, run.unit)) as unit, started(job(run, name)) as child:
        ours, theirs = pairs(child, unit, run.rounds)
        networks = {name: _network(child, ours), run.unit: _network(unit, theirs)}
    factor = networks[name]["training_flops"] / networks[run.unit]["training_flops"]
    result: Result = {
        "model": name,
        "unit": run.unit,
        "flops_over_unit": ratios(ours, theirs, factor),
        "networks": networks,
    }
    run.say(f"  {name}: {result['flops_over_unit']['median']:.2f} of the FLOP/s of {run.unit}")
    return result


def _network(child: Child, rates: list[float]) -> Result:
    flops, moved = child.facts["training_flops"], child.facts["training_bytes"]
    steps = [child.ask("shares") for _ in range(_PROFILES)]
    return {
        "batch": child.facts["batch"],
        "images_a_second": spread(rates),
        "training_flops": flops,
        "training_bytes": moved,
        "flops_a_byte": flops / moved,
        "flops_a_second": spread([rate * flops for rate in rates]),
        "shares": {kind: spread([step[kind] for step in steps]) for kind in steps[0]},
    }
