"""The parts of the simulation benchmark, a module each."""
