"""Colours of made pictures: a few hues that go together, dark to light."""
import numpy as np


def hsv(h, s, v):
    """Hue, saturation, value arrays (0..1) to RGB 0..255."""
    k = (np.asarray(h)[..., None] * 6 + np.array([5, 3, 1])) % 6
    rgb = np.asarray(v)[..., None] * (1 - np.asarray(s)[..., None] * np.clip(np.minimum(k, 4 - k), 0, 1))
    return (255 * rgb).astype(np.float32)


def palette(rng, n=None):
    """`n` colours [n,3], 0..255: one to three clusters of hue, their own span of lightness, now and then an accent."""
    n = n or int(rng.integers(3, 9))
    hues = rng.random(int(rng.integers(1, 4)))
    h = rng.choice(hues, n) + rng.normal(0, 0.05, n)
    s = np.clip(rng.beta(1.5, 2) + rng.normal(0, 0.2, n), 0, 1)
    lo, hi = sorted(rng.random(2))
    v = np.linspace(max(0.0, lo - 0.15), min(1.0, hi + 0.3), n)
    colours = hsv(h, s, v)
    if rng.random() < 0.25:
        colours[rng.integers(n)] = hsv(rng.random(), 1.0, rng.uniform(0.6, 1))
    return colours


def tint(rng, field, colours=None):
    """Colours a field in 0..1: a ramp through a palette in order of lightness, or steps of it."""
    colours = palette(rng) if colours is None else colours
    if rng.random() < 0.3:  # flat areas
        return colours[np.minimum((field * len(colours)).astype(int), len(colours) - 1)]
    if rng.random() < 0.3:
        colours = rng.permutation(colours)
    at = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(field, at, colours[:, c]) for c in range(3)], -1).astype(np.float32)
