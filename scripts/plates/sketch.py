"""sketch: pencil and charcoal on toned paper. Hatching that follows the forms, cross-hatching in the shade,
searching contours, smudges, a little white chalk on the lights.

A tone picture of jars and fruit on a cloth decides where strokes fall; it is never shown itself.
"""
import numpy as np

from . import field
from .field import noise, step

SS = 2
PAPER = np.array([214, 202, 178], np.float32)
GRAPHITE = np.array([40, 36, 36], np.float32)
SEPIA = np.array([92, 66, 48], np.float32)
CHALK = np.array([250, 244, 228], np.float32)
LIGHT = np.array([-0.55, -0.62, 0.56])
# Round things, back to front: x, y, rx, ry (parts of the side), tone of the material, squareness of the outline.
FORMS = [(0.30, 0.45, 0.115, 0.235, 0.62, 3.2), (0.30, 0.205, 0.050, 0.080, 0.60, 3.0), (0.74, 0.50, 0.155, 0.165, 0.42, 2.2),
         (0.74, 0.335, 0.075, 0.030, 0.34, 2.6), (0.50, 0.60, 0.105, 0.100, 0.66, 2.0), (0.155, 0.66, 0.092, 0.088, 0.50, 2.0),
         (0.62, 0.70, 0.080, 0.076, 0.74, 2.0), (0.365, 0.715, 0.072, 0.068, 0.46, 2.0), (0.865, 0.70, 0.095, 0.090, 0.60, 2.0)]


def _still_life(size, rng):
    """Tone (0 dark .. 1 light), the direction of the first hatching, and the label of the form at each pixel."""
    x, y = field.grid(size)
    table = size * 0.60
    # Behind: a wall whose shade deepens to the right; in front: a cloth in folds.
    tone = 0.74 - 0.34 * x / size + 0.12 * (field.fbm(rng, size, 180, 2) - 0.5)
    angle = np.full((size, size), -0.95, np.float32) + 0.5 * (noise(rng, size, 260) - 0.5)
    warp = 44 * noise(rng, size, 300) + 8 * noise(rng, size, 120)
    fold = 0.65 * np.sin((x * 0.9 - y * 0.30 + warp * 2.4) / 31.0) + 0.35 * np.sin((x * 0.75 + y * 0.45 + warp * 2) / 47.0)
    gy, gx = np.gradient(field.blur(fold * 10, 4))
    cloth = y > table + 14 * np.sin(x / 60)
    shaded = 0.56 + 0.40 * np.clip(gx * LIGHT[0] + gy * LIGHT[1], -1, 1) + 0.10 * fold
    tone, angle = np.where(cloth, shaded, tone), np.where(cloth, field.along(field.blur(fold, 6)) + 0.9, angle)
    label = cloth.astype(int)
    for i, (cx, cy, rx, ry, material, power) in enumerate(FORMS):
        u, v = (x / size - cx) / rx, (y / size - cy) / ry
        inside = np.abs(u) ** power + np.abs(v) ** power < 1
        # Shade cast on what stands behind and below, to the lower right.
        fu, fv = (x / size - cx - 0.62 * rx) / (rx * 1.25), (y / size - cy - 0.78 * ry) / (ry * 0.42)
        tone = tone * (1 - 0.62 * step(np.hypot(fu, fv), 1.15, 0.55))
        r = np.clip(np.hypot(u, v) if power < 2.5 else np.hypot(u, 0.45 * v), 0, 0.999)
        nx, ny = u, (v if power < 2.5 else 0.45 * v)
        nz = np.sqrt(1 - r**2)
        lam = np.clip(nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2], 0, 1)
        bounce = 0.16 * np.clip(nx * 0.7 + ny * 0.5, 0, 1) * (r > 0.8)
        shine = np.clip(lam, 0, 1) ** 14 * 0.45
        body = material * (0.16 + 0.95 * lam) + bounce + shine
        tone, label = np.where(inside, body, tone), np.where(inside, 10 + i, label)
        # Hatching goes round the form: an ellipse that opens towards the rim.
        angle = np.where(inside, np.arctan2(0.75 * u, 1.0) + (0.55 if i % 2 else -0.55), angle)
    return np.clip(tone, 0, 1).astype(np.float32), angle.astype(np.float32), label


