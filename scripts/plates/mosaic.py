"""mosaic: a Roman floor. Small irregular stones in rows along the contours of fishes, waves and a ring,
set in grout.

The stones are the cells of an oriented Chebyshev Voronoi diagram, settled by Lloyd's iteration
(Hausner, "Simulating Decorative Mosaics", 2001): a stone turns with the direction field and does not cross
an edge of the drawing.
"""
import numpy as np

from . import field
from .field import noise, step

SS = 2
RGB = {k: np.array(v, np.float32) for k, v in {
    "cream": (232, 218, 186), "ivory": (214, 196, 158), "ochre": (206, 154, 72), "gold": (228, 182, 74), "terra": (176, 84, 52),
    "brick": (140, 56, 42), "umber": (82, 56, 44), "black": (48, 44, 46), "navy": (36, 58, 96), "blue": (58, 104, 150),
    "aqua": (112, 164, 172), "sage": (132, 146, 108), "rose": (208, 142, 112),
}.items()}
GROUT = np.array([128, 114, 98], np.float32)
# Fishes: centre, length, heading in radians, inks of back, flank, belly.
FISH = [(0.39, 0.37, 0.42, -0.35, ("brick", "terra", "gold")), (0.62, 0.62, 0.42, 2.75, ("navy", "aqua", "cream")),
        (0.70, 0.31, 0.23, 2.2, ("terra", "ochre", "cream")), (0.31, 0.69, 0.24, 0.5, ("umber", "gold", "ivory"))]


def _fish(n, cx, cy, length, heading):
    """Signed coordinates of a fish: s along (0 nose, 1 tail), w across (-1..1 inside the body), and masks."""
    x, y = field.grid(n)
    dx, dy = x - cx * n, y - cy * n
    c, s_ = np.cos(heading), np.sin(heading)
    s = 0.5 - (dx * c + dy * s_) / (length * n)
    across = (-dx * s_ + dy * c) / (length * n) * (1 if c > 0 else -1)
    across = across - 0.035 * np.sin(s * 5.0)
    t = np.clip(s, 0, 1)
    half = 0.205 * np.sqrt(np.clip(t, 0, 1)) * (1 - t) ** 0.72 * 2.0 + 0.012
    tail = (s > 0.86) & (s < 1.16) & (np.abs(across) < 0.02 + 0.62 * (s - 0.86)) & (s < 1.06 + 0.35 * np.abs(across) / 0.2)
    fin = (s > 0.28) & (s < 0.66) & (across < 0) & (across > -half - 0.07 * np.sin(np.pi * (s - 0.28) / 0.38))
    return s, across / half, (s > 0) & (s < 0.97) & (np.abs(across) < half), tail, fin


