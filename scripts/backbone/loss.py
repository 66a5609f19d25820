"""The task: tell manners apart by the very distance that style transfer minimises."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .net import LAYERS


def gram(f):
    """[N,C,H,W] to [N,C,C] per position."""
    f = f.flatten(2)
    return f @ f.transpose(1, 2) / f.shape[2]


def distances(a, b):
    """Relative squared distances |A-B|^2 / |A||B| between two lists of Gram matrices: [n,m]."""
    with torch.autocast(a.device.type, enabled=False):
        a, b = a.flatten(1).float(), b.flatten(1).float()
        na, nb = a.square().sum(1), b.square().sum(1)
        return (na[:, None] + nb[None] - 2 * a @ b.T) / ((na[:, None] * nb[None]).sqrt() + 1e-8)


MOST = 96  # channels of a Gram matrix


class Contrast(nn.Module):
    """InfoNCE (van den Oord et al. 2018) over Gram distances, at every layer by itself, both ways; one learned
    sharpness a layer. Of a wide layer each step takes other channels by chance: cheaper, and no few may do it all."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator
        self.sharpness = nn.ParameterDict({name: nn.Parameter(torch.tensor(2.0)) for name in LAYERS})

    def forward(self, layers, manners):
        """`layers`: activations of 2*manners views, first views first. The loss and, by layer, the share of views
        whose nearest is their own partner."""
        total, right = 0.0, {}
        target = torch.arange(manners, device=next(iter(layers.values())).device)
        for name, f in layers.items():
            if f.shape[1] > MOST:
                f = f[:, torch.randperm(f.shape[1], generator=self.generator)[:MOST].to(f.device)]
            g = gram(f)
            logits = -distances(g[:manners], g[manners:]) * self.sharpness[name].exp()
            total = total + 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))
            right[name] = (logits.argmax(1) == target).float().mean().item()
        return total / len(layers), right
