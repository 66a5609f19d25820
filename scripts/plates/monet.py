"""monet: a lily pond. Layers of curved strokes, broken colour, reflections, blossoms, soft impasto."""
import numpy as np

from . import brush, field
from .field import mix, noise, step

RGB = {k: np.array(v, np.float32) for k, v in {
    "deep": (50, 72, 128), "blue": (94, 132, 186), "sky": (156, 186, 214), "violet": (146, 132, 192),
    "mauve": (196, 168, 208), "green": (70, 116, 92), "dark": (40, 78, 76), "olive": (134, 150, 92),
    "pad": (128, 172, 132), "mint": (172, 204, 168), "pink": (236, 160, 184), "rose": (214, 104, 140),
    "white": (246, 236, 222), "ochre": (224, 188, 116),
}.items()}


def _pond(size, rng):
    """Under-painting: the sky in the water, willow reflections, and where the willows hang."""
    _, y = field.grid(size)
    base = mix(RGB["sky"], RGB["blue"], step(y, 0, size * 0.75) * 0.85 + 0.15 * noise(rng, size, 90, 2))
    base = mix(base, RGB["mauve"], step(field.fbm(rng, size, 120, 2, aspect=1.8), 0.58, 0.85) * 0.85)
    base = mix(base, RGB["violet"], step(field.fbm(rng, size, 100, 2, aspect=2.2), 0.55, 0.8) * 0.9)
    base = mix(base, RGB["deep"], step(field.fbm(rng, size, 110, 2, aspect=1.8), 0.56, 0.8) * 0.85)
    base = mix(base, RGB["pink"], step(field.fbm(rng, size, 90, 2, aspect=2.6), 0.74, 0.94) * 0.6)
    willow = step(noise(rng, size, 300, 0.55) + 0.3 * (0.5 - y / size), 0.56, 0.82)
    base = mix(base, RGB["green"], willow * 0.9)
    base = mix(base, RGB["dark"], willow * step(noise(rng, size, 200, 0.2), 0.5, 0.8) * 0.8)
    base = mix(base, RGB["olive"], willow * step(noise(rng, size, 160, 0.25), 0.66, 0.85) * 0.9)
    base = mix(base, RGB["ochre"], step(field.fbm(rng, size, 80, 2, aspect=3), 0.84, 0.97) * 0.6)
    return base, willow


def _pads(size, rng, base):
    """Rafts of lily pads: flattened discs with a lit upper edge. Returns base, cover and raft centres."""
    x, y = field.grid(size)
    raft = noise(rng, size, 110, 2.4)
    cover, spots = np.zeros((size, size), np.float32), []
    for _ in range(420):
        cx, cy = rng.uniform(0, size, 2)
        if raft[int(cy), int(cx)] < 0.56:
            continue
        # Pads are larger towards the viewer.
        r = (10 + 16 * cy / size) * rng.uniform(0.7, 1.25)
        d = np.hypot((x - cx) / r, (y - cy) / (0.42 * r))
        tone = RGB[rng.choice(["pad", "mint", "green", "pad", "sky"])] + rng.normal(0, 9, 3)
        m = step(d, 1.0, 0.82)
        lit = step((y - cy) / r, 0.15, -0.4)
        base = mix(base, mix(tone * 0.78, tone * 1.12, lit), m)
        under = np.hypot((x - cx - 2) / r, (y - cy - 0.34 * r) / (0.3 * r))
        base = mix(base, RGB["dark"], step(under, 1, 0.7) * (1 - m) * 0.5)
        cover = np.maximum(cover, m)
        spots.append((cx, cy, r))
    return base, cover, spots


def _tint(rng, colours, jitter):
    """Broken colour: each stroke leaves its place's colour in hue and tone; a few take another pigment."""
    n = len(colours)
    out = colours + rng.normal(0, jitter, (n, 1)) + rng.normal(0, 0.5 * jitter, (n, 3))
    other = rng.random(n) < 0.07
    names = ["sky", "mauve", "violet", "mint", "blue", "pink", "deep"]
    out[other] = 0.35 * out[other] + 0.65 * np.stack([RGB[k] for k in rng.choice(names, other.sum())])
    return out.astype(np.float32)


