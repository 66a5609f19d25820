"""The network `brush`: SqueezeNet 1.0's shape up to fire7 (Iandola et al. 2016), with batch norm while it is trained.

`Brush` is trained; `fold` turns it into plain convolutions under torchvision's keys; `run` computes layers from such
tensors the way the program does, so it also runs SqueezeNet's own file.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FIRST = 96
FIRES = {3: (96, 16, 64), 4: (128, 16, 64), 5: (128, 32, 128), 7: (256, 32, 128), 8: (256, 48, 192), 9: (384, 48, 192)}
POOLS = (2, 6)
LAYERS = {"relu1": 1, "fire2": 3, "fire3": 4, "fire4": 5, "fire5": 7, "fire6": 8, "fire7": 9}
STYLE = ("relu1", "fire2", "fire3", "fire5", "fire7")
MOST_GAIN = 4.0


def normalise(x):
    return (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]


def gabors(generator, count=FIRST, side=7):
    """Oriented filters in luma and two opponent colours, and blobs of colour: what first layers come to be anyway."""

    def uniform(lo, hi):
        return lo + (hi - lo) * torch.rand((), generator=generator).item()

    colours = torch.tensor([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / torch.tensor([3.0, 2, 6]).sqrt()[:, None]
    y, x = torch.meshgrid(*[torch.arange(side) - side // 2.0] * 2, indexing="ij")
    out = []
    for k in range(count):
        blob = k % 8 == 7
        tone = colours[0 if k % 2 == 0 else 1 + (k // 2) % 2] + 0.25 * torch.randn(3, generator=generator)
        if blob:
            wave = torch.exp(-(x**2 + y**2) / 2 / uniform(0.8, 2.5) ** 2) * (1 if k % 16 == 7 else -1)
        else:
            t = math.pi * ((k * 0.618034) % 1)
            u, v = x * math.cos(t) + y * math.sin(t), y * math.cos(t) - x * math.sin(t)
            length = math.exp(uniform(math.log(3), math.log(10)))
            sigma = min(2.2, 0.45 * length)
            wave = torch.exp(-(u**2 + (0.6 * v) ** 2) / 2 / sigma**2)
            wave = wave * torch.cos(2 * math.pi * u / length + uniform(0, 2 * math.pi))
            wave = wave - wave.mean()
        out.append(tone[:, None, None] * wave / wave.norm())
    return torch.stack(out)


def smooth(weight):
    """Filters blurred by a binomial, whose answer at the finest frequency is nought: what a stride of two would fold
    into a lattice cannot pass."""
    k = weight.new_tensor([1, 2, 1]) / 4
    return F.conv2d(weight.flatten(0, 1)[:, None], (k[:, None] * k)[None, None], padding=1).view_as(weight)


def pool(x):
    """Averages, times two, as the program's average pooling. A maximum lets a woven grain pass for strokes."""
    return 2 * F.avg_pool2d(x, 3, 2, ceil_mode=True)


class Fire(nn.Module):
    def __init__(self, inp, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inp, squeeze, 1, bias=False)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1, bias=False)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, bias=False)
        self.narrow, self.wide = nn.BatchNorm2d(squeeze), nn.BatchNorm2d(2 * expand)

    def forward(self, x):
        x = F.relu(self.narrow(self.squeeze(x)))
        three = self.expand3x3(F.pad(x, (1, 1, 1, 1), mode="reflect"))
        return F.relu(self.wide(torch.cat([self.expand1x1(x), three], 1)))


class Brush(nn.Module):
    """Pictures [N,3,H,W] in 0..1 to a dict of the layers named in LAYERS."""

    def __init__(self, generator):
        super().__init__()
        self.conv = nn.Conv2d(3, FIRST, 7, 2, bias=False)
        self.conv.weight.data = gabors(generator)
        self.norm = nn.BatchNorm2d(FIRST)
        self.fires = nn.ModuleDict({str(n): Fire(*shape) for n, shape in FIRES.items()})
        for fire in self.fires.values():
            for conv in (fire.squeeze, fire.expand1x1, fire.expand3x3):
                fan = conv.weight[0].numel()
                conv.weight.data = torch.randn(conv.weight.shape, generator=generator) * math.sqrt(2 / fan)

    def forward(self, x):
        x = F.relu(self.norm(F.conv2d(normalise(x), smooth(self.conv.weight), stride=2)))
        found = {1: x}
        for n in range(2, 10):
            x = pool(x) if n in POOLS else self.fires[str(n)](x)
            found[n] = x
        return {name: found[n] for name, n in LAYERS.items()}


