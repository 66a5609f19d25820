#!/usr/bin/env python3
"""Draw and encode samples/demo.mp4: two seconds of a scene of our own making, with a hard cut and a chord.

usage: make_demo.py [--out FILE] [--frames DIR] [--large] [--only N[,N...]]

Shot 1 (frames 0-27): hills under drifting clouds, a mill whose sails turn, a slow pan to the right.
Shot 2 (frames 28-47): a lighthouse on a rock at dusk, waves that run in, a slow zoom.
Everything comes from seeded noise and geometry, drawn with numpy at twice the size and piped to ffmpeg, which
must have libx264. --frames also writes PNG files (with pillow; --large: in the size in which they are drawn), --only draws
just those and encodes nothing.
"""
import argparse
import pathlib
import subprocess
import tempfile
import wave

import numpy as np

WIDTH, HEIGHT, FPS, FRAMES, CUT = 320, 180, 24, 48, 28
SS = 2
W, H = WIDTH * SS, HEIGHT * SS
X, Y = np.meshgrid(np.arange(W, dtype=np.float32) / H, np.arange(H, dtype=np.float32) / H)  # the height is 1
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "samples" / "demo.mp4"


def rgb(*c):
    return np.array(c, np.float32) / 255


def step(a, lo, hi):
    t = np.clip((a - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, t):
    return a + (b - a) * np.asarray(t)[..., None]


class Noise:
    """Value noise on an endless plane: a seeded tile that repeats far outside the picture."""

    def __init__(self, seed, n=256):
        self.n, self.tile = n, np.random.default_rng(seed).random((n, n)).astype(np.float32)

    def __call__(self, x, y):
        xi, yi = np.floor(x), np.floor(y)
        u, v = x - xi, y - yi
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        x0, y0 = xi.astype(int) % self.n, yi.astype(int) % self.n
        x1, y1 = (x0 + 1) % self.n, (y0 + 1) % self.n
        t = self.tile
        return (t[y0, x0] * (1 - u) + t[y0, x1] * u) * (1 - v) + (t[y1, x0] * (1 - u) + t[y1, x1] * u) * v

    def fbm(self, x, y, octaves=5, gain=0.5):
        total, weight, norm = 0.0, 1.0, 0.0
        for i in range(octaves):
            total = total + weight * self(x * 2**i + 17.3 * i, y * 2**i + 9.1 * i)
            norm, weight = norm + weight, weight * gain
        return total / norm


CLOUD, GROUND, LEAF, SEA = Noise(3), Noise(5), Noise(7), Noise(9)


# Shot 1 -----------------------------------------------------------------------------------------------------

SUN = (1.32, 0.20)


def _morning_sky(pan, t):
    sky = mix(rgb(74, 126, 196), rgb(246, 214, 168), step(Y, 0.0, 0.62))
    d = np.hypot(X + pan * 0.1 - SUN[0], Y - SUN[1])
    sky = sky + np.exp(-((d / 0.34) ** 2))[..., None] * rgb(90, 66, 30) + np.exp(-((d / 0.10) ** 2))[..., None] * rgb(70, 60, 40)
    sky = mix(sky, rgb(255, 246, 214), step(d, 0.062, 0.054))
    # Clouds are read in perspective: flatter and closer together towards the horizon.
    depth = 1.0 / (0.78 - Y).clip(0.12)
    cx, cy = (X - 0.9) * depth * 0.85 + pan * 0.5 + 0.35 * t, depth * 1.5
    body = CLOUD.fbm(cx, cy)
    toward = CLOUD.fbm(cx + 0.10, cy + 0.07)
    cover = step(body, 0.50, 0.66) * step(Y, 0.66, 0.42)
    lit = np.clip(0.62 + 4.0 * (body - toward), 0, 1)
    return mix(sky, mix(rgb(148, 152, 178), rgb(255, 244, 226), lit), cover * 0.92)


def _ridge(pan, speed, level, swing, seed):
    x = X[0] + pan * speed
    return level + swing * (GROUND.fbm(x * 1.5 + seed, np.full_like(x, seed), 3) - 0.5), x


def _hill(picture, pan, speed, level, swing, seed, low, high, grain, haze, shade):
    """One range: slope shading from its profile, meadow noise, hedges and trees, haze with distance."""
    top, x = _ridge(pan, speed, level, swing, seed)
    slope = np.gradient(top, x)
    # Woods stand on the crest in clumps; the near hill is the mill's and stays bare.
    wood = step(LEAF(x * 3.4 + seed, 0 * x + 2), 0.48, 0.58) * step(haze, 0.1, 0.2)
    top = top - (0.010 + 0.030 * (1 - haze) * LEAF.fbm(x * 24 + seed, 0 * x + 5, 3)) * wood
    below = Y - top
    fx = X + pan * speed
    depth = (below + 0.05).clip(0.02)
    texture = LEAF.fbm(fx * grain, below * grain * 2.2 + seed, 5)
    patch = LEAF.fbm(fx * 2.6 + seed, below * 9 + seed, 2)
    tone = mix(low, high, np.clip(0.46 + 0.9 * slope[None] + 1.3 * (texture - 0.5) + 0.9 * (patch - 0.5), 0, 1))
    tone = mix(tone, rgb(214, 184, 92), step(patch, 0.60, 0.70) * 0.65 * (1 - haze))
    # Crowns of trees along the ridge and in hedges down the slope.
    crown = LEAF.fbm(fx * 26 + seed, below * 30, 3)
    hedge = np.exp(-(((LEAF(fx * 3.1 + seed, below * 10 + 3) - 0.5) / 0.035) ** 2)) * step(depth, 0.05, 0.09)
    trees = np.clip(hedge + wood * step(below + 0.02 * crown, 0.045, 0.028), 0, 1)
    tone = mix(tone, mix(rgb(26, 48, 34), rgb(92, 118, 50), crown), trees * 0.85)
    # The shadows of clouds wander over the slopes.
    tone = tone * (1 - 0.42 * step(CLOUD.fbm(fx * 1.3 + shade, below * 2.4 + seed, 3), 0.50, 0.62))[..., None]
    tone = mix(tone, rgb(206, 200, 196), np.full_like(X, haze))
    edge = step(below + 0.006 * (LEAF(fx * 60, 0 * fx + seed) - 0.5), -0.0025, 0.0025)
    return mix(picture, tone, edge)


def _mill(picture, x0, y0, turn):
    """A tower mill: a tapering white tower, a dark cap, four lattice sails and their shadow on the tower."""
    u, v = X - x0, Y - y0
    half = 0.058 + 0.030 * np.clip((v + 0.02) / 0.34, 0, 1)
    tower = step(half - np.abs(u), -0.002, 0.002) * step(v, -0.01, -0.006) * step(v, 0.345, 0.338)
    side = np.clip(u / half, -1, 1)
    stone = GROUND.fbm(u * 60, v * 60, 3)
    brick = 0.5 + 0.5 * np.sin(v * 340 + 2 * np.sin(u * 90))
    round_ = 0.40 + 0.62 * np.sqrt((1 - (side - 0.45) ** 2 * 0.52).clip(0.05))
    tone = rgb(236, 222, 196) * (round_ + 0.20 * (stone - 0.5) - 0.05 * brick)[..., None]
    door = step(0.018 - np.abs(u), -0.001, 0.002) * step(v, 0.275, 0.279)
    window = step(np.maximum(np.abs(u + 0.004) / 0.011, np.abs(v - 0.13) / 0.017), 1.1, 0.9)
    tone = mix(tone, rgb(66, 42, 34), np.maximum(door, window))
    picture = mix(picture, tone, tower)
    cap = step(np.hypot(u / 0.066, (v + 0.005) / 0.056), 1.03, 0.97) * step(v, 0.004, -0.002)
    picture = mix(picture, rgb(126, 52, 40) * (0.55 + 0.5 * np.clip(0.5 + u / 0.1, 0, 1) + 0.3 * (stone - 0.5))[..., None], cap)
    for dx, dy, ink, strength in ((-0.020, 0.030, rgb(70, 62, 70), 0.45), (0, 0, None, 1.0)):
        p, q = u - dx, v + 0.012 - dy
        for k in range(4):
            a = turn + k * np.pi / 2
            r, w = p * np.cos(a) + q * np.sin(a), -p * np.sin(a) + q * np.cos(a)
            arm = step(0.0042 - np.abs(w), -0.0015, 0.0015) * (r > 0) * step(0.235 - r, -0.002, 0.002)
            cloth = step(np.minimum(np.minimum(r - 0.05, 0.23 - r), np.minimum(w, 0.046 - w)), -0.0015, 0.0015)
            grid = np.maximum(step(np.abs(np.sin(r * 110)), 0.25, 0.1), step(np.abs(w - 0.044), 0.004, 0.002))
            if ink is None:
                sail = mix(rgb(244, 232, 204) * (0.82 + 0.16 * np.sin(a)), rgb(120, 84, 60), grid * 0.8)
                picture = mix(picture, sail, cloth * 0.96)
                picture = mix(picture, rgb(78, 52, 40), arm)
            else:
                picture = mix(picture, ink, np.maximum(arm, cloth) * strength * np.maximum(tower, cap))
    return mix(picture, rgb(60, 40, 34), step(np.hypot(u, v + 0.012), 0.013, 0.009))


def _meadow(picture, pan):
    """The near bank: tall grass, poppies and ox-eyes that pass faster than the hills."""
    top, _ = _ridge(pan, 1.5, 0.86, 0.16, 61.0)
    fx = X + pan * 1.5
    blade = LEAF.fbm(fx * 46 + 7 * (Y - 0.8), Y * 7, 3)
    below = Y - top - 0.05 * (blade - 0.5)
    tone = mix(rgb(30, 56, 26), rgb(142, 160, 60), np.clip(1.5 * blade - 0.25 + 0.5 * (0.95 - Y), 0, 1))
    picture = mix(picture, tone, step(below, -0.003, 0.004))
    rng = np.random.default_rng(21)
    for x, y, r, kind in zip(rng.uniform(-0.1, 2.6, 120), rng.random(120), rng.uniform(0.6, 1.2, 120), rng.random(120)):
        r = r * (0.008 + 0.014 * y)
        px, py = x - pan * 1.5, 0.885 + 0.12 * y
        if not -0.05 < px < W / H + 0.05:
            continue
        x0, x1 = max(0, int((px - 2 * r) * H)), max(0, int((px + 2 * r) * H) + 1)
        y0, y1 = max(0, int((py - 2 * r) * H)), int((py + 2 * r) * H) + 1
        u, v = (X[y0:y1, x0:x1] - px) / r, (Y[y0:y1, x0:x1] - py) / (r * 0.8)
        d = np.hypot(u, v) * (1 + 0.16 * np.cos(5 * np.arctan2(v, u) + 9 * kind))
        petal = rgb(216, 54, 38) if kind < 0.55 else rgb(250, 244, 228) if kind < 0.8 else rgb(240, 196, 66)
        tone = petal * (0.70 + 0.36 * np.clip(0.5 - 0.5 * v + 0.2 * u, 0, 1))[..., None]
        tone = mix(tone, rgb(48, 30, 26) if kind < 0.55 else rgb(206, 146, 40), step(d, 0.42, 0.26))
        picture[y0:y1, x0:x1] = mix(picture[y0:y1, x0:x1], tone, step(d, 1.05, 0.9))
    return picture


def morning(frame):
    t = frame / FPS
    pan = 0.16 * t
    picture = _morning_sky(pan, t)
    for speed, level, swing, seed, low, high, grain, haze in (
        (0.25, 0.57, 0.20, 11.0, rgb(70, 92, 120), rgb(140, 158, 160), 9, 0.55),
        (0.50, 0.64, 0.24, 23.0, rgb(52, 86, 66), rgb(158, 170, 92), 14, 0.22),
        (0.80, 0.76, 0.22, 37.0, rgb(40, 76, 36), rgb(170, 176, 74), 20, 0.04),
    ):
        picture = _hill(picture, pan, speed, level, swing, seed, low, high, grain, haze, 0.3 * t)
        if seed == 23.0:
            picture = _mill(picture, 0.62 - pan * 0.62, 0.41, 0.35 + 1.15 * t)
    return _meadow(picture, pan)


# Shot 2 -----------------------------------------------------------------------------------------------------


def _dusk_sky(x, y, t):
    sky = mix(mix(rgb(52, 50, 104), rgb(206, 100, 110), step(y, 0.0, 0.40)), rgb(255, 190, 104), step(y, 0.30, 0.58))
    depth = 1.0 / (0.68 - y).clip(0.10)
    body = CLOUD.fbm((x - 0.9) * depth * 0.7 + 40 + 0.25 * t, depth * 1.9 + 11)
    under = CLOUD.fbm((x - 0.9) * depth * 0.7 + 40 + 0.25 * t, depth * 1.9 + 11.12)
    lit = np.clip(0.45 + 4.5 * (body - under), 0, 1)
    cloud = mix(rgb(86, 62, 110), rgb(255, 168, 122), lit)
    return mix(sky, cloud, step(body, 0.47, 0.63) * 0.9)


def _waves(x, y, t):
    """The sea in perspective: two trains of waves, lit from the horizon, foam on the crests."""
    depth = 1.0 / (y - 0.555).clip(0.012)
    wx, wz = (x - 0.9) * depth, depth * 1.0
    warp = 0.8 * SEA.fbm(wx * 0.35, wz * 0.5 + 0.5 * t, 2)
    near = np.clip((y - 0.56) / 0.44, 0, 1)

    def height(zz):
        a = np.sin(zz * 2.6 + 5 * warp + wx * 0.35 + 3.2 * t)
        b = np.sin(zz * 5.3 - wx * 0.9 + 7 * warp + 4.4 * t)
        return 0.6 * a + 0.3 * b + 0.9 * (SEA.fbm(wx * 2.2 + 0.3 * t, zz * 5 + 1.2 * t, 4) - 0.5)

    h = height(wz)
    slope = (height(wz + 0.05) - h) / 0.05
    lit = np.clip(0.42 + 0.10 * slope + 0.12 * h, 0, 1)
    sea = mix(rgb(18, 46, 78), rgb(96, 150, 160), lit * (0.5 + 0.5 * near))
    sea = mix(sea, rgb(250, 172, 116), np.clip(slope * 0.16 - 0.05, 0, 1) * (1 - 0.65 * near))
    foam = step(h + 0.9 * (SEA.fbm(wx * 7, wz * 16 + 2 * t, 3) - 0.5), 0.72, 0.98) * step(y, 0.58, 0.72)
    sea = mix(sea, rgb(240, 226, 218), foam * 0.85)
    glow = np.exp(-(((x - 1.30) / (0.10 + 0.25 * near)) ** 2)) * np.clip(slope * 0.25, 0, 1)
    sea = sea + glow[..., None] * rgb(150, 90, 40)
    return mix(sea, rgb(240, 170, 120), step(y, 0.60, 0.556) * 0.6)


def _rock(picture, x, y, t):
    """The headland, with light on its left faces and surf at its foot."""
    top = 0.56 + 0.55 * (np.abs(x - 0.52) ** 1.5) + 0.09 * (GROUND.fbm(x * 5, 0 * x + 3, 4) - 0.5)
    top = np.where(x > 0.52, top + 0.35 * (x - 0.52).clip(0) ** 1.2, top)
    below = y - top
    face = GROUND.fbm(x * 9 + 3 * y, y * 13, 5)
    lean = GROUND.fbm(x * 9 + 3 * y + 0.16, y * 13 + 0.10, 5)
    lit = np.clip(0.40 + 3.2 * (face - lean), 0, 1)
    tone = mix(rgb(44, 34, 48), rgb(196, 132, 104), lit)
    tone = mix(tone, rgb(84, 98, 52) * (0.7 + 0.6 * face[..., None]), step(below + 0.05 * face, 0.075, 0.03))
    shore = 0.80 + 0.03 * np.sin(3.0 * t + x * 9) + 0.05 * (SEA.fbm(x * 12, y * 9 + 0.9 * t, 3) - 0.5)
    inside = step(below, -0.002, 0.003) * step(y, shore + 0.004, shore - 0.004)
    picture = mix(picture, tone, inside)
    surf = np.exp(-(((y - shore) / 0.022) ** 2)) * step(below, 0.0, 0.02) * step(SEA.fbm(x * 22, y * 30 - 2.5 * t, 3), 0.32, 0.55)
    return mix(picture, rgb(250, 240, 232), surf * 0.95)


def _lighthouse(picture, x, y, t):
    u, v = x - 0.50, y - 0.16
    half = 0.036 + 0.030 * np.clip(v / 0.42, 0, 1)
    tower = step(half - np.abs(u), -0.0015, 0.0015) * step(v, 0.036, 0.040) * step(v, 0.425, 0.415)
    side = np.clip(u / half, -1, 1)
    red = step(np.sin((v + 0.012 * side**2) * 2 * np.pi / 0.155 - 0.6), -0.06, 0.06)
    tone = mix(rgb(244, 230, 214), rgb(196, 52, 44), red)
    grime = GROUND.fbm(u * 40, v * 14, 4)
    tone = tone * (0.42 + 0.66 * np.sqrt((1 - (side - 0.55) ** 2 * 0.45).clip(0.04)) + 0.25 * (grime - 0.5))[..., None]
    window = step(np.maximum(np.abs(u) / 0.008, np.abs((v - 0.13) % 0.13 - 0.065) / 0.014), 1.1, 0.9) * (v > 0.13)
    tone = mix(tone, rgb(58, 40, 46), window)
    picture = mix(picture, tone, tower)
    gallery = step(np.maximum(np.abs(u) / 0.052, np.abs(v - 0.036) / 0.007), 1.05, 0.95)
    room = step(np.maximum(np.abs(u) / 0.026, np.abs(v - 0.004) / 0.028), 1.05, 0.95)
    roof = step(np.abs(u) - 0.036 * np.clip((v + 0.072) / 0.05, 0, 1), 0.0015, -0.0015) * step(v, -0.020, -0.024) * (v > -0.072)
    glass = rgb(255, 232, 150) * (0.85 + 0.3 * np.cos(u * 190)[..., None] * 0.4)
    picture = mix(picture, glass, room)
    picture = mix(picture, rgb(52, 40, 52) * (1.0 + 6 * np.clip(u, -0.05, 0.05))[..., None], np.maximum(gallery, roof))
    # The lamp swings round: a glow, and a beam that thins with distance.
    d = np.hypot(u, v - 0.004)
    off = v - 0.004 - 0.10 * u * np.sin(1.2 * t + 0.4)
    beam = np.exp(-((off / (0.012 + 0.10 * np.abs(u))) ** 2)) * np.exp(-np.abs(u) * 1.6)
    beam = beam * (0.5 + 0.5 * np.sin(2.2 * t + 0.6)) * step(np.abs(u), 0.02, 0.06)
    glow = 0.75 * np.exp(-((d / 0.05) ** 2)) + 0.30 * np.exp(-d / 0.12) + 0.42 * beam
    return picture + glow[..., None] * rgb(255, 214, 130) * (1 - 0.6 * picture.clip(0, 1))


def dusk(frame):
    t = (frame - CUT) / FPS
    zoom = 1 - 0.10 * t
    x, y = 0.62 + (X - 0.62) * zoom, 0.42 + (Y - 0.42) * zoom
    picture = mix(_dusk_sky(x, y, t), _waves(x, y, t), step(y, 0.556, 0.559))
    return _lighthouse(_rock(picture, x, y, t), x, y, t)


# Encoding ---------------------------------------------------------------------------------------------------


def draw(frame):
    return (morning(frame) if frame < CUT else dusk(frame)).clip(0, 1)


def halved(picture):
    return picture.reshape(HEIGHT, SS, WIDTH, SS, 3).mean((1, 3))


def bytes_of(picture):
    return np.rint(picture * 255).astype(np.uint8)


def chord(path, rate=44100):
    """A fifth, then the major chord after the cut: soft partials, faded in and out."""
    t = np.arange(int(rate * FRAMES / FPS)) / rate
    sound = np.zeros_like(t)
    for pitch, start in ((261.63, 0.0), (392.00, 0.0), (329.63, CUT / FPS), (523.25, CUT / FPS)):
        u = (t - start).clip(0)
        envelope = (1 - np.exp(-u * 25)) * np.exp(-u * 0.9)
        for k, gain in ((1, 1.0), (2, 0.28), (3, 0.10)):
            sound += gain * envelope * np.sin(2 * np.pi * pitch * k * u)
    sound *= 0.16 * np.clip(t / 0.05, 0, 1) * np.clip((t[-1] - t) / 0.35, 0, 1)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())


