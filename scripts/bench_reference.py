#!/usr/bin/env python3
"""The plain PyTorch loop that benches/iteration.rs is measured against (needs torch, safetensors).

The same network with the same weights on the same pictures, the same layers and terms, the gradient with respect to
the image alone, torch.optim.LBFGS with one evaluation a step. Written as one would write it in a notebook. Says J at
the start and the multiply-adds of one forward pass; then, for every number N read, runs N iterations and answers with
the seconds they took and J.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

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


class Patches(Network):
    """src/stylize/backbone/patches.rs, with the file's own weights."""

    style = ["relu1", "half1", "relu2", "relu3", "relu4"]
    content = ["half2", "relu1"]

    def __init__(self, padding):
        super().__init__(padding)
        weights = load_file("weights/patches.safetensors")
        self.convolutions = [
            (weights[f"conv{k}.weight"].float(), weights[f"conv{k}.bias"].float()) for k in range(1, 5)
        ]
        row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
        self.binomial = (row[:, None] * row[None])[None, None]
        row = torch.tensor([0.1, 0.8, 0.1])
        self.softer = (row[:, None] * row[None])[None, None].repeat(3, 1, 1, 1)

    def __call__(self, image, wanted):
        x, found = (image - self.mean) / self.std, {}
        wide = x if self.padding == "zeros" else F.pad(x, (1,) * 4, mode="reflect")
        x = convolve(wide, self.softer, padding=1 if self.padding == "zeros" else 0, groups=3)
        for k, parameters in enumerate(self.convolutions, 1):
            x = F.relu(self.conv(x, parameters, zeros=parameters[0].shape[-1] // 2))
            found[f"relu{k}"] = x
            if k < 4:
                maps = x.shape[1]
                wide = x if self.padding == "zeros" else F.pad(x, (2,) * 4, mode="reflect")
                zeros = 2 if self.padding == "zeros" else 0
                x = convolve(wide, self.binomial.repeat(maps, 1, 1, 1), stride=2, padding=zeros, groups=maps)
                found[f"half{k}"] = x
        return {name: found[name] for name in wanted}


NETWORKS = {"vgg19": Vgg19, "squeezenet1_0": SqueezeNet, "patches": Patches}


def gram(features):
    if min(features.shape[2:]) > 12:
        features = features[..., 2:-2, 2:-2]
    flat = features.reshape(features.shape[1], -1)
    return flat @ flat.t() / flat.shape[1]


def faint(features):
    """src/stylize/frame/loss/content.rs: what each position of a content layer counts."""
    local = (features**2).mean(1, keepdim=True)
    local = local - local.min()
    for _ in range(6):
        local = F.avg_pool2d(local, 3, 1, 1, count_include_pad=False)
    ratio = local / (0.2 * local.mean())
    return 1 + 12 * ratio / (1 + ratio) ** 2


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
        weights = {name: faint(f) for name, f in contents.items()}
    x = start.clone().requires_grad_(True)

    def objective():
        features = network(x, wanted)
        j = TV * ((x[..., 1:, :] - x[..., :-1, :]) ** 2).mean() + TV * ((x[..., 1:] - x[..., :-1]) ** 2).mean()
        for name, target in targets.items():
            j = j + BETA * LAMBDA * ((gram(features[name]) - target) ** 2).sum() / (target**2).sum()
        for name, target in contents.items():
            difference = weights[name] * (features[name] - target) ** 2
            j = j + ALPHA / len(contents) * difference.sum() / (target**2).sum()
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
