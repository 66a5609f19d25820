#!/usr/bin/env python3
"""Writes tests/data/golden/projections.json: deconvnet projections (Zeiler & Fergus 2013) in float64 (needs torch).

Blocks of VGG-16 (with both poolings), of SqueezeNet 1.0 (with fire modules and overlapping poolings) and of
EfficientNet-Lite0 (depthwise, blurred, residual), their weights and the picture by scripts/formula.py. Everything is done on the whole picture, layer by layer, with torch's own
transposed operators: no windows, no receptive fields. Of each projection: its root mean square over the picture, its
largest samples and some others, with their places. Run from the root.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

import formula
import lite0_reference

OUT = pathlib.Path("tests/data/golden/projections.json")
HEIGHT, WIDTH = 61, 72
LARGEST, OTHERS = 24, 16
# The program's constants are 32-bit.
MEAN, STD = (
    torch.tensor(v, dtype=torch.float32).double().reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
)


class Conv:
    def __init__(self, key, out, inp, kernel, stride=1, padding=0):
        self.weight = formula.tensor(f"{key}.weight", (out, inp, kernel, kernel))
        self.bias = formula.tensor(f"{key}.bias", (out,))
        self.stride, self.padding, self.kernel = stride, padding, kernel

    def up(self, x):
        self.size = x.shape[2:]
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def down(self, signal):
        made = [(n - 1) * self.stride - 2 * self.padding + self.kernel for n in signal.shape[2:]]
        more = [want - n for want, n in zip(self.size, made)]
        return F.conv_transpose2d(signal, self.weight, None, self.stride, self.padding, more)


class Relu:
    def up(self, x):
        return F.relu(x)

    def down(self, signal):
        return F.relu(signal)


class MaxPool:
    def __init__(self, kernel, stride, ceil):
        self.options = dict(kernel_size=kernel, stride=stride, ceil_mode=ceil)

    def up(self, x):
        self.size = x.shape
        y, self.switches = F.max_pool2d(x, return_indices=True, **self.options)
        return y

    def down(self, signal):
        flat = torch.zeros(self.size[0], self.size[1], self.size[2] * self.size[3], dtype=signal.dtype)
        flat.scatter_add_(2, self.switches.flatten(2), signal.flatten(2))
        return flat.reshape(self.size)


class AveragePool(MaxPool):
    """Twice the mean: it keeps the magnitudes that maximum pooling would give."""

    def up(self, x):
        self.input = x.detach().requires_grad_()
        return 2.0 * F.avg_pool2d(x, **self.options)

    def down(self, signal):
        # Linear, so its gradient is its transpose.
        with torch.enable_grad():
            y = 2.0 * F.avg_pool2d(self.input, **self.options)
            return torch.autograd.grad(y, self.input, signal)[0]


class Fire:
    def __init__(self, key, inp, narrow, wide):
        self.squeeze = Conv(f"{key}.squeeze", narrow, inp, 1)
        self.one = Conv(f"{key}.expand1x1", wide, narrow, 1)
        self.three = Conv(f"{key}.expand3x3", wide, narrow, 3, padding=1)
        self.wide = wide

    def up(self, x):
        narrow = F.relu(self.squeeze.up(x))
        return F.relu(torch.cat([self.one.up(narrow), self.three.up(narrow)], 1))

    def down(self, signal):
        signal = F.relu(signal)
        both = self.one.down(signal[:, : self.wide]) + self.three.down(signal[:, self.wide :])
        return self.squeeze.down(F.relu(both))


def vgg(pool):
    layers, inp = [], 3
    for block, (out, depth) in enumerate([(64, 2), (128, 2), (256, 1)], 1):
        for place in range(1, depth + 1):
            layers.append((f"conv{block}_{place}", Conv(f"features.{len(layers)}", out, inp, 3, padding=1)))
            layers.append((f"relu{block}_{place}", Relu()))
            inp = out
        if block < 3:
            layers.append((f"pool{block}", pool(2, 2, False)))
    return layers


def squeezenet(pool):
    layers = [("conv1", Conv("features.0", 96, 3, 7, stride=2)), ("relu1", Relu()), ("pool1", pool(3, 2, True))]
    for name, *shape in [("fire2", 96, 16, 64), ("fire3", 128, 16, 64), ("fire4", 128, 32, 128)]:
        layers.append((name, Fire(f"features.{len(layers)}", *shape)))
    layers.append(("pool4", pool(3, 2, True)))
    layers.append(("fire5", Fire(f"features.{len(layers)}", 256, 32, 128)))
    return layers


NETWORKS = {
    "vgg16": (vgg, ["conv1_2", "pool1", "relu2_1", "pool2", "conv3_1"]),
    "squeezenet1_0": (squeezenet, ["conv1", "pool1", "fire2", "fire3", "pool4", "fire5"]),
}


def picks(activations):
    """At four places, corners among them, the strongest unit of each half of the channels: of a fire module's branches
    one each."""
    _, channels, height, width = activations.shape
    found = []
    for y, x in [(0, 0), (height - 1, width - 1), (height // 2, width // 3), (height // 3, width - 1)]:
        values = activations[0, :, y, x]
        half = channels // 2
        for part in [slice(0, half), slice(half, channels)]:
            best = int(values[part].argmax()) + (part.start or 0)
            if values[best] > 0:
                found.append((best, y, x, float(values[best])))
    return found


@torch.no_grad()
def project(layers, depth, unit, y, x, value, shape):
    signal = torch.zeros(shape, dtype=torch.float64)
    signal[0, unit, y, x] = value
    for _, layer in reversed(layers[: depth + 1]):
        signal = layer.down(signal)
    return (signal / STD)[0]


def record(projection, name):
    flat = projection.flatten()
    places = flat.abs().topk(LARGEST).indices.tolist()
    start = formula.seed(name)
    places += [(start + k * 2654435761) % flat.numel() for k in range(OTHERS)]
    _, height, width = projection.shape
    samples = [[p // (height * width), p // width % height, p % width, float(f"{flat[p]:.9g}")] for p in places]
    return {"rms": float(f"{flat.square().mean().sqrt():.9g}"), "samples": samples}


@torch.no_grad()
def main():
    found = {"height": HEIGHT, "width": WIDTH, "cases": []}
    for network, (build, wanted) in NETWORKS.items():
        for pooling, pool in [("max", MaxPool), ("avg", AveragePool)]:
            layers = build(pool)
            x = (formula.picture(1, HEIGHT, WIDTH) - MEAN) / STD
            for depth, (name, layer) in enumerate(layers):
                x = layer.up(x)
                if name not in wanted or (pooling == "avg" and depth < 3):
                    continue
                for unit, row, column, value in picks(x):
                    projection = project(layers, depth, unit, row, column, value, x.shape)
                    case = dict(network=network, pooling=pooling, layer=name, unit=unit, y=row, x=column)
                    case["value"] = float(f"{value:.9g}")
                    found["cases"].append(case | record(projection, name))
    wanted = ["stem", "0.out", "1.exp", "1.dw", "2.exp", "2.out", "4.exp", "6.exp"]
    activations, down = lite0_reference.projected(formula.picture(1, HEIGHT, WIDTH), wanted)
    for name, x in activations.items():
        for unit, row, column, value in picks(x):
            signal = torch.zeros(x.shape, dtype=torch.float64)
            signal[0, unit, row, column] = value
            case = dict(network="efficientnet_lite0", pooling="max", layer=name, unit=unit, y=row, x=column)
            case["value"] = float(f"{value:.9g}")
            found["cases"].append(case | record(down(name, signal)[0], name))
    lines = json.dumps(found, separators=(",", ":")).replace('{"network"', '\n{"network"')
    OUT.write_text(lines + "\n")
    print(len(found["cases"]), "projections")


if __name__ == "__main__":
    main()
