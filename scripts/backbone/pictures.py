"""Made pictures without end: picture(seed) is a function of its seed alone. Nothing is read but our own plates.

Kinds: textures, two textures that share a picture, dead leaves with textured and shaded leaves, strokes of a brush
along a direction field, a shaded landscape, crops of the presets' plates.
"""
import functools
import pathlib

import numpy as np
from PIL import Image

from plates import brush, field

from .palettes import palette, tint
from .textures import FIELDS, texture

SIZE = 256
PLATES = pathlib.Path(__file__).resolve().parent.parent.parent / "presets"


def shared(rng):
    """Two textures, divided by the level line of a smooth field."""
    mask = field.fbm(rng, SIZE, rng.uniform(50, 160), int(rng.integers(1, 4)))
    cut = rng.uniform(0.35, 0.65)
    soft = np.exp(rng.uniform(-5, -1))
    return field.mix(texture(rng, SIZE), texture(rng, SIZE), field.step(mask, cut - soft, cut + soft))


def leaves(rng):
    """Dead leaves (Lee, Mumford & Huang 2001): shapes of every size that hide one another, each with its texture."""
    colours = palette(rng, 12)
    stock = [texture(rng, SIZE, colours if rng.random() < 0.7 else None) for _ in range(4)]
    out = stock[0].copy()
    smallest = np.exp(rng.uniform(np.log(3), np.log(10)))
    radii = np.minimum(smallest * rng.random(int(rng.integers(150, 500))) ** -0.5, 90)
    square, lean, lit = rng.random(), rng.random() * np.pi, rng.random() < 0.5
    for r in sorted(radii, reverse=True):
        cx, cy = rng.uniform(0, SIZE, 2)
        x0, x1, y0, y1 = (int(np.clip(k, 0, SIZE)) for k in (cx - 2 * r, cx + 2 * r, cy - 2 * r, cy + 2 * r))
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        x, y = np.meshgrid(np.arange(x0, x1) - cx, np.arange(y0, y1) - cy)
        t, aspect = lean + rng.normal(0, 0.6), np.exp(rng.normal(0, 0.4))
        u, v = (x * np.cos(t) + y * np.sin(t)) / r * aspect, (y * np.cos(t) - x * np.sin(t)) / r / aspect
        power = 8.0 if rng.random() < square else 2.0
        d = np.abs(u) ** power + np.abs(v) ** power
        cover = np.clip((1 - d ** (1 / power)) * r + 0.5, 0, 1)[..., None]
        tone = colours[rng.integers(len(colours))] + rng.normal(0, 10, 3)
        if rng.random() < 0.5:
            k, (sx, sy) = stock[rng.integers(4)], rng.integers(0, SIZE, 2)
            k = k[np.arange(y0, y1)[:, None] - sy, np.arange(x0, x1)[None, :] - sx]
            tone = 0.5 * tone + 0.5 * k if rng.random() < 0.5 else k
        if lit:
            tone = tone * np.clip(1.05 - 0.35 * (0.6 * x + 0.8 * y) / r, 0.3, 1.5)[..., None]
        part = out[y0:y1, x0:x1]
        out[y0:y1, x0:x1] = part * (1 - cover) + tone * cover
    return out


