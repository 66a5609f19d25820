"""vangogh: a windy night. Long loaded strokes along the level lines of a stream function, ringed lights,
a dark cypress, a field; colours go in bands of the same function, so strokes of one colour join up."""
import numpy as np

from . import brush, field
from .field import mix, noise, step

RGB = {k: np.array(v, np.float32) for k, v in {
    "ink": (18, 26, 66), "ultra": (32, 52, 136), "cobalt": (48, 92, 178), "azure": (92, 148, 206),
    "cyan": (128, 192, 204), "mist": (188, 214, 206), "sage": (120, 156, 130), "lemon": (244, 224, 120),
    "gold": (236, 184, 62), "orange": (222, 132, 48), "cream": (250, 240, 196),
    "cypress": (26, 48, 40), "moss": (58, 84, 46), "leaf": (98, 112, 50), "umber": (74, 52, 34),
}.items()}
# An odd cycle of tones, dark and light apart, so that neighbouring bands differ.
SKY = ["ultra", "cobalt", "azure", "ultra", "cyan", "cobalt", "ink", "azure", "mist", "cobalt", "ultra"]
# Lights: x, y, radius as parts of the plate's side.
LIGHTS = [(0.57, 0.17, 0.095), (0.12, 0.12, 0.055), (0.64, 0.49, 0.050), (0.30, 0.49, 0.046), (0.93, 0.09, 0.038)]
HALO = [(0, "cream"), (0.28, "lemon"), (0.5, "gold"), (0.66, "orange"), (0.8, "lemon"), (1.0, "sage"), (1.2, "mist"),
        (1.45, "cyan"), (1.75, "cobalt")]  # by distance, in radii
# Whirls: x, y, radius, sense.
WHIRLS = [(0.33, 0.22, 0.15, 1), (0.46, 0.50, 0.09, -1), (0.07, 0.42, 0.11, 1), (0.93, 0.36, 0.10, -1)]
ARMS = len(SKY) / (2 * np.pi)  # one whole cycle of tones a turn, so that the bands close


def _stream(size, rng):
    """Stream function of the wind: drifting bands, with whirls and lights as hills that it turns about."""
    x, y = field.grid(size)
    psi = y * 0.55 + 46 * (noise(rng, size, 210, 1.5) - 0.5) + 22 * (noise(rng, size, 90, 1.4) - 0.5)
    phase = psi / 15
    pull = np.zeros_like(psi)
    for cx, cy, r, sense in WHIRLS:
        dx, dy = x - cx * size, y - cy * size
        d = np.hypot(dx, dy)
        near = np.exp(-((d / (r * size)) ** 2))
        psi = psi * (1 - near) + near * sense * d * 1.0
        # Strokes draw in towards the eye of the whirl, as the arms do.
        pull = pull * (1 - near) + near * sense * 0.28
        # An arm that winds out of the centre: the angle shifts the colour bands.
        phase = phase * (1 - near) + near * (d / 9 + sense * np.arctan2(dy, dx) * ARMS)
    return psi, phase, pull


def _sky(size, rng):
    x, y = field.grid(size)
    psi, phase, pull = _stream(size, rng)
    angle = field.along(field.blur(psi, 3)) - pull
    shade = np.stack([RGB[k] for k in SKY])
    base = shade[np.floor(phase + 0.8 * noise(rng, size, 40)).astype(int) % len(SKY)]
    halo_of = np.zeros((size, size), np.float32)
    for cx, cy, r in LIGHTS:
        dx, dy = x - cx * size, y - cy * size
        d = np.hypot(dx, dy) / (r * size)
        d = d * (1 + 0.10 * (noise(rng, size, 50) - 0.5))
        near = step(d, 1.9, 1.1)
        turn = np.arctan2(dx, -dy)
        angle = np.where(d < 1.75, turn, angle)
        base = mix(base, field.ramp([(at, RGB[k]) for at, k in HALO], d), near)
        halo_of = np.maximum(halo_of, near)
    return base, angle, halo_of


