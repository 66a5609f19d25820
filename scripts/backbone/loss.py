"""The task: to know a point of a picture again among others of the same picture and of other pictures, at every layer.

A Gram matrix is rich where features differ from point to point and from each other. A task on whole views (which
texture is this?) teaches the opposite: features that are the same all over a picture, few of them. See scripts/backbone/README.md.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .net import LAYERS

REACH = {"relu1": 30, "fire2": 28, "fire3": 28, "fire4": 28, "fire5": 24, "fire6": 24, "fire7": 24}
APART = 9.0  # points nearer than this, in pixels, are neither right nor wrong answers


def gram(f):
    """[N,C,H,W] to [N,C,C] per position."""
    f = f.flatten(2)
    return f @ f.transpose(1, 2) / f.shape[2]


MOST = 96  # channels of a Gram matrix in Manners


def distances(a, b):
    """Relative squared distances |A-B|^2 / |A||B| between two lists of Gram matrices: [n,m]."""
    with torch.autocast(a.device.type, enabled=False):
        a, b = a.flatten(1).float(), b.flatten(1).float()
        na, nb = a.square().sum(1), b.square().sum(1)
        return (na[:, None] + nb[None] - 2 * a @ b.T) / ((na[:, None] * nb[None]).sqrt() + 1e-8)


class Manners(nn.Module):
    """InfoNCE over whole views: which other view is in the same manner, by the very distance of Gram matrices that
    style transfer minimises. Of a wide layer each step takes other channels by chance."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator
        self.sharpness = nn.ParameterDict({name: nn.Parameter(torch.tensor(2.0)) for name in LAYERS})

    def forward(self, layers):
        total, right = 0.0, 0.0
        for name, f in layers.items():
            if f.shape[1] > MOST:
                f = f[:, torch.randperm(f.shape[1], generator=self.generator)[:MOST].to(f.device)]
            a, b = gram(f).chunk(2)
            logits = -distances(a, b) * self.sharpness[name].exp()
            target = torch.arange(len(a), device=f.device)
            total = total + 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
            right += (logits.argmax(1) == target).float().mean().item()
        return total / len(layers), right / len(layers)


class Points(nn.Module):
    """InfoNCE (van den Oord et al. 2018) over points, both ways; every channel with mean 0 and deviation 1 over the
    batch first, so that all of them must say something; one learned sharpness a layer."""

    def __init__(self):
        super().__init__()
        self.sharpness = nn.ParameterDict({name: nn.Parameter(torch.tensor(2.0)) for name in LAYERS})

    def forward(self, layers, points, view):
        """`layers`: activations of [2*places] views; `points` [2,places,n,2]. The loss and, by layer, the share of
        points that are found."""
        places, n = points.shape[1:3]
        pixel = points[0] * view / 2
        near = torch.cdist(pixel, pixel) < APART
        same = torch.block_diag(*near) & ~torch.eye(places * n, dtype=torch.bool, device=points.device)
        target = torch.arange(places * n, device=points.device)
        total, right = 0.0, {}
        for name, f in layers.items():
            # The middles of a layer's first and last position lie REACH pixels from the middle of the view.
            at = (points * (view / 2 / REACH[name])).flatten(0, 1)[:, :, None]
            found = F.grid_sample(f.float().contiguous(), at, align_corners=True, padding_mode="border")[..., 0]
            found = found.transpose(1, 2).reshape(2, places * n, -1)
            mean, deviation = found.mean((0, 1)), found.std((0, 1))
            a, b = F.normalize((found - mean) / (deviation + 1e-3), dim=-1)
            logits = (a @ b.T * self.sharpness[name].exp()).masked_fill(same, -1e4)
            total = total + 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
            right[name] = (logits.argmax(1) == target).float().mean().item()
        return total / len(layers), right