class Sheet:
    """Density of the pencil, of the sepia and of the chalk, at SS times the plate's size; paper tooth."""

    def __init__(self, size, rng):
        n = size * SS
        self.n = n
        self.layers = {k: np.zeros((n, n), np.float32) for k in ("graphite", "sepia", "chalk")}
        self.tooth = 0.6 * noise(rng, n, 3.2) + 0.4 * noise(rng, n, 7)

    def strokes(self, layer, paths, widths, press, taper=0.5):
        """Draw each path with a soft line of the given pressure; the tooth breaks light strokes up."""
        flat, tooth = self.layers[layer].reshape(-1), self.tooth.reshape(-1)
        for path, width, force in zip(paths, widths, press):
            p = path * SS
            seg = np.hypot(*np.diff(p, axis=0).T)
            s = np.concatenate([[0], np.cumsum(seg)])
            nu, nv = max(4, int(s[-1] / 0.7)), max(3, int(width * SS / 0.6))
            u = np.linspace(0, s[-1], nu)
            x, y = np.interp(u, s, p[:, 0]), np.interp(u, s, p[:, 1])
            tx, ty = np.gradient(x), np.gradient(y)
            norm = np.hypot(tx, ty) + 1e-6
            v = np.linspace(-0.5, 0.5, nv)
            px = (x[:, None] - (ty / norm)[:, None] * v * width * SS).astype(int)
            py = (y[:, None] + (tx / norm)[:, None] * v * width * SS).astype(int)
            t = u / max(s[-1], 1e-6)
            along = np.interp(t, [0, 0.06, 0.3, 1], [0.55, 1, 1, 1 - taper]) * (1 + 0.12 * np.sin(9 * t + force * 40))
            d = force * along[:, None] * np.clip(1.25 - (2 * v) ** 2, 0, 1)
            ok = (px >= 0) & (px < self.n) & (py >= 0) & (py < self.n)
            at = (py * self.n + px)[ok]
            d = d[ok] * np.clip(0.35 + 1.15 * tooth[at] + 0.5 * (d[ok] - 0.5), 0, 1)
            # A pencil over pencil darkens less than the sum of both.
            flat[at] = flat[at] + d * (1 - 0.75 * flat[at])

    def develop(self, smudge):
        out = np.broadcast_to(PAPER, (self.n, self.n, 3)).astype(np.float32)
        grain = (self.tooth - 0.5)[..., None]
        out = out * (1 - 0.035 * grain) - smudge[..., None] * (PAPER - GRAPHITE) * (0.9 + 0.25 * grain)
        for layer, ink in (("sepia", SEPIA), ("graphite", GRAPHITE), ("chalk", CHALK)):
            d = np.clip(self.layers[layer], 0, 1)[..., None] * (0.92 if layer != "chalk" else 0.85)
            out = out * (1 - d) + ink * d
        return field.to_bytes(field.shrink(out, SS))


def _hatch(rng, tone, angle, label, turn, lo, hi, spacing, length):
    """Parallel strokes of one direction where the tone is below `hi`, dense and firm towards `lo`.

    Strokes are laid in small bundles: a hand draws a few at a time, then moves on. They stop at the edge of
    a form.
    """
    size = tone.shape[0]
    heads, force = [], []
    bundles = int((size / spacing) * (size / length) / 3.2)
    for x, y in rng.uniform(0, size, (bundles, 2)):
        a = angle[int(y), int(x)] + turn
        need = step(tone[int(y), int(x)], hi, lo)
        if rng.random() > 0.15 + need or need <= 0.02:
            continue
        n = int(rng.integers(5, 11))
        k = (np.arange(n) - n / 2) * spacing * rng.uniform(0.85, 1.15) + rng.normal(0, 0.5, n)
        slip = rng.normal(0, 3.0, n)
        heads.append(np.stack([x - np.sin(a) * k + np.cos(a) * slip, y + np.cos(a) * k + np.sin(a) * slip], -1))
        force.append(np.full(n, 0.38 + 0.60 * need) * rng.uniform(0.8, 1.2, n))
    heads, force = np.concatenate(heads), np.concatenate(force)
    inside = ((heads >= 0) & (heads < size)).all(1)
    heads, force = heads[inside], force[inside]
    return _walk(rng, heads, angle + turn, tone, label, hi, length), force


