"""ukiyoe: a woodblock print of a rough sea. Flat inks with gradation, curling crests with claws of foam,
dark blue key lines, the grain of the block and of the paper.

Shapes are drawn as polygons from back to front at SS times the plate's size, then worn as a block wears.
"""
import numpy as np
from PIL import Image, ImageDraw

from . import field
from .field import noise

SS = 3
RGB = {k: np.array(v, np.float32) for k, v in {
    "paper": (238, 226, 196), "foam": (244, 237, 216), "key": (22, 38, 84), "prussian": (28, 60, 118),
    "blue": (58, 104, 156), "pale": (134, 172, 190), "mist": (186, 200, 190), "dusk": (214, 190, 150),
    "vermilion": (206, 74, 44), "rose": (224, 138, 104), "grey": (150, 152, 140), "ochre": (212, 166, 88),
}.items()}


def _ink(name):
    return tuple(int(c) for c in RGB[name])


class Print:
    """The sheet: flat inks on a large picture, polygons in plate coordinates."""

    def __init__(self, size, base):
        self.size = size
        self.image = Image.fromarray(field.to_bytes(base)).resize((size * SS,) * 2, Image.Resampling.BICUBIC)
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, points, ink):
        self.pen.polygon([(x * SS, y * SS) for x, y in points], fill=ink if isinstance(ink, tuple) else _ink(ink))

    def bokashi(self, points, stops, direction):
        """Fill with a gradation: ink wiped off the block along `direction`."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon([(x * SS, y * SS) for x, y in points], fill=255)
        p = np.asarray(points) @ np.asarray(direction)
        x, y = field.grid(self.size)
        t = (x * direction[0] + y * direction[1] - p.min()) / max(np.ptp(p), 1)
        tone = Image.fromarray(field.to_bytes(field.ramp([(a, RGB[k]) for a, k in stops], t)))
        self.image.paste(tone.resize(self.image.size), (0, 0), mask)

    def line(self, points, width, ink="key"):
        """A cut line that swells in its middle and thins out at both ends."""
        p = np.asarray(points, np.float32)
        seg = np.hypot(*np.diff(p, axis=0).T)
        s = np.concatenate([[0], np.cumsum(seg)])
        if s[-1] < 1:
            return
        n = max(8, int(s[-1] * 1.5))
        u = np.linspace(0, s[-1], n)
        x, y = np.interp(u, s, p[:, 0]), np.interp(u, s, p[:, 1])
        w = width * (0.45 + 0.55 * np.abs(np.sin(np.pi * u / s[-1])) ** 0.6) / 2
        tx, ty = np.gradient(x), np.gradient(y)
        norm = np.hypot(tx, ty) + 1e-6
        dx, dy = -ty / norm * w, tx / norm * w
        self.fill(list(zip(x + dx, y + dy)) + list(zip(x - dx, y - dy))[::-1], ink)

    def disc(self, x, y, r, ink, rim=None):
        if rim:
            self.disc(x, y, r + rim, "key")
        self.pen.ellipse([(x - r) * SS, (y - r) * SS, (x + r) * SS, (y + r) * SS], fill=_ink(ink))


def _spiral(scale, flip):
    """The lip of a breaking wave, from its foot up the back and over into the curl, about unit size."""
    t = np.linspace(0, 1, 90)
    back = np.stack([-1.9 + 1.75 * t, 0.95 * t**1.7 - 0.35], -1)
    a = np.linspace(np.pi * 0.60, -np.pi * 0.62, 80)
    r = np.linspace(0.52, 0.22, 80)
    curl = np.stack([0.16 + r * np.cos(a), 0.12 + r * np.sin(a)], -1)
    lip = np.concatenate([back[:-8], curl])
    k = np.ones(9) / 9
    lip = np.stack([np.convolve(np.pad(lip[:, i], 4, mode="edge"), k, "valid") for i in range(2)], -1)
    lip[:, 1] *= -1
    lip[:, 0] *= flip
    return lip * scale, len(back) - 8


def _fingers(rng, p, t, n, r):
    """Three hooked fingers of foam at a lobe: discs (x, y, radius) that shrink along a bent line."""
    u = np.linspace(0, 1, 12)
    for lean in (-0.75, 0.05, 0.80):
        lean = lean + rng.normal(0, 0.15)
        d = n * np.cos(lean) + t * np.sin(lean)
        reach = r * rng.uniform(1.5, 2.2)
        # All hooks bend forward, the way the wave runs.
        line = p + d * u[:, None] * reach + t * (0.75 * u[:, None] ** 2) * reach * 0.7
        yield from zip(line[:, 0], line[:, 1], r * (0.44 - 0.33 * u))


def _claws(sheet, rng, lip, first, scale, flip):
    """Foam along the lip: scalloped lobes, each ending in hooked fingers."""
    s = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(lip, axis=0).T))])
    begin, end = s[first // 2], s[-1]
    discs, arcs, u = [], [], begin
    while u < end:
        k = int(np.clip(np.searchsorted(s, u), 1, len(lip) - 2))
        t = lip[k + 1] - lip[k - 1]
        t = t / (np.hypot(*t) + 1e-6)
        n = np.array([-t[1], t[0]]) * flip  # into the hollow of the wave
        grow = min(1.0, 0.35 + 1.1 * (u - begin) / max(end - begin, 1))
        r = scale * 0.105 * grow * rng.uniform(0.75, 1.3)
        discs += [(lip[k][0], lip[k][1], r * 0.72), *_fingers(rng, lip[k], t, n, r)]
        a = np.linspace(-1.0, 1.2, 12)
        arcs.append((lip[k] + r * 0.42 * (np.cos(a)[:, None] * n + np.sin(a)[:, None] * t), r))
        u += scale * 0.125 * grow
    # All outlines first, so that the lobes run together inside one key line.
    for x, y, r in discs:
        sheet.disc(x, y, r + 1.9, "key")
    for x, y, r in discs:
        sheet.disc(x, y, r, "foam")
    for arc, r in arcs[::2]:
        sheet.line(arc, max(1.4, r * 0.15), "pale")


def _wave(sheet, rng, x, y, scale, flip, deep="prussian"):
    """One breaker: body with gradation, stripes that climb to the lip, foam."""
    lip, first = _spiral(scale, flip)
    lip = lip + (x, y)
    size = sheet.size
    t = np.linspace(0, 1, 40)[:, None]
    mouth = np.array([x + flip * 0.10 * scale, y + 0.42 * scale])
    far = np.array([x + flip * 2.2 * scale, y + 0.95 * scale])
    hollow = (1 - t) ** 2 * lip[-1] + 2 * t * (1 - t) * (mouth - (flip * 0.55 * scale, 0)) + t**2 * far
    floor = [(far[0], size + 60), (lip[0][0] - flip * 1.4 * scale, size + 60)]
    body = list(map(tuple, lip)) + list(map(tuple, hollow)) + floor
    sheet.bokashi(body, [(0, "blue"), (0.25, deep), (0.6, "blue"), (1, "pale")], (0.0, 1.0))
    # Stripes of lighter ink follow the back of the wave into the curl.
    centre = np.array([x + flip * 0.16 * scale, y - 0.12 * scale])
    inks = ("key", "pale", "foam", "pale", "key", "foam", "pale", "key")
    for i, (k, ink) in enumerate(zip(np.linspace(0.93, 0.30, 8), inks)):
        pts = centre + (lip - centre) * k + np.array([0, (1 - k) * 0.55 * scale])
        lo, hi = int(6 + 3 * i), int(len(lip) - 6 - 5.0 * i)
        sheet.line(pts[lo:hi], scale * (0.040 if ink != "key" else 0.022) * (1.15 - 0.4 * k) + 1.2, ink)
    for i in range(5):
        pts = hollow[4:] + np.array([-flip * 0.16 * scale * (i + 1) * 0.7, 0.15 * scale * (i + 1)])
        sheet.line(pts, scale * 0.034 + 1.2, ["pale", "foam", "key", "pale", "foam"][i])
    sheet.line(lip, 3.2 + scale * 0.010)
    sheet.line(hollow, 3.0 + scale * 0.008)
    _claws(sheet, rng, lip, first, scale, flip)
    # Spray thrown ahead of the claws.
    for _ in range(int(7 + scale / 8)):
        a, d = rng.uniform(-0.9, 1.3), rng.uniform(0.55, 1.05) * scale
        px, py = centre[0] + flip * d * np.cos(a), centre[1] - d * np.sin(a) + 0.1 * scale
        sheet.disc(px, py, rng.uniform(1.2, 1.6 + scale * 0.016), "foam", 1.5)


def _swell(sheet, y, height, period, phase):
    """A row of long low waves with contour lines, the sea between the breakers."""
    size = sheet.size
    x = np.arange(-20, size + 21, 4.0)
    u = (x / period + phase) % 1
    top = y - height * (np.abs(np.sin(np.pi * u)) ** 0.7)
    sheet.bokashi(list(zip(x, top)) + [(size + 20, y + height * 2.4), (-20, y + height * 2.4)],
                  [(0, "pale"), (0.3, "blue"), (1, "prussian")], (0.0, 1.0))
    for i, ink in enumerate(("key", "foam", "pale", "key", "pale", "foam")):
        sheet.line(list(zip(x, top + i * height * 0.20 + i)), (1.8, 3.4, 2.6, 1.6, 3, 2.4)[i] + height * 0.02, ink)


def _sky(size, rng):
    """Paper, a band of blue wiped downwards from the upper edge, dusk over the sea."""
    _, y = field.grid(size)
    t = y / size + 0.01 * (noise(rng, size, 200, 3) - 0.5)
    return field.ramp([(0, RGB["prussian"]), (0.06, RGB["blue"]), (0.14, RGB["mist"]), (0.21, RGB["paper"]), (0.34, RGB["dusk"]),
                       (0.41, RGB["rose"]), (0.48, RGB["paper"])], t)


def _clouds(sheet):
    """Bars of mist with round ends, outlined."""
    for x, y, w, h in ((-40, 82, 230, 12), (70, 103, 210, 10), (540, 66, 230, 11), (280, 150, 150, 9)):
        for grow, ink in ((2.2, "key"), (0, "foam")):
            sheet.fill([(x, y - h - grow), (x + w, y - h - grow), (x + w, y + h + grow), (x, y + h + grow)], ink)
            for px in (x, x + w):
                sheet.disc(px, y, h + grow, ink)


def _mountain(sheet, x, y, w, h):
    t = np.linspace(-1, 1, 60)
    top = y - h * (1 - np.abs(t) ** 0.72) * np.where(np.abs(t) < 0.06, 0.97, 1)
    ridge = list(zip(x + t * w, top))
    sheet.bokashi(ridge + [(x + w, y + 30), (x - w, y + 30)], [(0, "prussian"), (0.5, "blue"), (1, "mist")], (0.0, 1.0))
    snow = [(px, py) for (px, py) in ridge if py < y - h * 0.58]
    zig = [(px, y - h * (0.50 + 0.13 * (i % 2))) for i, px in enumerate(np.linspace(snow[-1][0] + 4, snow[0][0] - 4, 11))]
    sheet.fill(snow + zig, "foam")
    sheet.line(ridge, 3.2)


def _wear(plate, rng):
    """The block's grain in the inks, laid fibres in the paper, ink thinner in places."""
    size = plate.shape[0]
    dark = 1 - plate.mean(-1, keepdims=True) / 255
    _, y = field.grid(size)
    knots = y + 16 * noise(rng, size, 120, 3)
    grain = np.sin(knots * 1.15 + 3 * noise(rng, size, 60, 8)) * (0.4 + 0.6 * noise(rng, size, 40, 6))
    worn = field.fbm(rng, size, 60, 3)
    fibre = noise(rng, size, 3, 9) + noise(rng, size, 9, 0.33) - 1
    out = plate + (0.4 * grain * (0.3 + dark[..., 0]) + 9 * (worn - 0.5) * dark[..., 0] * 2 + 0.8 * fibre)[..., None]
    return out * 0.97 + RGB["paper"] * 0.03


def paint(size, rng):
    k = size / 720
    sheet = Print(size, _sky(size, rng))
    sheet.disc(505 * k, 146 * k, 50 * k, "vermilion", 2.4)
    _clouds(sheet)
    _mountain(sheet, 372 * k, 292 * k, 160 * k, 98 * k)
    for y, h, period in ((305, 20, 120), (340, 26, 165)):
        _swell(sheet, y * k, h * k, period * k, rng.random())
    for x, y, s, flip in ((640, 280, 92, -1), (120, 250, 150, 1), (430, 360, 80, 1), (590, 390, 128, -1), (300, 440, 110, 1),
                          (40, 460, 90, 1), (470, 530, 120, -1), (160, 560, 105, 1), (660, 570, 95, -1), (330, 630, 100, 1),
                          (560, 680, 125, -1), (60, 690, 110, 1)):
        _wave(sheet, rng, x * k, y * k, s * k, flip, "prussian" if rng.random() < 0.7 else "blue")
    plate = field.shrink(np.asarray(sheet.image, np.float32), SS)
    return field.to_bytes(_wear(plate, rng))
