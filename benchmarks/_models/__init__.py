"""The parts of the model benchmark, a module each."""
