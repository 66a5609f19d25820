"""Scalar and direction fields over a square plate: noise, steps, mixes, sampling.

Every field is a float32 array of the plate's size; coordinates are pixels of the plate, x to the right, y down.
"""
import numpy as np
from PIL import Image


def grid(size):
    """Pixel coordinates x, y."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    return x, y


def resize(a, width, height, how=Image.Resampling.BICUBIC):
    return np.asarray(Image.fromarray(a.astype(np.float32)).resize((width, height), how))


def noise(rng, size, cell, aspect=1.0):
    """Smooth value noise in 0..1 with cells of `cell` pixels, `aspect` times as wide as high."""
    wide, high = max(2.0, cell * aspect), max(2.0, cell)
    cols, rows = int(size / wide) + 4, int(size / high) + 4
    a = resize(rng.standard_normal((rows, cols)), int(cols * wide), int(rows * high))
    # The resize repeats the border, so one cell is cut off all round.
    a = a[int(high) : int(high) + size, int(wide) : int(wide) + size]
    lo, hi = np.percentile(a, (1, 99))
    return np.clip((a - lo) / (hi - lo), 0, 1).astype(np.float32)


def fbm(rng, size, cell, octaves=4, gain=0.5, aspect=1.0):
    """Sum of noise octaves, each half the cell and `gain` times the weight of the one before, in 0..1."""
    total, weight, norm = 0.0, 1.0, 0.0
    for _ in range(octaves):
        total = total + weight * noise(rng, size, cell, aspect)
        norm, weight, cell = norm + weight, weight * gain, cell / 2
    a = total / norm
    lo, hi = np.percentile(a, (1, 99))
    return np.clip((a - lo) / (hi - lo), 0, 1).astype(np.float32)


def step(a, lo, hi):
    """Smooth 0..1 step of `a` between lo and hi (hi below lo: a falling one)."""
    t = np.clip((a - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, t):
    """a where t = 0, b where t = 1; t a field, a and b colours or colour fields."""
    t = np.asarray(t)[..., None]
    return a * (1 - t) + b * t


def ramp(stops, t):
    """Colours along `stops` [(position, rgb), ...] for a field t."""
    at = [s[0] for s in stops]
    return np.stack([np.interp(t, at, [s[1][c] for s in stops]) for c in range(3)], -1).astype(np.float32)


def at(field, xy):
    """The field's values at points (..., 2); points outside take the border's value."""
    h, w = field.shape[:2]
    x = np.clip(np.rint(xy[..., 0]).astype(int), 0, w - 1)
    y = np.clip(np.rint(xy[..., 1]).astype(int), 0, h - 1)
    return field[y, x]


def blur(a, sigma):
    """Gaussian blur with reflected borders, separable."""
    if sigma <= 0:
        return a
    r = int(3 * sigma + 1)
    k = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
    k = (k / k.sum()).astype(np.float32)
    for axis in (0, 1):
        p = np.pad(a, [(r, r) if d == axis else (0, 0) for d in range(a.ndim)], mode="reflect")
        a = sum(w * np.take(p, range(i, i + a.shape[axis]), axis) for i, w in enumerate(k))
    return a.astype(np.float32)


def along(psi):
    """The angle of the level lines of `psi`: where a stroke that follows a contour goes."""
    gy, gx = np.gradient(psi)
    return np.arctan2(gx, -gy)


def shrink(a, factor):
    """Mean over blocks of `factor` pixels: the end of supersampling."""
    h, w = a.shape[0] // factor, a.shape[1] // factor
    return a[: h * factor, : w * factor].reshape(h, factor, w, factor, -1).mean((1, 3))


def to_bytes(a):
    return np.clip(np.rint(a), 0, 255).astype(np.uint8)
