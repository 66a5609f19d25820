"""Judges of a stylised picture that took no part in making it: wavelet statistics, or a network from a file.

Both give (content, style): |F-P|^2/|P|^2 and the mean over scales of |G-A|^2/|A|^2. The program's script knows no
network but the one it trains, so its own log uses the wavelets; a file of SqueezeNet 1.0, if one has it, is stricter.
"""
import math

import torch
import torch.nn.functional as F

from .net import gram, normalise


def _bank():
    y, x = torch.meshgrid(*[torch.arange(7) - 3.0] * 2, indexing="ij")
    out = []
    for k in range(6):
        t = math.pi * k / 6
        u, v = x * math.cos(t) + y * math.sin(t), y * math.cos(t) - x * math.sin(t)
        envelope = torch.exp(-(u**2 + (0.6 * v) ** 2) / 2 / 1.6**2)
        for wave in (torch.cos(u * math.pi / 2), torch.sin(u * math.pi / 2)):
            f = envelope * wave
            f = f - envelope * f.sum() / envelope.sum()
            out.append(f / f.norm())
    return torch.stack(out)[:, None]


BANK = _bank()
OPPONENT = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]) / torch.tensor([3.0, 2, 6]).sqrt()[:, None]


def wavelets(x, octaves=4):
    """Per octave the moduli of six orientations in three opponent colours, those of the next octave, the colours."""
    x = torch.einsum("ij,njhw->nihw", OPPONENT, x - 0.5)
    moduli, colours = [], []
    for _ in range(octaves + 1):
        r = F.conv2d(F.pad(x, (3,) * 4, mode="reflect").transpose(0, 1), BANK)
        r = (r[:, 0::2].square() + r[:, 1::2].square() + 1e-8).sqrt()
        moduli.append(r.reshape(1, -1, *r.shape[2:]))
        colours.append(x)
        x = F.avg_pool2d(x, 2, ceil_mode=True)
    out = []
    for k in range(octaves):
        size = moduli[k].shape[2:]
        coarse = F.interpolate(moduli[k + 1], size, mode="bilinear", align_corners=False)
        out.append(torch.cat([moduli[k], coarse, colours[k]], 1))
    return out


def network(weights):
    """Judge's features from a file of SqueezeNet 1.0 under torchvision's keys: its layers 1, 3, 4, 7 and 9."""

    def conv(key, x, border=0, stride=1):
        w = weights[f"features.{key}.weight"].float()
        return F.relu(F.conv2d(x, w, weights[f"features.{key}.bias"].float(), padding=border, stride=stride))

    def features(x):
        x = conv("0", F.pad(normalise(x), (3,) * 4, mode="reflect"), stride=2)
        found = [x]
        for n in range(2, 10):
            if n in (2, 6):
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            else:
                s = conv(f"{n}.squeeze", x)
                x = torch.cat([conv(f"{n}.expand1x1", s), conv(f"{n}.expand3x3", s, border=1)], 1)
            found += [x] if n in (3, 4, 7, 9) else []
        return found

    return features


@torch.no_grad()
def judge(features, content, style, result, anchor=1):
    c, s, r = features(content), features(style), features(result)
    far = ((r[anchor] - c[anchor]).square().sum() / c[anchor].square().sum()).item()
    per = []
    for a, b in zip(s, r):
        a, b = gram(a), gram(b)
        per.append(((a - b).square().sum() / a.square().sum()).item())
    return far, sum(per) / len(per), per
