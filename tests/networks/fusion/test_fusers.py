"""Fusers against plain loops over trials, branches, places and features."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from eegvit.networks.fusion.attention import HEADS, MOST, SEGMENTS, CrossAttention
from eegvit.networks.fusion.fusers import WIDTH, Concat, Gated
from eegvit.networks.fusion.maps import OverRows
from eegvit.networks.fusion.multiscale import LENGTH, Multiscale


def shaken(fuser: nn.Module) -> nn.Module:
    """Return a fuser at inference whose norms are not those of the beginning."""
    torch.manual_seed(1)
    for module in fuser.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
        if isinstance(module, OverRows) and module.weights is not None:
            module.weights.data.uniform_(-1, 1)
    return fuser.eval()


def normed(norm: nn.Module, x: Tensor) -> Tensor:
    """Normalise (n, features) feature by feature."""
    out = torch.empty_like(x)
    for f in range(x.shape[1]):
        scale = math.sqrt(norm.running_var[f].item() + norm.eps)
        out[:, f] = (x[:, f] - norm.running_mean[f]) / scale * norm.weight[f] + norm.bias[f]
    return out


def means(x: Tensor, n: int) -> Tensor:
    """Return means over n neighbourhoods of the places of (width, places)."""
    size = x.shape[1]
    parts = [x[:, i * size // n : -(-(i + 1) * size // n)] for i in range(n)]
    return torch.stack([part.mean(1) for part in parts], 1)


def test_concat_is_all_features_normalised() -> None:
    vectors = [torch.randn(5, 3), torch.randn(5, 4)]
    fuser = shaken(Concat(vectors))
    torch.testing.assert_close(fuser(vectors), normed(fuser.norm, torch.cat(vectors, 1)))


def test_gated_equals_a_loop() -> None:
    vectors = [torch.randn(4, 3), torch.randn(4, 6), torch.randn(4, 2)]
    fuser = shaken(Gated(vectors))
    told = fuser(vectors)
    for trial in range(4):
        seen = []
        for project, x in zip(fuser.project, vectors, strict=True):
            one = normed(project[0], x)[trial]
            seen.append(torch.tanh(project[1].weight @ one + project[1].bias))
        scores = fuser.gate.weight @ torch.cat(seen) + fuser.gate.bias
        for feature in range(WIDTH):
            own = [scores[b * WIDTH + feature].exp() for b in range(3)]
            expected = sum(g / sum(own) * s[feature] for g, s in zip(own, seen, strict=True))
            torch.testing.assert_close(told[trial, feature], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("n_places", [(15, 31), (1, MOST + 7, 4)], ids=str)
def test_cross_attention_equals_a_loop(n_places: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    widths = [16, 12, 5][: len(n_places)]
    maps = [[torch.randn(2, w, 1, p)] for w, p in zip(widths, n_places, strict=True)]
    fuser = shaken(CrossAttention(maps))
    told = fuser(maps)
    dim = WIDTH // HEADS
    for trial in range(2):
        tokens = []
        for b, own in enumerate(maps):
            x = own[-1][trial, :, 0]
            x = x if x.shape[1] <= MOST else means(x, MOST)
            x = normed(fuser.norm[b], x.T)  # (places, width)
            tokens.append([fuser.project[b](one) + fuser.position[b][i] for i, one in enumerate(x)])
        expected = []
        for b, own in enumerate(tokens):
            places = []
            for token in own:
                found = []
                for h in range(HEADS):
                    part = slice(h * dim, (h + 1) * dim)
                    query = fuser.query[b](token)[part]
                    weights, values = [], []
                    for o, others in enumerate(tokens):
                        for other in others if o != b else []:
                            key = fuser.key[o](other)[part]
                            weights.append(torch.exp(query @ key / math.sqrt(dim)))
                            values.append(fuser.value[o](other)[part])
                    total = sum(w * v for w, v in zip(weights, values, strict=True))
                    found.append(total / sum(weights))
                places.append(fuser.last_norm[b](token + fuser.out[b](torch.cat(found))))
            seen = torch.stack(places, 1)  # (width, places)
            expected.append(means(seen, min(SEGMENTS, seen.shape[1])).flatten())
        torch.testing.assert_close(told[trial], torch.cat(expected), atol=1e-5, rtol=1e-4)


def test_multiscale_equals_a_loop() -> None:
    torch.manual_seed(0)
    maps = [[torch.randn(3, 16, 1, 125), torch.randn(3, 8, 4, 15)], [torch.randn(3, 32, 1, 1)]]
    fuser = shaken(Multiscale(maps))
    told = fuser(maps).view(3, LENGTH, WIDTH)
    every = [x for own in maps for x in own]
    for trial in range(3):
        aligned, scores = [], []
        for i, x in enumerate(every):
            weights = fuser.over_rows[i].weights
            seen = torch.zeros(LENGTH, WIDTH)
            for row in range(x.shape[2]):
                # the norm is of each place, before times are averaged
                one = normed(fuser.norm[i], x[trial, :, row].T).T
                one = nn.functional.elu(fuser.project[i](means(one, LENGTH).T))  # (times, width)
                seen = seen + one * (1 if weights is None else weights[:, row])
            aligned.append(seen)
            scores.append(fuser.score[i](aligned[-1].mean(0)).exp())
        expected = sum(s / sum(scores) * one for s, one in zip(scores, aligned, strict=True))
        torch.testing.assert_close(told[trial], expected, atol=1e-5, rtol=1e-4)


def late(maps: list[list[Tensor]]) -> list[list[Tensor]]:
    """Return maps of which the last half of the columns of the first branch is another."""
    other = maps[0][-1].clone()
    half = other.shape[3] // 2
    other[..., half:] = torch.randn_like(other[..., half:])
    return [[*maps[0][:-1], other], *maps[1:]]


def test_what_multiscale_adds_up_is_at_the_same_time() -> None:
    torch.manual_seed(0)
    maps = [[torch.randn(3, 16, 11, 8)], [torch.randn(3, 8, 1, 32)]]
    fuser = shaken(Multiscale(maps))
    before, after = fuser.aligned(maps), fuser.aligned(late(maps))
    early = slice(0, LENGTH // 2)
    torch.testing.assert_close(after[:, :, early], before[:, :, early], atol=0, rtol=0)
    assert (after[:, 0] - before[:, 0]).abs().max() > 0.1


def test_segments_of_cross_attention_are_stretches_of_time() -> None:
    torch.manual_seed(0)
    maps = [[torch.randn(3, 16, 11, 8)], [torch.randn(3, 8, 1, 32)]]
    fuser = shaken(CrossAttention(maps))
    for out in fuser.out:  # so that places see themselves alone
        nn.init.zeros_(out.weight)
    before, after = fuser(maps), fuser(late(maps))
    (changed,) = (before != after).any(0).nonzero(as_tuple=True)
    columns = fuser.sizes[0][1]
    assert fuser.sizes[0][0] == 11 and columns == MOST // 11
    own = [int(i) % SEGMENTS for i in changed if i < SEGMENTS * WIDTH]
    assert set(own) == {1, 2, 3}  # 8 columns become 5, 5 become 4: only the first is early
    assert len(own) == len(changed)


@pytest.mark.parametrize("fuser", [CrossAttention, Multiscale])
def test_the_rows_of_a_map_are_told_apart(fuser: type) -> None:
    torch.manual_seed(0)
    maps = [[torch.randn(3, 16, 4, 8)], [torch.randn(3, 8, 1, 32)]]
    made = shaken(fuser(maps))
    turned = [[maps[0][0].flip(2)], maps[1]]
    assert (made(maps) - made(turned)).abs().max() > 0.1


@pytest.mark.parametrize("fuser", [Concat, Gated, CrossAttention, Multiscale])
def test_every_branch_learns_and_dropout_is_for_training(fuser: type) -> None:
    torch.manual_seed(0)
    seen = [torch.randn(6, 4, 3, 9), torch.randn(6, 3, 1, 20)]
    seen = [x.requires_grad_() for x in seen]
    inputs = [[x] for x in seen] if fuser.of_maps else [x.flatten(1) for x in seen]
    made = fuser(inputs, dropout=0.5)
    (made(inputs) * torch.randn(6, made.n_features)).sum().backward()
    assert all(x.grad is not None and x.grad.abs().max() > 0 for x in seen)
    made.eval()
    torch.testing.assert_close(made(inputs), made(inputs), atol=0, rtol=0)
