"""Losses of self-supervised learning: tensors in, a loss for each anchor or trial out."""

from __future__ import annotations

import torch
from torch import Tensor


def contrast(
    anchors: Tensor, candidates: Tensor, positive: Tensor, weight: Tensor, temperature: float
) -> Tensor:
    """Return how badly each anchor tells its positives from all other candidates.

    With two views of each trial as anchors and as candidates this is NT-Xent [1]_; with the
    trials of a class as positives it is supervised contrast [2]_; with candidates of a slow
    copy of the network and a queue it is momentum contrast [3]_.

    Parameters
    ----------
    anchors, candidates : Tensor, shapes (anchors, d) and (candidates, d)
        Of length 1.
    positive : Tensor of bool, shape (anchors, candidates)
    weight : Tensor, shape (anchors, candidates)
        How much a candidate counts among what an anchor is told from; 0 leaves it out.
    temperature : float

    Returns
    -------
    Tensor, shape (anchors,)
        0 for an anchor without positives.

    References
    ----------
    .. [1] Chen et al., A simple framework for contrastive learning of visual
       representations. ICML 2020.
    .. [2] Khosla et al., Supervised contrastive learning. NeurIPS 2020.
    .. [3] He et al., Momentum contrast for unsupervised visual representation learning.
       CVPR 2020.

    Examples
    --------
    >>> z, two_views = torch.eye(2).repeat(2, 1), torch.eye(2).repeat(2, 2).bool()
    >>> others = 1 - torch.eye(4)
    >>> contrast(z, z, two_views & others.bool(), others, temperature=0.1).round(decimals=4)
    tensor([1.0000e-04, 1.0000e-04, 1.0000e-04, 1.0000e-04])
    """
    similarity = anchors @ candidates.T / temperature
    among = torch.logsumexp(similarity + weight.log(), dim=1, keepdim=True)
    n_positive = positive.sum(1)
    told = torch.where(positive, among - similarity, 0).sum(1)
    return torch.where(n_positive > 0, told / n_positive.clamp_min(1), 0)


def spread_of_people(z: Tensor, people: Tensor) -> Tensor:
    """Return how much the mean and covariance of embeddings differ from person to person.

    It is the squared distance of each person's mean and covariance [1]_ to the mean over
    people, averaged over people; a person with one trial has no covariance and is left out.

    Parameters
    ----------
    z : Tensor, shape (n, d)
    people : Tensor of int64, shape (n,)

    References
    ----------
    .. [1] Sun and Saenko, Deep CORAL: Correlation alignment for deep domain adaptation.
       ECCV workshops 2016.

    Examples
    --------
    >>> z = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 2.0]])
    >>> float(spread_of_people(z, torch.tensor([0, 0, 1, 1])))
    2.0
    """
    names, code = torch.unique(people, return_inverse=True)
    member = torch.nn.functional.one_hot(code, len(names)).to(z)  # (n, people)
    member = member[:, member.sum(0) > 1]
    if member.shape[1] < 2:
        return z.sum() * 0
    share = member / member.sum(0)
    mean = share.T @ z  # (people, d)
    covariance = torch.einsum("np,ni,nj->pij", share, z, z) - mean[:, :, None] * mean[:, None]
    between = (mean - mean.mean(0)).square().sum(1)
    return (between + (covariance - covariance.mean(0)).square().sum((1, 2))).mean()


def reconstruction(told: Tensor, truth: Tensor, masked: Tensor) -> Tensor:
    """Return the mean squared error of each trial over its masked patches.

    Parameters
    ----------
    told, truth : Tensor, shape (n, channels, patches, values)
    masked : Tensor of bool, shape (n, channels, patches)

    Examples
    --------
    >>> told, truth = torch.zeros(1, 1, 2, 3), torch.ones(1, 1, 2, 3)
    >>> reconstruction(told, truth, torch.tensor([[[True, False]]])).tolist()
    [1.0]
    """
    error = (told - truth).square().mean(3) * masked
    return error.sum((1, 2)) / masked.sum((1, 2)).clamp_min(1)
