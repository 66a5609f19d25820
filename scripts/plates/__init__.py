"""The style plates' painters: one module a plate, each with `paint(size, rng) -> HxWx3 uint8`."""