def _folded(weight, norm, part=slice(None)):
    gain = (norm.weight / (norm.running_var + norm.eps).sqrt())[part]
    bias = norm.bias[part] - norm.running_mean[part] * gain
    return weight.detach() * gain[:, None, None, None].detach(), bias.detach()


def fold(net):
    """Plain convolutions by torchvision's keys, batch norm folded in."""
    out = {}

    def put(key, pair):
        out[f"{key}.weight"], out[f"{key}.bias"] = (t.float().cpu().clone() for t in pair)

    put("features.0", _folded(smooth(net.conv.weight), net.norm))
    for n, fire in net.fires.items():
        expand = fire.expand1x1.out_channels
        put(f"features.{n}.squeeze", _folded(fire.squeeze.weight, fire.narrow))
        put(f"features.{n}.expand1x1", _folded(fire.expand1x1.weight, fire.wide, slice(0, expand)))
        put(f"features.{n}.expand3x3", _folded(fire.expand3x3.weight, fire.wide, slice(expand, None)))
    return out


def _reflect(x, border):
    return F.pad(x, (border,) * 4, mode="reflect" if min(x.shape[2:]) > border else "replicate")


def run(weights, x, wanted, largest=False):
    """Layers of `wanted` for a picture [1,3,H,W] in 0..1, borders reflected, as the program computes them.
    `largest`: maximum pooling, for SqueezeNet's own file."""

    def conv(key, x, stride=1):
        w = weights[f"{key}.weight"]
        border = w.shape[-1] // 2
        return F.relu(F.conv2d(_reflect(x, border) if border else x, w, weights[f"{key}.bias"], stride=stride))

    found, deepest = {}, max(LAYERS[name] for name in wanted)
    x = normalise(x).contiguous(memory_format=torch.channels_last)
    found[1] = x = conv("features.0", x, 2)
    for n in range(2, deepest + 1):
        if n in POOLS:
            x = F.max_pool2d(x, 3, 2, ceil_mode=True) if largest else pool(x)
        else:
            s = conv(f"features.{n}.squeeze", x)
            x = torch.cat([conv(f"features.{n}.{part}", s) for part in ("expand1x1", "expand3x3")], 1)
        found[n] = x
    return {name: found[LAYERS[name]] for name in wanted}


@torch.no_grad()
def equalise(weights, pictures, power=1.0):
    """Rescales every channel towards unit second moment over `pictures` (list of [1,3,H,W]); a ReLU network can be
    rescaled channel by channel without changing what deeper layers see. `power` below 1 goes part of the way."""
    weights = {k: v.clone() for k, v in weights.items()}
    moments = {}
    for x in pictures:
        for name, f in run(weights, x, LAYERS).items():
            moments[name] = moments.get(name, 0) + f[0].square().mean((1, 2)) / len(pictures)
    numbers = list(LAYERS.values())
    for name, moment in moments.items():
        gain = (moment.mean() / moment.clamp_min(1e-8)).sqrt().clamp(1 / MOST_GAIN, MOST_GAIN) ** power
        gain = gain / moment.mean().sqrt()
        n = LAYERS[name]
        if n == 1:
            parts = {"features.0": gain}
        else:
            half = len(gain) // 2
            parts = {f"features.{n}.expand1x1": gain[:half], f"features.{n}.expand3x3": gain[half:]}
        for key, g in parts.items():
            weights[f"{key}.weight"] *= g[:, None, None, None]
            weights[f"{key}.bias"] *= g
        later = [k for k in numbers if k > n]
        if later:
            weights[f"features.{later[0]}.squeeze.weight"] /= gain[None, :, None, None]
    return weights