def _land(size, rng, base, angle):
    """Hills, a field of gold and green furrows, and a cypress that cuts the sky."""
    x, y = field.grid(size)
    ridge = size * 0.71 + 26 * np.sin(x / size * 7.0 + 0.6) + 30 * (noise(rng, size, 170)[:1] - 0.5)
    hill = step(y - ridge, -1, 1)
    t = (y - ridge) / (size * 0.12)
    furrow = field.along(y - ridge * 0.9 + 26 * noise(rng, size, 120, 1.6))
    tones = np.stack([RGB[k] for k in ("ultra", "sage", "cobalt", "moss", "azure", "leaf")])
    blue = tones[np.floor(t * 4.5 + 2 * noise(rng, size, 60, 2)).astype(int) % len(tones)]
    tones = np.stack([RGB[k] for k in ("gold", "leaf", "lemon", "orange", "moss", "gold", "umber")])
    crop = tones[np.floor((y + 20 * noise(rng, size, 90, 2)) / 9 + 3 * noise(rng, size, 70, 2)).astype(int) % len(tones)]
    edge = size * 0.84 + 20 * np.sin(x / size * 5 + 2.2)
    base = mix(base, mix(blue, crop, step(y - edge, -2, 2)), hill)
    angle = np.where(hill > 0.5, furrow, angle)
    # The tree: a flame, wide at the foot, with licks to both sides.
    cx = size * (0.83 + 0.018 * np.sin(y / size * 11))
    rise = np.clip((y / size - 0.13) / 0.87, 0, 1)
    half = size * 0.098 * rise**0.62 * (1 + 0.20 * np.sin(y / 21 + 2 * np.sin(y / 57)))
    side = (x - cx) / np.maximum(half, 1e-3)
    tree = step(np.abs(side) + 0.20 * (noise(rng, size, 34) - 0.5), 1.03, 0.97) * (y > 0.14 * size)
    lick = np.pi / 2 + 0.62 * side.clip(-1, 1) * np.cos(y / 38) - 0.35 * np.sin(y / 30 + x / 26)
    tones = np.stack([RGB[k] for k in ("cypress", "moss", "cypress", "ink", "leaf", "cypress", "umber")])
    dark = tones[np.floor(side * 3.2 + 2.2 * noise(rng, size, 50, 0.5) + 20).astype(int) % len(tones)]
    base = mix(base, dark, tree)
    angle = np.where(tree > 0.5, lick, angle)
    return base, angle, np.maximum(tree, hill)


def _stroke_colours(rng, colours, tone, hue):
    n = len(colours)
    return (colours + rng.normal(0, tone, (n, 1)) + rng.normal(0, hue, (n, 3))).astype(np.float32)


def paint(size, rng):
    base, angle, halo = _sky(size, rng)
    base, angle, ground = _land(size, rng, base, angle)
    halo = halo * (1 - ground)
    # A dark ground shows between the strokes and keeps them apart.
    canvas = brush.Canvas(base * 0.45 + RGB["ink"] * 0.35)
    marks = brush.bank(rng, dry=0.22, bristle=4.0)
    for length, width, spacing, cover in ((70, 11, 9.0, 0.95), (58, 8.5, 8.0, 0.97), (40, 6.5, 7.0, 0.97)):
        p = brush.scatter(rng, size, spacing)
        n = len(p)
        lengths = length * rng.uniform(0.7, 1.35, n) * (1 - 0.45 * field.at(halo, p))
        paths = brush.trace(angle, p, lengths, rng, wobble=0.05)
        colours = _stroke_colours(rng, field.at(base, p), 11, 8)
        ends = _stroke_colours(rng, colours, 8, 6)
        widths = width * rng.uniform(0.75, 1.2, n) * (1 - 0.2 * field.at(halo, p))
        brush.lay(canvas, paths, widths, colours, marks, rng, hair=13, cover=cover, body=1.5, ends=ends)
    # Accents: lights over the darks, darks between the lights.
    p = brush.scatter(rng, size, 15)
    n = len(p)
    local = field.at(base, p)
    bright = local.mean(1, keepdims=True) > 120
    colours = np.where(bright, local * 0.55 + RGB["ultra"] * 0.2, local * 0.45 + np.array([150, 176, 170]) * 0.5)
    paths = brush.trace(angle, p, rng.uniform(24, 52, n), rng, wobble=0.04)
    brush.lay(canvas, paths, rng.uniform(2.6, 4.6, n), _stroke_colours(rng, colours, 10, 7), marks, rng, hair=8, body=1.7)
    for cx, cy, r in LIGHTS:
        n = 26
        a, d = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, 0.26, n) * r * size
        p = np.stack([cx * size + d * np.cos(a), cy * size + d * np.sin(a)], -1)
        paths = brush.trace(angle, p, rng.uniform(8, 20, n), rng)
        brush.lay(canvas, paths, rng.uniform(4.5, 7, n), RGB["cream"] + rng.normal(0, 7, (n, 3)), marks, rng, body=2.2)
    return canvas.finish(relief=20, gloss=0.35)
