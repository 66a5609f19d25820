#!/usr/bin/env python3
"""The plain PyTorch loop that benches/iteration.rs is measured against (needs torch).

The same network with the same weights on the same pictures, the same layers and terms, the gradient with respect to
the image alone, torch.optim.LBFGS with one evaluation a step. Written as one would write it in a notebook. Says J at
the start and the multiply-adds of one forward pass; then, for every number N read, runs N iterations and answers with
the seconds they took and J.
"""

import argparse
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

import formula

ALPHA, BETA, LAMBDA, TV = 1.0, 150.0, 0.2, 0.05
FIRE = {  # index in torchvision's `features`: name, channels in, squeezed, each expanded
    "squeezenet1_0": [
        (3, "fire2", 96, 16, 64), (4, "fire3", 128, 16, 64), (5, "fire4", 128, 32, 128), (7, "fire5", 256, 32, 128),
        (8, "fire6", 256, 48, 192), (9, "fire7", 384, 48, 192), (10, "fire8", 384, 64, 256),
        (12, "fire9", 512, 64, 256),
    ],
}

multiply_adds = 0


def convolve(x, weight, bias=None, stride=1, padding=0, groups=1):
    global multiply_adds
    y = F.conv2d(x, weight, bias, stride=stride, padding=padding, groups=groups)
    multiply_adds += y.numel() * weight[0].numel()
    return y


def load(key, *shape):
    return formula.tensor(f"{key}.weight", shape).float(), formula.tensor(f"{key}.bias", shape[:1]).float()


class Network:
    """What VGG and SqueezeNet share."""

    def __init__(self, padding):
        self.padding = padding
        self.mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)

    def conv(self, x, parameters, stride=1, zeros=0):
        border = parameters[0].shape[-1] // 2
        if self.padding == "zeros" or border == 0:
            return convolve(x, *parameters, stride=stride, padding=zeros)
        return convolve(F.pad(x, (border,) * 4, mode="reflect"), *parameters, stride=stride)


class Vgg19(Network):
    style = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    content = ["relu4_2"]

    def __init__(self, padding):
        super().__init__(padding)
        self.layers, channels = [], 3
        for block, (out, depth) in enumerate(zip([64, 128, 256, 512, 512], [2, 2, 4, 4, 4]), 1):
            for place in range(1, depth + 1):
                parameters = load(f"features.{len(self.layers)}", out, channels, 3, 3)
                self.layers += [(f"conv{block}_{place}", parameters), (f"relu{block}_{place}", None)]
                channels = out
            self.layers.append((f"pool{block}", None))

    def __call__(self, image, wanted):
        x, found = (image - self.mean) / self.std, {}
        for name, parameters in self.layers:
            if name.startswith("conv"):
                x = self.conv(x, parameters, zeros=1)
            elif name.startswith("relu"):
                x = F.relu(x)
            else:
                x = F.max_pool2d(x, 2, 2)
            if name in wanted:
                found[name] = x
                if len(found) == len(wanted):
                    return found


class SqueezeNet(Network):
    style = ["relu1", "fire2", "fire3", "fire5", "fire7"]
    content = ["fire2"]

    def __init__(self, padding):
        super().__init__(padding)
        self.first = load("features.0", 96, 3, 7, 7)
        self.fires = {}
        for index, name, inp, squeeze, expand in FIRE["squeezenet1_0"]:
            key = f"features.{index}"
            self.fires[index] = (
                name,
                load(f"{key}.squeeze", squeeze, inp, 1, 1),
                load(f"{key}.expand1x1", expand, squeeze, 1, 1),
                load(f"{key}.expand3x3", expand, squeeze, 3, 3),
            )

    def __call__(self, image, wanted):
        x = F.relu(self.conv((image - self.mean) / self.std, self.first, stride=2))
        found = {"relu1": x} if "relu1" in wanted else {}
        for index in range(2, 13):
            if index not in self.fires:
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
                continue
            name, squeeze, one, three = self.fires[index]
            narrow = F.relu(self.conv(x, squeeze))
            x = torch.cat([F.relu(self.conv(narrow, one)), F.relu(self.conv(narrow, three, zeros=1))], 1)
            if name in wanted:
                found[name] = x
                if len(found) == len(wanted):
                    return found


def gabors(size, wavelength, sigma, aspect, phases):
    radius, bank = size // 2, []
    y, x = torch.meshgrid(*(torch.arange(-radius, radius + 1, dtype=torch.float64),) * 2, indexing="ij")
    for phase in phases:
        for orientation in range(8):
            angle = math.pi * orientation / 8
            across = x * math.cos(angle) + y * math.sin(angle)
            along = y * math.cos(angle) - x * math.sin(angle)
            envelope = torch.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2))
            wave = envelope * torch.cos(2 * math.pi * across / wavelength - phase)
            wave = wave - wave.mean()
            bank.append(wave / wave.norm())
    return torch.stack(bank).unsqueeze(1).float()