def _walk(rng, heads, angle, tone, label, hi, length):
    """Curved paths centred on the heads, cut where they leave the form or reach the light."""
    paths = []
    mine = field.at(label, heads)
    steps, stride = 9, length / 16
    halves = []
    for sign in (-1, 1):
        p, alive, out = heads.copy(), np.ones(len(heads), bool), []
        reach = rng.uniform(0.55, 1.15, (len(heads), 1))
        for _ in range(steps):
            a = field.at(angle, p)
            q = p + sign * stride * reach * np.stack([np.cos(a), np.sin(a)], -1)
            alive &= (field.at(label, q) == mine) & (field.at(tone, q) < hi + 0.10)
            p = np.where(alive[:, None], q, p)
            out.append(p)
        halves.append(out)
    for line in np.stack(halves[0][::-1] + [heads] + halves[1], 1):
        keep = np.concatenate([[True], np.hypot(*np.diff(line, axis=0).T) > 1e-3])
        paths.append(line[keep] if keep.sum() > 1 else line[:2] + [[0, 0], [0.8, 0.8]])
    return paths


def _contours(rng):
    """Searching outlines: each form drawn two or three times, never quite alike, in broken arcs."""
    for cx, cy, rx, ry, _, power in FORMS:
        for _ in range(3):
            for _ in range(4):
                t0, sweep = rng.uniform(0, 2 * np.pi), rng.uniform(1.0, 3.0)
                t = t0 + np.linspace(0, sweep, 40)
                c, s = np.cos(t), np.sin(t)
                k = 1 + rng.normal(0, 0.012) + 0.012 * np.sin(2 * t + rng.uniform(0, 6))
                x = cx + k * rx * np.sign(c) * np.abs(c) ** (2 / power) + rng.normal(0, 0.0012)
                y = cy + k * ry * np.sign(s) * np.abs(s) ** (2 / power) + rng.normal(0, 0.0012)
                # Heavier on the side away from the light.
                yield np.stack([x, y], -1), 0.42 + 0.42 * max(0.0, float((c * 0.6 + s * 0.7).mean()))


def paint(size, rng):
    tone, angle, label = _still_life(size, rng)
    sheet = Sheet(size, rng)
    soft = field.blur(tone, 2)
    for turn, lo, hi, spacing, length, width, layer in (
        (0.0, 0.42, 0.90, 7.2, 84, 2.7, "sepia"), (0.0, 0.28, 0.70, 6.0, 70, 2.6, "graphite"),
        (0.95, 0.18, 0.52, 6.0, 60, 2.4, "graphite"), (-0.85, 0.06, 0.36, 5.6, 46, 2.4, "graphite"),
        (1.6, 0.0, 0.22, 5.6, 36, 3.0, "graphite"),
    ):
        paths, force = _hatch(rng, soft, angle, label, turn, lo, hi, spacing, length)
        sheet.strokes(layer, paths, width * rng.uniform(0.75, 1.3, len(paths)), force * 0.85)
    outlines = list(_contours(rng))
    sheet.strokes("graphite", [p * size for p, _ in outlines], rng.uniform(2.2, 4.2, len(outlines)),
                  [f for _, f in outlines], taper=0.7)
    lights = 1 - soft
    paths, force = _hatch(rng, lights, angle, label, 0.3, 0.05, 0.30, 5.5, 40)
    sheet.strokes("chalk", paths, rng.uniform(2.4, 4.4, len(paths)), force)
    # A finger has gone over the shades: soft grey that does not keep to the forms.
    blurred = field.blur(tone, 12) * 0.6 + 0.4 * field.blur(tone, 4)
    smudge = 0.42 * step(blurred, 0.62, 0.05) * (0.6 + 0.4 * field.fbm(rng, size, 70, 2, aspect=2))
    return sheet.develop(np.repeat(np.repeat(smudge, SS, 0), SS, 1))
