#!/usr/bin/env python3
"""Writes tests/data/golden/efficientnet_lite0.json: activations of every layer of EfficientNet-Lite0 in float64, with
made-up weights (scripts/formula.py), by scripts/lite0_reference.py (needs torch). Run from the root.
"""

import json
import pathlib

import torch

import formula
import lite0_reference
from make_golden_patches import described

TARGET = pathlib.Path("tests/data/golden/efficientnet_lite0.json")
HEIGHT, WIDTH = 40, 48
# Variant: borders, blurred halvings.
VARIANTS = {
    "plain": ("zeros", True),
    "reflect": ("reflect", True),
    "replicate": ("replicate", True),
    "strided": ("zeros", False),
}


@torch.no_grad()
def main():
    picture = formula.picture(1, HEIGHT, WIDTH)
    variants = {
        variant: [described(name, x[0]) for name, x in lite0_reference.layers(picture, mode, antialias)]
        for variant, (mode, antialias) in VARIANTS.items()
    }
    found = {"height": HEIGHT, "width": WIDTH, "variants": variants}
    TARGET.write_text(json.dumps(found, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
