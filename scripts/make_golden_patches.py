#!/usr/bin/env python3
"""Writes tests/data/golden/patches.json: activations of the built-in network `patches` in float64, computed by plain
sums over shifted pictures, without any convolution of torch's (needs torch, safetensors). Run from the root.
"""

import json
import pathlib

import torch
from safetensors.torch import load_file

import formula

WEIGHTS = pathlib.Path("weights/patches.safetensors")
TARGET = pathlib.Path("tests/data/golden/patches.json")
HEIGHT, WIDTH, SAMPLES = 40, 48, 24
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVINGS = 3
BINOMIAL = torch.tensor([1, 4, 6, 4, 1], dtype=torch.float64) / 16
SOFTER = torch.tensor([1, 8, 1], dtype=torch.float64) / 10


def indices(length, border, mode):
    """Which place each place of the extended axis repeats; -1 for a zero."""
    at = torch.arange(-border, length + border)
    if mode == "zeros":
        return torch.where((at < 0) | (at >= length), -1, at)
    if mode == "reflect" and length > border:
        at = at.abs()
        return torch.where(at >= length, 2 * (length - 1) - at, at)
    return at.clamp(0, length - 1)


def extend(x, border, mode):
    for dim in (1, 2):
        at = indices(x.shape[dim], border, mode)
        x = x.index_select(dim, at.clamp_min(0)) * (at >= 0).view([-1, 1] if dim == 1 else [1, -1])
    return x


def convolve(x, weight, bias, mode):
    """x [C,H,W] as float64."""
    side = weight.shape[-1]
    height, width = x.shape[1:]
    wide = extend(x, side // 2, mode)
    total = bias[:, None, None].expand(-1, height, width).clone()
    for dy in range(side):
        for dx in range(side):
            total += torch.einsum("oi,ihw->ohw", weight[:, :, dy, dx], wide[:, dy : dy + height, dx : dx + width])
    return total


def blur(x, row, mode):
    height, width = x.shape[1:]
    wide = extend(x, len(row) // 2, mode)
    rows = sum(share * wide[:, k : k + height] for k, share in enumerate(row))
    return sum(share * rows[:, :, k : k + width] for k, share in enumerate(row))


def halve(x, mode):
    return blur(x, BINOMIAL, mode)[:, ::2, ::2]


def layers(weights, mode):
    x = formula.picture(1, HEIGHT, WIDTH)[0]
    x = (x - torch.tensor(MEAN, dtype=torch.float64)[:, None, None]) / torch.tensor(STD, dtype=torch.float64)[:, None, None]
    x = blur(x, SOFTER, mode)
    finest = None
    for k in range(1, len(weights) // 2 + 1):
        x = convolve(x, weights[f"conv{k}.weight"], weights[f"conv{k}.bias"], mode)
        yield f"conv{k}", x
        x = x.clamp_min(0)
        yield f"relu{k}", x
        if k <= HALVINGS:
            if finest is not None:
                yield f"cross{k}", torch.cat([finest, x])
                finest = halve(finest, mode)
            x = halve(x, mode)
            finest = x if finest is None else finest
            yield f"half{k}", x


def described(name, x):
    flat = x.flatten()
    kept = [(formula.seed(name) + k * 2654435761) % flat.numel() for k in range(SAMPLES)]
    return {
        "name": name,
        "shape": [1, *x.shape],
        "mean": float(f"{flat.mean():.9g}"),
        "rms": float(f"{flat.square().mean().sqrt():.9g}"),
        "values": [float(f"{value:.9g}") for value in flat[torch.tensor(kept)].tolist()],
    }


def main():
    weights = {key: value.double() for key, value in load_file(WEIGHTS).items()}
    variants = {
        variant: [described(*layer) for layer in layers(weights, mode)]
        for variant, mode in (("plain", "zeros"), ("reflect", "reflect"), ("replicate", "replicate"))
    }
    found = {"height": HEIGHT, "width": WIDTH, "variants": variants}
    TARGET.write_text(json.dumps(found, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