class Scatter:
    """src/stylize/backbone/scatter.rs, function by function."""

    style = ["octave1", "octave2", "octave3", "octave4", "octave5"]
    content = ["energy2"]
    GAIN, COARSE_GAIN, EPS = 3.0, 0.5, 1e-4

    def __init__(self, _padding):
        a, b, c = 3**-0.5, 2**-0.5, 6**-0.5
        rows = torch.tensor([[a, a, a], [b, 0, -b], [c, -2 * c, c]], dtype=torch.float64)
        gains = torch.tensor([1.0, 1.5, 2.0], dtype=torch.float64).reshape(3, 1)
        self.opponent = (rows * gains).float().reshape(3, 3, 1, 1)
        line = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
        self.blur = (line[:, None] * line).reshape(1, 1, 5, 5)
        quadrature = [0.0, math.pi / 2]
        self.bank = gabors(7, 4.0, 1.8, 0.55, quadrature)
        self.coarse_bank = gabors(7, 5.0, 2.0, 0.55, quadrature)
        self.finest = gabors(3, 2.2, 0.9, 1.0, [0.0])

    def halve(self, x):
        channels = x.shape[1]
        x = F.pad(x, (2, 2, 2, 2), mode="reflect")
        return convolve(x, self.blur.repeat(channels, 1, 1, 1), stride=2, groups=channels)

    def filter(self, bank, x):
        _, channels, h, w = x.shape
        border = bank.shape[-1] // 2
        return convolve(F.pad(x.reshape(channels, 1, h, w), (border,) * 4, mode="reflect"), bank)

    def moduli(self, responses):
        channels, _, h, w = responses.shape
        power = responses[:, :8] ** 2 + responses[:, 8:] ** 2
        return torch.sqrt(power + self.EPS).reshape(1, 8 * channels, h, w)

    def octave(self, colours, finest):
        _, _, h, w = colours.shape
        lightness = colours[:, :1]
        responses = self.filter(self.bank, lightness if finest else colours) * self.GAIN
        signed = responses.reshape(1, -1, h, w)
        edges = [F.relu(signed), F.relu(-signed)]
        if finest:
            band = self.filter(self.finest, lightness) * self.GAIN
            edges += [F.relu(band), F.relu(-band)]
        return {"colours": colours, "edges": torch.cat(edges, 1), "moduli": self.moduli(responses)}

    def second_order(self, octave):
        maps = self.halve(octave["moduli"][:, :8])
        return torch.cat([maps, self.moduli(self.filter(self.coarse_bank, maps) * self.COARSE_GAIN)], 1)

    def style_features(self, octaves, level):
        octave = octaves[level]
        h, w = octave["colours"].shape[2:]
        parts = [octave["edges"], octave["colours"], torch.full((1, 1, h, w), 0.5)]
        if level + 1 < len(octaves):
            coarser = octaves[level + 1]["moduli"]
            parts.append(F.interpolate(coarser, size=(h, w), mode="bilinear", align_corners=False))
        else:
            parts.append(octave["moduli"])
        if level > 0:
            parts.append(self.second_order(octaves[level - 1]))
        return torch.cat(parts, 1)

    def energy(self, octave):
        maps = torch.cat([octave["moduli"], octave["colours"]], 1)
        return F.avg_pool2d(maps, 4, 4, ceil_mode=True, count_include_pad=False)

    def __call__(self, image, wanted):
        colours, octaves = convolve(image - 0.5, self.opponent), []
        for level in range(5):
            octaves.append(self.octave(colours, level == 0))
            if level < 4:
                colours = self.halve(colours)
        found = {}
        for name in wanted:
            level = int(name[-1]) - 1
            found[name] = self.energy(octaves[level]) if "energy" in name else self.style_features(octaves, level)
        return found


NETWORKS = {"vgg19": Vgg19, "squeezenet1_0": SqueezeNet, "patches": Scatter}


def gram(features):
    flat = features.reshape(features.shape[1], -1)
    return flat @ flat.t() / flat.shape[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("padding", choices=["reflect", "zeros"])
    parser.add_argument("height", type=int)
    parser.add_argument("width", type=int)
    parser.add_argument("threads", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    network = NETWORKS[arguments.network](arguments.padding)
    wanted = list(dict.fromkeys(network.style + network.content))
    content, style, start = (formula.picture(k, arguments.height, arguments.width).float() for k in (1, 2, 3))
    with torch.no_grad():
        targets = {name: gram(f) for name, f in network(style, wanted).items() if name in network.style}
        contents = {name: f for name, f in network(content, wanted).items() if name in network.content}
    x = start.clone().requires_grad_(True)

    def objective():
        features = network(x, wanted)
        j = TV * ((x[..., 1:, :] - x[..., :-1, :]) ** 2).mean() + TV * ((x[..., 1:] - x[..., :-1]) ** 2).mean()
        for name, target in targets.items():
            j = j + BETA * LAMBDA * ((gram(features[name]) - target) ** 2).sum() / (target**2).sum()
        for name, target in contents.items():
            j = j + ALPHA / len(contents) * ((features[name] - target) ** 2).sum() / (target**2).sum()
        return j

    optimizer = torch.optim.LBFGS([x], max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)

    def closure():
        optimizer.zero_grad()
        j = objective()
        j.backward()
        return j

    global multiply_adds
    multiply_adds = 0
    j = objective().item()
    with torch.no_grad():
        counted, sizes = multiply_adds, [features.shape for features in network(start, network.style).values()]
    grams = sum(channels * channels * h * w for _, channels, h, w in sizes)
    hello = {"j": j, "multiply_adds": counted, "gram_multiply_adds": grams, "torch": torch.__version__}
    print(json.dumps(hello), flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        for _ in range(int(line)):
            j = optimizer.step(closure)
        print(json.dumps({"seconds": time.perf_counter() - begin, "j": j.item()}), flush=True)


if __name__ == "__main__":
    main()
