"""Procedural textures: every function takes (rng, size) and returns a field 0..1 or a colour picture 0..255.

Grains, waves, cells, folds, flames: what the leaves of a dead-leaves picture are made of, and pictures of their own.
"""
import numpy as np

from plates import field

from .palettes import palette, tint


def stretch(a):
    lo, hi = np.percentile(a, (1, 99))
    return np.clip((a - lo) / (hi - lo + 1e-6), 0, 1).astype(np.float32)


def spectrum(rng, size):
    """1/f^a noise, isotropic or drawn out along one direction (Baradad et al. 2021)."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    t, aspect = rng.random() * np.pi, np.exp(rng.uniform(0, 2.2)) if rng.random() < 0.5 else 1.0
    u, v = fx * np.cos(t) + fy * np.sin(t), fy * np.cos(t) - fx * np.sin(t)
    radius = np.sqrt((u * aspect) ** 2 + v**2) + 1 / size
    noise = rng.standard_normal((size, size // 2 + 1)) + 1j * rng.standard_normal((size, size // 2 + 1))
    return stretch(np.fft.irfft2(noise * radius ** -rng.uniform(0.8, 2.4), (size, size)))


def warped(rng, a, most=40):
    """Bends a picture along a smooth random flow."""
    size = a.shape[0]
    x, y = field.grid(size)
    cell, far = rng.uniform(20, 120), rng.uniform(2, most)
    dx, dy = (field.noise(rng, size, cell) - 0.5) * far, (field.noise(rng, size, cell) - 0.5) * far
    return field.at(a, np.stack([x + dx, y + dy], -1))


def waves(rng, size):
    """Stripes, checks or rings, straight or bent, hard or soft."""
    x, y = field.grid(size)
    t, period = rng.random() * np.pi, np.exp(rng.uniform(np.log(4), np.log(50)))
    u, v = x * np.cos(t) + y * np.sin(t), y * np.cos(t) - x * np.sin(t)
    kind = rng.integers(4)
    if kind == 2:
        cx, cy = rng.uniform(0, size, 2)
        u = np.hypot(x - cx, y - cy)
    w = np.sin(2 * np.pi * u / period)
    if kind == 1:
        w = w * np.sin(2 * np.pi * v / (period * rng.uniform(0.5, 2)))
    elif kind == 3:
        w = w + np.sin(2 * np.pi * v / (period * rng.uniform(0.5, 3)))
    w = 0.5 + 0.5 * np.tanh(w * np.exp(rng.uniform(-0.5, 3)))
    return warped(rng, w) if rng.random() < 0.6 else w.astype(np.float32)


def contours(rng, size):
    """Level lines of smooth noise: curls, wood, agate."""
    a = field.fbm(rng, size, rng.uniform(30, 120), int(rng.integers(1, 4)), aspect=np.exp(rng.uniform(-1, 1)))
    return (0.5 + 0.5 * np.sin(2 * np.pi * a * rng.uniform(2, 14))).astype(np.float32)


def folds(rng, size):
    """Ridged noise, bent by itself: marble, bark, smoke."""
    a = field.fbm(rng, size, rng.uniform(25, 100), int(rng.integers(2, 5)))
    a = 1 - np.abs(2 * a - 1) if rng.random() < 0.6 else a
    return warped(rng, a, 80)


def smear(rng, size):
    """Noise carried along a direction field (line integral convolution): brushed, curled, hairy."""
    psi = field.noise(rng, size, rng.uniform(30, 150), np.exp(rng.uniform(-0.7, 0.7)))
    angle = field.along(psi) if rng.random() < 0.6 else psi * rng.uniform(0.5, 6) + rng.random() * np.pi
    grain = rng.standard_normal((size, size)).astype(np.float32)
    grain = field.blur(grain, rng.uniform(0, 2.0))
    length = int(rng.integers(5, 26))
    step = np.stack([np.cos(angle), np.sin(angle)], -1).astype(np.float32)
    total = np.zeros((size, size), np.float32)
    for sign in (-1, 1):
        p = np.stack(field.grid(size), -1)
        for _ in range(length):
            p = p + sign * field.at(step, p)
            total += field.at(grain, np.mod(p, size))
    return stretch(total)


def cells(rng, size):
    """Voronoi cells, flat, shaded from their middle, or with joints: mosaic, pebbles, scales."""
    n = int(np.exp(rng.uniform(np.log(20), np.log(400))))
    g = int(np.ceil(np.sqrt(n)))
    p = (np.stack(np.mgrid[0:g, 0:g], -1).reshape(-1, 2) + 0.5) * size / g
    p = (p + rng.uniform(-1, 1, p.shape) * size / g * rng.uniform(0, 0.8)).astype(np.float32)
    x, y = field.grid(size // 2)
    squeeze = np.exp(rng.uniform(-0.6, 0.6))
    d = (x[..., None] * 2 - p[:, 1]) ** 2 * squeeze + (y[..., None] * 2 - p[:, 0]) ** 2 / squeeze
    near = np.partition(d, 1, -1)[..., :2]
    owner = d.argmin(-1)
    tones = np.clip(rng.random(len(p)) * 0.6 + 0.5 * field.at(field.noise(rng, size, 80), p), 0, 1).astype(np.float32)
    kind, a = rng.integers(3), tones[owner]
    edge = np.sqrt(near[..., 1]) - np.sqrt(near[..., 0])
    if kind == 1:
        a = a * np.clip(edge / rng.uniform(2, 8), 0, 1)
    elif kind == 2:
        a = 0.5 * a + 0.5 * np.clip(edge * g / size, 0, 1)
    a = field.resize(a, size, size)
    return warped(rng, a, 20) if rng.random() < 0.3 else np.clip(a, 0, 1)


def specks(rng, size):
    """Dots, spatter, foliage: thresholded band-passed noise, or its soft blobs."""
    sigma = np.exp(rng.uniform(np.log(0.7), np.log(7)))
    n = rng.standard_normal((size, size)).astype(np.float32)
    a = field.blur(n, sigma)
    a = a - field.blur(a, sigma * 1.6)
    a = a / (a.std() + 1e-6)
    return field.step(a, *sorted(rng.uniform(-1, 2.2, 2) + np.array([0, 0.2]))).astype(np.float32)


def weave(rng, size):
    """Hatching: one to three layers of broken, slightly bent lines."""
    x, y = field.grid(size)
    total = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        t, period = rng.random() * np.pi, np.exp(rng.uniform(np.log(4), np.log(14)))
        bend = (field.noise(rng, size, rng.uniform(40, 120)) - 0.5) * rng.uniform(0, 14)
        u = x * np.cos(t) + y * np.sin(t) + bend
        line = field.step(np.cos(2 * np.pi * u / period), *sorted(rng.uniform(-0.5, 1, 2) + np.array([0, 0.1])))
        total = np.maximum(total, line * field.step(field.noise(rng, size, rng.uniform(30, 90)), 0.2, 0.5))
    return total


def flame(rng, size):
    """An iterated function system with variations, by the chaos game (Kataoka et al. 2020; Draves 1992)."""
    n, maps = 6000, int(rng.integers(2, 6))
    a = rng.uniform(-1, 1, (maps, 2, 3)) * np.array([0.9, 0.9, 0.7])
    kind = rng.integers(0, 4, maps)
    p = rng.uniform(-1, 1, (n, 2))
    hist = np.zeros((size, size), np.float32)
    for k in range(40):
        pick = rng.integers(0, maps, n)
        m = a[pick]
        p = (m[:, :, :2] @ p[..., None])[..., 0] + m[:, :, 2]
        which, r2 = kind[pick], (p**2).sum(1) + 1e-6
        p = np.where((which == 1)[:, None], np.sin(p), p)
        p = np.where((which == 2)[:, None], p / r2[:, None], p)
        c, s = np.cos(r2), np.sin(r2)
        p = np.where((which == 3)[:, None], np.stack([p[:, 0] * s - p[:, 1] * c, p[:, 0] * c + p[:, 1] * s], -1), p)
        p = np.clip(np.nan_to_num(p), -50, 50)
        if k > 5:
            q = ((p * 0.45 + 0.5) * size).astype(int)
            ok = ((q >= 0) & (q < size)).all(1)
            np.add.at(hist, (q[ok, 1], q[ok, 0]), 1)
    return stretch(np.log1p(field.blur(hist, rng.uniform(0.4, 1.5))))


FIELDS = (spectrum, spectrum, waves, contours, folds, smear, smear, smear, cells, specks, weave, flame)


def texture(rng, size, colours=None):
    """A coloured texture [size,size,3], 0..255."""
    a = FIELDS[rng.integers(len(FIELDS))](rng, size)
    out = tint(rng, a, colours)
    if rng.random() < 0.35:  # a second one shows through, as light or as colour
        b = FIELDS[rng.integers(len(FIELDS))](rng, size)
        out = out * (0.5 + 0.7 * b[..., None]) if rng.random() < 0.5 else field.mix(out, tint(rng, b), 0.5 * b)
    return np.clip(out, 0, 255).astype(np.float32)
