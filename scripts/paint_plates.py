#!/usr/bin/env python3
"""Paint the style plates of the presets: pictures of our own making, each in a manner of painting.

usage: paint_plates.py [--only NAME] [--out DIR] [--format webp|png]

Everything is drawn from seeded noise and geometry; no other picture is read. The same versions of numpy and
pillow give the same bytes. Needs: numpy, pillow.
"""
import argparse
import importlib
import pathlib
import time

import numpy as np
from PIL import Image

SIZE = 720
SEEDS = {"monet": 11, "vangogh": 22, "ukiyoe": 33, "mosaic": 44, "sketch": 55}
PRESETS = pathlib.Path(__file__).resolve().parent.parent / "presets"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", choices=SEEDS, help="paint this plate alone")
    ap.add_argument("--out", type=pathlib.Path, default=PRESETS, help="folder of the plates (default: presets/)")
    ap.add_argument("--format", choices=("webp", "png"), default="webp")
    args = ap.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in [args.only] if args.only else SEEDS:
        started = time.monotonic()
        plate = importlib.import_module(f"plates.{name}").paint(SIZE, np.random.default_rng(SEEDS[name]))
        path = args.out / f"{name}.{args.format}"
        options = {"quality": 90, "method": 6} if args.format == "webp" else {}
        Image.fromarray(plate).save(path, **options)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB  {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