def _drawing(n, rng):
    """Colour, region label and contour function of the design."""
    x, y = field.grid(n)
    inks = list(RGB)
    colour = np.zeros((n, n), int)
    label = np.zeros((n, n), int)
    # Sea: bands of a wavy function, paler towards the top.
    swell = y + 0.028 * n * np.sin(x / n * 15 + 2.5 * y / n) + 0.05 * n * (noise(rng, n, n // 5) - 0.5)
    contour = swell.copy()
    band = np.floor(swell / (0.042 * n)).astype(int)
    cycle = "cream ivory aqua cream ivory blue aqua cream aqua navy blue ivory"
    sea = np.array([inks.index(k) for k in cycle.split()])
    colour[:] = sea[band % len(sea)]
    label[:] = band
    for i, (cx, cy, length, heading, (back, flank, belly)) in enumerate(FISH):
        s, w, body, tail, fin = _fish(n, cx, cy, length, heading)
        near = (np.abs(w) < 1.55) & (s > -0.05) & (s < 1.02)
        contour = np.where(near & ~tail, w * length * n * 0.17, contour)
        # A halo of stones set round the figure, as the craftsmen did.
        halo = near & ~body
        colour[halo], label[halo] = inks.index("cream"), 500 + i
        for mask, ink, lab in ((fin, back, 1), (tail, flank, 2)):
            colour[mask], label[mask] = inks.index(ink), 100 + 20 * i + lab
        contour = np.where(tail, (s * 0.4 + np.abs(w) * 0.02) * length * n, contour)
        lower = np.where(w > 0.45, 2, np.where(w > -0.25, 1, 0))
        tone = np.array([inks.index(back), inks.index(flank), inks.index(belly)])[lower]
        stripe = (np.sin(s * 34) > 0.35) & (w < 0.35) & (s > 0.26) & (s < 0.9)
        tone = np.where(stripe, inks.index("gold" if back != "umber" else "terra"), tone)
        rim = body & (np.abs(w) > 0.86)
        tone = np.where(rim, inks.index("black"), tone)
        gill = body & (np.abs(s - 0.235 - 0.03 * w**2) < 0.012)
        tone = np.where(gill, inks.index("umber"), tone)
        colour = np.where(body, tone, colour)
        label = np.where(body, 100 + 20 * i + 3 + np.where(rim, 4, lower) + 5 * stripe, label)
        eye = np.hypot((s - 0.125) * length, (w + 0.25) * 0.07 * length) / length
        colour = np.where(eye < 0.066, inks.index("cream"), colour)
        colour = np.where(eye < 0.036, inks.index("black"), colour)
        label = np.where(eye < 0.066, 100 + 20 * i + 15, label)
    # Round the sea a ring with a running wave, outside it rows of scales. No frame runs along the plate's edge:
    # a transfer would paint it along the edges of its own picture.
    dx, dy = x / n - 0.5, y / n - 0.5
    r, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    wave = (r - 0.485) - 0.026 * np.sin(turn * 18)
    scroll = [inks.index(k) for k in ("navy", "cream", "terra", "gold")]
    roll = np.select([wave < -0.019, wave < 0, wave < 0.019], scroll[:3], scroll[3])
    ring = (r > 0.408) & (r < 0.562)
    colour = np.where(ring, roll, colour)
    contour = np.where(ring, wave * n, contour)
    scale, lap = _scales(n, 0.115)
    outer = np.array([inks.index(k) for k in ("umber", "terra", "ochre", "cream", "blue", "aqua")])
    colour = np.where(r >= 0.562, outer[np.clip((scale * 6).astype(int), 0, 5)], colour)
    contour = np.where(r >= 0.562, scale * n * 0.1, contour)
    for lo, hi, ink in ((0.398, 0.416, "cream"), (0.416, 0.434, "brick"), (0.538, 0.554, "brick"), (0.554, 0.572, "cream")):
        band = (r >= lo) & (r < hi)
        colour = np.where(band, inks.index(ink), colour)
        contour = np.where(band, r * n, contour)
    label = np.where(ring, 900 + colour, np.where(r >= 0.562, 1000 + 20 * lap + colour, label))
    return np.stack([RGB[k] for k in inks])[colour], label, contour


def _scales(n, pitch):
    """Overlapping fans in rows: distance from the rim (0 rim .. 1 eye), and a number for the fan."""
    x, y = field.grid(n)
    p = pitch * n
    depth, lap = np.zeros((n, n), np.float32), np.zeros((n, n), int)
    for row in range(-1, int(2 * n / p) + 3):
        shift = 0.5 * (row % 2)
        col = np.round(x / p - shift)
        d = np.hypot(x - (col + shift) * p, y - row * p / 2) / (p * 0.56)
        # A lower row lies over the one above it.
        over = (d < 1) & (y <= row * p / 2 + 0.1 * p)
        depth, lap = np.where(over, 1 - d, depth), np.where(over, row * 40 + col.astype(int), lap)
    return depth, lap


def _edges(label):
    """Where the drawing changes region: a strip that stones stay clear of."""
    e = np.zeros(label.shape, bool)
    e[:, 1:] |= label[:, 1:] != label[:, :-1]
    e[1:] |= label[1:] != label[:-1]
    return e


def _settle(n, centres, angle, edge, side, rounds):
    """Lloyd's iteration. Returns centres, owner, distance to the nearest stone and to the second."""
    reach = int(side * 1.5)
    for turn in range(rounds):
        best = np.full((n, n), 1e9, np.float32)
        second = best.copy()
        owner = np.full((n, n), -1, np.int32)
        th = field.at(angle, centres)
        c, s = np.cos(th), np.sin(th)
        at = np.rint(centres).astype(int)
        for i, (cx, cy) in enumerate(at):
            x0, x1, y0, y1 = max(0, cx - reach), min(n, cx + reach + 1), max(0, cy - reach), min(n, cy + reach + 1)
            if x0 >= x1 or y0 >= y1:
                continue
            dx = np.arange(x0, x1, dtype=np.float32)[None, :] - centres[i, 0]
            dy = np.arange(y0, y1, dtype=np.float32)[:, None] - centres[i, 1]
            d = np.maximum(np.abs(c[i] * dx + s[i] * dy), np.abs(c[i] * dy - s[i] * dx))
            b, z, o = best[y0:y1, x0:x1], second[y0:y1, x0:x1], owner[y0:y1, x0:x1]
            win = d < b
            np.copyto(z, np.where(win, b, np.minimum(z, d)))
            np.copyto(b, d, where=win)
            o[win] = i
        if turn == rounds - 1:
            return owner, second - best
        keep = (owner >= 0) & ~edge
        count = np.bincount(owner[keep], minlength=len(centres))
        y, x = np.nonzero(keep)
        mean = np.stack([np.bincount(owner[keep], v, len(centres)) for v in (x, y)], -1) / np.maximum(count, 1)[:, None]
        centres[count > 0] = mean[count > 0]
    raise ValueError("at least one round is needed")


def paint(size, rng):
    n = size * SS
    picture, label, contour = _drawing(n, rng)
    gy, gx = np.gradient(field.blur(contour, 2 * SS))
    # Doubled angles, so that opposite gradients of one contour agree when smoothed.
    a = 2 * np.arctan2(gy, gx)
    angle = 0.5 * np.arctan2(field.blur(np.sin(a), 5 * SS), field.blur(np.cos(a), 5 * SS))
    side = 13.0 * SS
    edge = field.blur(_edges(label).astype(np.float32), 0.8 * SS) > 0.16
    k = int(n / side)
    cy, cx = np.mgrid[0:k, 0:k]
    centres = (np.stack([cx, cy], -1).reshape(-1, 2) + 0.5 + rng.uniform(-0.45, 0.45, (k * k, 2))) * side
    owner, gap = _settle(n, centres.astype(np.float32), angle, edge, side, 14)
    count = np.maximum(np.bincount(owner[owner >= 0], minlength=len(centres)), 1)
    # The ink of a stone is that of most of its ground, read at the settled centre's side of the edge.
    inside = (owner >= 0) & ~edge
    part = np.maximum(np.bincount(owner[inside], minlength=len(centres)), 1)
    ink = np.stack([np.bincount(owner[inside], picture[..., c][inside], len(centres)) for c in range(3)], -1) / part[:, None]
    palette = np.stack(list(RGB.values()))
    near = np.argmin(((ink[:, None] - palette) ** 2).sum(-1), 1)
    stone = palette[near] + rng.normal(0, 11, (len(centres), 1)) + rng.normal(0, 6, (len(centres), 3))
    odd = rng.random(len(centres)) < 0.05
    stone[odd] = 0.5 * stone[odd] + 0.5 * palette[rng.integers(0, len(palette), odd.sum())]
    return _set_stones(n, rng, owner, gap, stone, count)


def _set_stones(n, rng, owner, gap, stone, count):
    """Colour the stones, bevel and tilt them, fill the joints with grout."""
    flat = stone[np.maximum(owner, 0)].astype(np.float32)
    joint = 1.9 * SS * (0.8 + 0.5 * noise(rng, n, 40 * SS))
    face = step(gap, joint * 0.75, joint * 1.25)
    height = np.minimum(gap, 3.0 * SS) * 0.55
    tilt = rng.normal(0, 0.16, (len(count), 2))[np.maximum(owner, 0)]
    gy, gx = np.gradient(field.blur(height, 0.8 * SS))
    light = np.clip((gx + gy) * 34 + (tilt[..., 0] + tilt[..., 1]) * 30, -46, 40)
    vein = 9 * (field.fbm(rng, n, 14 * SS, 3) - 0.5) + 5 * (noise(rng, n, 3 * SS) - 0.5)
    lit = flat + (light + vein)[..., None]
    grout = GROUT + 24 * (field.fbm(rng, n, 20 * SS, 3)[..., None] - 0.5) - 34
    return field.to_bytes(field.shrink(grout * (1 - face[..., None]) + lit * face[..., None], SS))