def _blossom(canvas, rng, marks, cx, cy, r):
    """A lily: petals fanned out over a dark cup, the light ones last."""
    n = int(rng.integers(7, 11))
    rings = ((["rose", "violet"], 1.0, 0.15), (["pink", "pink", "rose"], 0.85, 0.0), (["white", "pink", "white"], 0.55, -0.2))
    for names, spread, lift in rings:
        a = np.linspace(-0.15, np.pi + 0.15, n) + rng.normal(0, 0.15, n)
        tip = np.stack([cx + np.cos(a) * r * spread, cy - np.sin(a) * r * 0.62 * spread + lift * r], -1)
        root = np.array([cx, cy + 0.25 * r])
        t = np.linspace(0.25, 1, 6)[None, :, None]
        paths = root + (tip[:, None] - root) * t
        paths[..., 1] += 0.12 * r * np.sin(np.pi * t[..., 0])
        colours = np.stack([RGB[k] for k in rng.choice(names, n)]) + rng.normal(0, 9, (n, 3))
        brush.lay(canvas, paths.astype(np.float32), np.full(n, 0.42 * r), colours, marks, rng, hair=10, body=1.6)
    core = np.array([[[cx - 0.15 * r, cy], [cx + 0.15 * r, cy - 0.05 * r]]], np.float32)
    brush.lay(canvas, core, [0.3 * r], [RGB["ochre"]], marks, rng, body=1.6)


def paint(size, rng):
    base, willow = _pond(size, rng)
    base, pads, spots = _pads(size, rng, base)
    canvas = brush.Canvas(base * 0.7)
    marks = brush.bank(rng, dry=0.3, bristle=4.5)
    # Water lies level with long swells; willow reflections hang and sway.
    swell = (noise(rng, size, 150, 1.5) - 0.5) * 1.9
    hang = np.pi / 2 + (noise(rng, size, 120) - 0.5) * 1.1
    sway = step(willow * (1 - pads), 0.35, 0.65)
    angle = swell * (1 - sway) + hang * sway
    soft = field.blur(base, 3)
    for length, width, spacing, jitter, cover in ((100, 16, 11, 15, 0.93), (78, 12, 9, 20, 0.94), (54, 9, 8.2, 24, 0.96)):
        p = brush.scatter(rng, size, spacing)
        n = len(p)
        paths = brush.trace(angle, p, length * rng.uniform(0.6, 1.3, n), rng, wobble=0.16)
        colours = _tint(rng, field.at(soft if width > 8 else base, p), jitter)
        ends = colours + rng.normal(0, 9, (n, 3))
        brush.lay(canvas, paths, width * rng.uniform(0.7, 1.25, n), colours, marks, rng, hair=13, cover=cover, ends=ends)
    # Pads again with short strokes, so that their edges stay.
    p = brush.scatter(rng, size, 5.0, pads)
    n = len(p)
    paths = brush.trace(swell * 0.4, p, rng.uniform(10, 24, n), rng, wobble=0.2)
    brush.lay(canvas, paths, rng.uniform(3.5, 6, n), _tint(rng, field.at(base, p), 12), marks, rng, hair=9, body=1.1)
    # Light on the ripples: thin, long, pale.
    glint = step(noise(rng, size, 60, 3), 0.60, 0.95) * (1 - pads) * (1 - willow) * 0.22
    p = brush.scatter(rng, size, 8.0, glint)
    n = len(p)
    paths = brush.trace(angle, p, rng.uniform(20, 60, n), rng, wobble=0.1)
    light = np.stack([RGB[k] for k in rng.choice(["sky", "white", "mauve", "mint", "pink"], n)])
    colours = 0.3 * field.at(base, p) + 0.7 * light + rng.normal(0, 10, (n, 3))
    brush.lay(canvas, paths, rng.uniform(2.2, 4.2, n), colours, marks, rng, hair=8, body=1.4)
    for cx, cy, _ in sorted(spots, key=lambda s: s[1]):
        if rng.random() < 0.5:
            _blossom(canvas, rng, marks, cx, cy - 2, (8 + 9 * cy / size) * rng.uniform(0.8, 1.25))
    return canvas.finish(relief=19, gloss=0.35)
