"""Layer after layer: clusters of patches of the layer before; after each, a judged transfer and a checkpoint."""
import json
import pathlib
import time

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from . import judge as judges
from .clusters import learn
from .crops import crops, made
from .net import SHAPE, STYLE, convolve, halve, normalise
from .pictures import KINDS
from .transfer import transfer

PICTURES = 200
# Per layer: floor under the small variances, and the share of patches at which a filter is silent.
FLOORS = (0.1, 2.0, 2.0, 2.0)
SILENT = (0.5, 0.6, 0.6, 0.6)
PAIRS = ((900_001, 900_011), (900_002, 900_012))  # seeds of a scene and of strokes: not learned from


def pairs():
    """The log's own pairs: a made scene, to be painted like made strokes; [1,3,S,S] in 0..1."""

    def one(kind, seed):
        x = torch.from_numpy(np.clip(KINDS[kind](np.random.default_rng(seed)), 0, 255)).float() / 255
        return x.permute(2, 0, 1)[None].contiguous()

    return [(one(4, a), one(3, b)) for a, b in PAIRS]


def judged(weights, features, size):
    """Mean content and style of short transfers with the layers there are, and the style of the bare contents."""
    layers = [name for name in STYLE if f"conv{name[-1]}.weight" in weights]
    anchor = "half2" if "conv2.weight" in weights else "half1"
    total = torch.zeros(3)
    for content, style in pairs():
        content, style = (torch.nn.functional.interpolate(x, (size, size), mode="area") for x in (content, style))
        painted = transfer(weights, content, style, 60, layers=layers, anchor=anchor)
        bare = judges.judge(features, content, style, content)[1]
        total += torch.tensor([*judges.judge(features, content, style, painted)[:2], bare]) / len(PAIRS)
    return dict(zip(("content", "style", "bare"), total.tolist()))


def halved_precision(weights):
    """What the file will hold."""
    return {key: value.half().float() for key, value in weights.items()}


@torch.no_grad()
def grown(weights, maps, layer, seed):
    """The weights with one layer more, and its maps of all crops."""
    count, side, halved = SHAPE[layer - 1]
    generator = torch.Generator().manual_seed(seed * 100 + layer)
    first = layer == 1
    weight, bias = learn(maps, count, side, FLOORS[layer - 1], SILENT[layer - 1], generator, both=first)
    weights = halved_precision(weights | {f"conv{layer}.weight": weight, f"conv{layer}.bias": bias})
    maps = convolve(maps, weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"])
    return weights, halve(maps) if halved else maps


def train(args):
    folder = pathlib.Path(args.work)
    folder.mkdir(parents=True, exist_ok=True)
    log = open(folder / "log.jsonl", "a" if args.resume else "w", encoding="utf-8")
    start = time.monotonic()

    def say(**values):
        values = {"minutes": (time.monotonic() - start) / 60} | values
        line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()})
        print(line, flush=True)
        print(line, file=log, flush=True)

    features = judges.network(load_file(args.judge)) if args.judge else judges.wavelets
    pictures = made(folder / "pictures", PICTURES, say)
    maps = crops(pictures, torch.Generator().manual_seed(args.seed))
    maps = normalise(maps).to(args.device)
    weights, checkpoint = {}, folder / "layers.safetensors"
    if args.resume and checkpoint.exists():
        weights = {key: value.float() for key, value in load_file(checkpoint).items()}
        for layer in range(1, len(weights) // 2 + 1):
            maps = convolve(maps, *(weights[f"conv{layer}.{part}"].to(maps) for part in ("weight", "bias")))
            maps = halve(maps) if SHAPE[layer - 1][2] else maps
    for layer in range(len(weights) // 2 + 1, len(SHAPE) + 1):
        weights, maps = grown({k: v.to(maps) for k, v in weights.items()}, maps, layer, args.seed)
        weights = {key: value.cpu() for key, value in weights.items()}
        half = {key: value.half().contiguous() for key, value in weights.items()}
        save_file(half, checkpoint, {"format": "pt", "network": "patches"})
        say(layer=layer, **judged(weights, features, args.size))
    pathlib.Path(args.out).write_bytes(checkpoint.read_bytes())
