#!/usr/bin/env python3
"""Writes tests/data/golden/NETWORK.json: activations of torchvision's networks in float64 (needs torch, torchvision).

Weights and picture follow from scripts/formula.py, so the tests build the same networks without any file. Of every
layer: shape, mean, root mean square, and some of its values. Run from the root.
"""

import json
import pathlib

import torch
import torchvision

import formula

FOLDER = pathlib.Path("tests/data/golden")
HEIGHT, WIDTH = 40, 48
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Variant: pooling, padding mode, values kept of each layer.
VARIANTS = {
    "plain": ("max", "zeros", 64),
    "average": ("avg", "zeros", 24),
    "reflect": ("max", "reflect", 24),
    "replicate": ("max", "replicate", 24),
}


def vgg_names(depths):
    names = []
    for block, depth in enumerate(depths, 1):
        for place in range(1, depth + 1):
            names += [f"conv{block}_{place}", f"relu{block}_{place}"]
        names.append(f"pool{block}")
    return names


NETWORKS = {
    "vgg16": (torchvision.models.vgg16, vgg_names([2, 2, 3, 3, 3])),
    "vgg19": (torchvision.models.vgg19, vgg_names([2, 2, 4, 4, 4])),
    "squeezenet1_0": (
        torchvision.models.squeezenet1_0,
        "conv1 relu1 pool1 fire2 fire3 fire4 pool4 fire5 fire6 fire7 fire8 pool8 fire9".split(),
    ),
    "squeezenet1_1": (
        torchvision.models.squeezenet1_1,
        "conv1 relu1 pool1 fire2 fire3 pool3 fire4 fire5 pool5 fire6 fire7 fire8 fire9".split(),
    ),
}


class Rescaled(torch.nn.Module):
    """Average pooling, times 2: it keeps the magnitudes that maximum pooling would give."""

    def __init__(self, pool):
        super().__init__()
        self.pool = torch.nn.AvgPool2d(pool.kernel_size, pool.stride, ceil_mode=pool.ceil_mode)

    def forward(self, x):
        return 2.0 * self.pool(x)


def bordered(conv, mode):
    """The same convolution, its picture extended by its own pixels by half the kernel."""
    if mode != "zeros":
        conv.padding = tuple(size // 2 for size in conv.kernel_size)
        conv.padding_mode = mode
        conv._reversed_padding_repeated_twice = [size // 2 for size in conv.kernel_size for _ in range(2)]


def features(build, pooling, padding):
    network = build(weights=None).features.double().eval()
    for name, parameter in network.named_parameters():
        parameter.data = formula.tensor(f"features.{name}", tuple(parameter.shape))
    for name, module in list(network.named_modules()):
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
        elif isinstance(module, torch.nn.Conv2d):
            bordered(module, padding)
        elif isinstance(module, torch.nn.MaxPool2d) and pooling == "avg":
            setattr(network, name, Rescaled(module))
    return network


def places(layer, count, total):
    """Which values of a layer are kept; tests/painting/stylize/golden.rs has the same rule."""
    start = formula.seed(layer)
    return [(start + k * 2654435761) % total for k in range(count)]


@torch.no_grad()
def record(network, names, samples):
    mean, std = (torch.tensor(v, dtype=torch.float64).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    x = (formula.picture(1, HEIGHT, WIDTH) - mean) / std
    layers = []
    assert len(network) == len(names)
    for name, module in zip(names, network):
        x = module(x)
        flat = x.flatten()
        kept = flat[torch.tensor(places(name, samples, flat.numel()))]
        layers.append(
            {
                "name": name,
                "shape": list(x.shape),
                "mean": float(f"{flat.mean():.9g}"),
                "rms": float(f"{flat.square().mean().sqrt():.9g}"),
                "values": [float(f"{value:.9g}") for value in kept.tolist()],
            }
        )
    return layers


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (build, names) in NETWORKS.items():
        found = {"height": HEIGHT, "width": WIDTH, "variants": {}}
        for variant, (pooling, padding, samples) in VARIANTS.items():
            if variant != "plain" and name in ("vgg16", "squeezenet1_1"):
                continue
            found["variants"][variant] = record(features(build, pooling, padding), names, samples)
        lines = json.dumps(found, separators=(",", ":")).replace('{"name"', '\n{"name"')
        (FOLDER / f"{name}.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