def strokes(rng):
    """Oil strokes of one to three sizes along a direction field, coloured by what they cover."""
    under = shared(rng) if rng.random() < 0.5 else tint(rng, FIELDS[rng.integers(6)](rng, SIZE))
    under = field.blur(under, rng.uniform(2, 6))
    canvas = brush.Canvas(under * rng.uniform(0.5, 1))
    marks = brush.bank(rng, dry=rng.uniform(0.1, 0.4), bristle=rng.uniform(2.5, 7))
    psi = field.noise(rng, SIZE, rng.uniform(40, 160), np.exp(rng.uniform(-1, 1)))
    angle = field.along(psi) if rng.random() < 0.4 else (psi - 0.5) * rng.uniform(0.3, 8) + rng.random() * np.pi
    width, aspect = rng.uniform(3, 13), rng.uniform(1.5, 9)
    extra = palette(rng)
    jitter, hair, stray = rng.uniform(3, 26), rng.uniform(3, 16), rng.uniform(0, 0.15)
    for scale in np.geomspace(1, rng.uniform(0.4, 0.8), int(rng.integers(1, 4))):
        w = width * scale
        p = brush.scatter(rng, SIZE, max(3.2, w * rng.uniform(0.6, 1.0)))
        n = len(p)
        paths = brush.trace(angle, p, w * aspect * rng.uniform(0.6, 1.3, n), rng, wobble=rng.uniform(0.02, 0.3), knots=8)
        tones = field.at(under, p) + rng.normal(0, jitter, (n, 1)) + rng.normal(0, 0.5 * jitter, (n, 3))
        other = rng.random(n) < stray
        tones[other] = extra[rng.integers(0, len(extra), other.sum())]
        widths = w * rng.uniform(0.7, 1.25, n)
        brush.lay(canvas, paths, widths, tones, marks, rng, hair=hair, ends=tones + rng.normal(0, 9, (n, 3)))
    return canvas.finish(relief=rng.uniform(0, 20), gloss=rng.uniform(0, 0.5)).astype(np.float32)


def scene(rng):
    """A lit surface of hills under a sky, with mist by depth and a few shaded balls."""
    x, y = field.grid(SIZE)
    out = tint(rng, np.clip(y / SIZE + 0.3 * (field.fbm(rng, SIZE, 90, 4, aspect=2.5) - 0.5), 0, 1))
    mist = out[SIZE // 2].mean(0)
    for depth in np.linspace(0.25, 0.9, int(rng.integers(2, 6))):
        ridge = SIZE * (depth + 0.25 * (field.fbm(rng, SIZE, rng.uniform(40, 150), 4)[0] - 0.5))
        ground = texture(rng, SIZE)
        height = field.fbm(rng, SIZE, rng.uniform(20, 80), 4)
        gy, gx = np.gradient(height)
        ground = ground * np.clip(0.8 + rng.uniform(2, 10) * (gx * 0.6 + gy * 0.8), 0.2, 1.6)[..., None]
        ground = ground * (0.4 + 0.6 * depth) + mist * (0.6 - 0.6 * depth)
        out = field.mix(out, ground, np.clip(y - ridge[None, :], 0, 1))
    for _ in range(int(rng.integers(0, 9))):
        r, cx, cy = np.exp(rng.uniform(1.8, 4)), *rng.uniform(0, SIZE, 2)
        u, v = (x - cx) / r, (y - cy) / r
        z = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
        light = np.clip(0.25 + 0.8 * (-0.5 * u - 0.6 * v + 0.62 * z), 0.1, 1.2)
        ball = palette(rng, 1)[0] * light[..., None] + 200 * (np.clip(light - 0.85, 0, 1) ** 2)[..., None]
        out = field.mix(out, ball, np.clip((1 - np.hypot(u, v)) * r, 0, 1))
    return out


@functools.cache
def _plate(name):
    return Image.open(PLATES / f"{name}.webp").convert("RGB")


def plate(rng):
    """A crop of one of the presets' plates, at full or half size."""
    image = _plate(("monet", "vangogh", "ukiyoe", "mosaic", "sketch")[rng.integers(5)])
    side = int(rng.uniform(SIZE, 2.2 * SIZE))
    x, y = rng.integers(0, image.width - side, 2)
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS, (x, y, x + side, y + side)), np.float32)


KINDS = (lambda rng: texture(rng, SIZE), shared, leaves, strokes, scene, plate)
SHARES = (0.16, 0.12, 0.30, 0.27, 0.10, 0.05)


def picture(seed):
    """The made picture of a seed: [256,256,3] bytes."""
    rng = np.random.default_rng((seed, 0xB2054))
    out = KINDS[rng.choice(len(KINDS), p=SHARES)](rng)
    if rng.random() < 0.3:
        out = field.blur(out, rng.uniform(0.3, 1.0))
    return field.to_bytes(out)
