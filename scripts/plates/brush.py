"""An oil brush: long curved strokes along a direction field, bristles, dry ends, impasto in relief.

Strokes are ribbons, sampled along and across and written into a canvas of twice the plate's size; a second
plane keeps the height of the paint, and `Canvas.finish` lights it from the upper left.
"""
import numpy as np

from . import field

SS = 2  # supersampling of the canvas
BANK = 40  # brush marks in a bank
ALONG, ACROSS = 160, 28  # samples of one mark


class Canvas:
    """Colour and height of the paint, both at SS times the plate's size."""

    def __init__(self, base):
        self.size = base.shape[0]
        self.colour = np.repeat(np.repeat(base, SS, 0), SS, 1).astype(np.float32)
        self.height = np.zeros(self.colour.shape[:2], np.float32)

    def finish(self, relief=14.0, gloss=0.5):
        """Light the paint and shrink to the plate."""
        h = field.blur(self.height, 1.0)
        gy, gx = np.gradient(h)
        slope = np.clip(gx * 0.6 + gy * 0.8, -1, 1)  # rising away from the light is facing it
        lit = self.colour * (1 + 0.02 * relief * slope[..., None]) + relief * slope[..., None]
        shine = np.clip(slope - 0.35, 0, 1)[..., None] * gloss
        lit = lit + 0.6 * (255 - lit) * shine
        return field.to_bytes(field.shrink(lit, SS))


def _lines(rng, n, smooth):
    """A smooth random profile of n samples, about -1..1."""
    knots = max(3, int(n / smooth))
    a = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, knots), rng.standard_normal(knots))
    return a / (np.abs(a).max() + 1e-6)


def bank(rng, dry=0.25, bristle=4.0):
    """Brush marks: (tone, height, cover), each ALONG x ACROSS; `dry` is how ragged the tail is."""
    marks = []
    v = np.linspace(-1, 1, ACROSS)[None, :]
    u = np.linspace(0, 1, ALONG)[:, None]
    for _ in range(BANK):
        fine = _lines(rng, ACROSS, bristle)[None, :]
        drift = _lines(rng, ACROSS, bristle)[None, :]
        hair = fine * (1 - u) + drift * u
        tail = 1 - dry * (0.5 + 0.5 * _lines(rng, ACROSS, 3.0)[None, :]) - 0.10 * v**2
        head = 0.07 * v**2 + 0.03 * (1 + _lines(rng, ACROSS, 3.0)[None, :])
        cover = field.step(u, head - 0.03, head + 0.03) * field.step(u, tail + 0.04, tail - 0.04)
        cover = cover * field.step(np.abs(v) + 0.12 * hair, 1.02, 0.86)
        # Paint piles up at both sides of the stroke and where the brush is lifted.
        rim = 0.8 * np.exp(-((np.abs(v) - 0.8) / 0.16) ** 2) + 0.7 * np.exp(-((u - tail + 0.05) / 0.06) ** 2)
        marks.append(tuple(a.astype(np.float32) for a in (hair + 0 * u, (0.55 * hair + rim + 0.5), cover)))
    return marks


def trace(angle, starts, lengths, rng, wobble=0.0, knots=14):
    """Paths (n, knots, 2) that follow the angle field both ways from their starts."""
    n = len(starts)
    stride = (lengths / (knots - 1))[:, None]
    lean = rng.normal(0, wobble, n) if wobble else np.zeros(n)
    # Half of the knots are walked against the field, so that a stroke is centred on its start.
    back = knots // 2
    half = []
    for sign, count in ((-1, back), (1, knots - 1 - back)):
        p, out = starts.astype(np.float32).copy(), []
        for _ in range(count):
            a = field.at(angle, p) + lean
            p = p + sign * stride * np.stack([np.cos(a), np.sin(a)], -1)
            out.append(p)
        half.append(out)
    return np.stack(half[0][::-1] + [starts.astype(np.float32)] + half[1], 1)


def lay(canvas, paths, widths, colours, marks, rng, hair=12.0, cover=0.94, body=1.0, ends=None):
    """Paint strokes in order. `hair`: tone of the bristles; `body`: thickness of the paint;
    `ends`: colours at the strokes' tails, where a brush carries two."""
    h, w = canvas.height.shape
    flat_c, flat_h = canvas.colour.reshape(-1, 3), canvas.height.reshape(-1)
    picks = rng.integers(0, len(marks), len(paths))
    flips = rng.random(len(paths)) < 0.5
    for i, path in enumerate(paths):
        p = path * SS
        seg = np.hypot(*np.diff(p, axis=0).T)
        length, width = float(seg.sum()), widths[i] * SS
        nu, nv = max(6, int(length / 0.62)), max(4, int(width / 0.62))
        s = np.concatenate([[0], np.cumsum(seg)]) / max(length, 1e-6)
        u = np.linspace(0, 1, nu)
        x, y = np.interp(u, s, p[:, 0]), np.interp(u, s, p[:, 1])
        tx, ty = np.gradient(x), np.gradient(y)
        norm = np.hypot(tx, ty) + 1e-6
        tx, ty = tx / norm, ty / norm
        v = np.linspace(-0.5, 0.5, nv) * width
        px = (x[:, None] - ty[:, None] * v).astype(np.int32)
        py = (y[:, None] + tx[:, None] * v).astype(np.int32)
        tone, high, alpha = marks[picks[i]]
        iu = np.linspace(0, ALONG - 1, nu).astype(int)[:, None]
        iv = np.linspace(0, ACROSS - 1, nv).astype(int)[None, :]
        if flips[i]:
            iv = iv[:, ::-1]
        a = alpha[iu, iv] * cover
        ok = (px >= 0) & (px < w) & (py >= 0) & (py < h) & (a > 0.02)
        if not ok.any():
            continue
        at = (py * w + px)[ok]
        a = a[ok][:, None]
        c = colours[i][None, None, :]
        if ends is not None:
            c = c + (ends[i] - colours[i])[None, None, :] * (u**1.5)[:, None, None]
        c = np.broadcast_to(c, (nu, 1, 3)) + hair * tone[iu, iv][..., None]
        # Repeated pixels keep their last sample: right for a ribbon that covers itself.
        flat_c[at] = flat_c[at] * (1 - a) + c[ok] * a
        flat_h[at] = flat_h[at] * (1 - a[:, 0]) + (body * (high[iu, iv][ok] + 0.25 * widths[i] ** 0.5)) * a[:, 0]


def scatter(rng, size, spacing, density=None):
    """Start points on a jittered lattice in random order; `density` (0..1) thins them out."""
    n = int(np.ceil(size / spacing)) + 1
    gy, gx = np.mgrid[0:n, 0:n]
    p = (np.stack([gx, gy], -1).reshape(-1, 2) + rng.uniform(-0.7, 0.7, (n * n, 2))) * spacing
    p = rng.permutation(p)
    if density is not None:
        p = p[rng.random(len(p)) < field.at(density, p)]
    return p