def encode(frames, out):
    with tempfile.TemporaryDirectory() as folder:
        tone = pathlib.Path(folder) / "tone.wav"
        chord(tone)
        command = [
            "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS),
            "-i", "-", "-i", str(tone),
            "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd,format=yuv420p",
            # One thread and bitexact muxing: the same versions give the same file.
            "-c:v", "libx264", "-preset", "veryslow", "-crf", "16", "-threads", "1",
            "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
            "-c:a", "aac", "-b:a", "64k",
            "-flags", "+bitexact", "-fflags", "+bitexact", "-movflags", "+faststart", str(out),
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE) as pipe:
            for frame in frames:
                pipe.stdin.write(frame.tobytes())
        if pipe.returncode:
            raise SystemExit(f"ffmpeg ended with {pipe.returncode}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", type=pathlib.Path, default=SAMPLE)
    ap.add_argument("--frames", type=pathlib.Path, help="folder for the frames as PNG")
    ap.add_argument("--large", action="store_true", help="PNG files of twice the size")
    ap.add_argument("--only", help="frame numbers to draw, without encoding")
    args = ap.parse_args()
    numbers = [int(n) for n in args.only.split(",")] if args.only else range(FRAMES)
    drawn = [draw(n) for n in numbers]
    frames = [bytes_of(halved(picture)) for picture in drawn]
    if args.frames:
        from PIL import Image

        args.frames.mkdir(parents=True, exist_ok=True)
        for n, frame in zip(numbers, map(bytes_of, drawn) if args.large else frames):
            Image.fromarray(frame).save(args.frames / f"{n:04}.png")
    if not args.only:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        encode(frames, args.out)
        print(f"{args.out}  {args.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
