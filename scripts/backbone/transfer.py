"""Style transfer with a weights file, as the program does it: relative losses, L-BFGS, colours matched first."""
import torch

from .net import STYLE, gram, run


def _power(matrix, exponent):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp_min(1e-12) ** exponent) @ vectors.T


def matched(content, style):
    """The linear Monge-Kantorovich map of the content's colours to the style's, its gains bounded by 3."""

    def stats(x):
        p = x[0].flatten(1).double()
        return p.mean(1, keepdim=True), torch.cov(p, correction=0) + torch.eye(3).double() / 255**2

    (m, s), (n, t) = stats(content), stats(style)
    root, inverse = _power(s, 0.5), _power(s, -0.5)
    gains, axes = torch.linalg.eigh(inverse @ _power(root @ t @ root, 0.5) @ inverse)
    a = axes @ torch.diag(gains.clamp_max(3)) @ axes.T
    out = a @ (content[0].flatten(1).double() - m) + n
    return out.float().view_as(content).clamp(0, 1)


def transfer(weights, content, style, iterations=80, beta=200.0, tv=0.05, layers=STYLE, shares=None, anchor="half2"):
    """Pictures [1,3,H,W] in 0..1; alpha is 1. `shares`: weights of the style layers, by default equal."""
    shares = shares or [1.0] * len(layers)
    start = matched(content, style)
    with torch.no_grad():
        wanted = run(weights, style, layers)
        wanted = {name: gram(wanted[name]) for name in layers}
        goal = run(weights, start, [anchor])[anchor]
    x = start.clone().requires_grad_(True)
    names = list(dict.fromkeys((*layers, anchor)))
    optimiser = torch.optim.LBFGS(
        [x], max_iter=iterations, max_eval=int(iterations * 1.25), history_size=20, tolerance_change=0, tolerance_grad=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        found = run(weights, x, names)
        loss = (found[anchor] - goal).square().sum() / goal.square().sum()
        for name, share in zip(layers, shares):
            a = wanted[name]
            loss = loss + beta * share / sum(shares) * (gram(found[name]) - a).square().sum() / a.square().sum()
        dy, dx = x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]
        loss = loss + tv * (dy.square().mean() + dx.square().mean())
        loss.backward()
        return loss

    optimiser.step(closure)
    return x.detach().clamp(0, 1)
