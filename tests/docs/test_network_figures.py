"""The figures of models show the models: every parameter of a network, every step of others."""

from __future__ import annotations

import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

from eegvit import registry

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "scripts"))

import model_pages
import network_figures

MADE_OF_OTHERS = {"fusion", "braindecode", *network_figures.WITHOUT}


@pytest.mark.parametrize("name", network_figures.NETWORKS)
def test_every_parameter_is_of_one_stage(name: str) -> None:
    model = model_pages.with_defaults(registry.lookup(registry.BRANCHES, name))
    network = network_figures.network_of(model, model_pages.SHAPE)
    for own, _ in network.named_parameters():
        stages = [s for s in network_figures.NETWORKS[name] if network_figures.belongs(own, s)]
        assert len(stages) == 1, own
    shown = network_figures.of_network(name, network)
    learned = [int(stage.beside.replace(",", "")) for stage in shown if stage.beside]
    assert sum(learned) == sum(p.numel() for p in network.parameters())
    for stage, told in zip(shown, network_figures.NETWORKS[name], strict=True):
        assert bool(stage.beside) == bool(told["learns"])


@pytest.mark.parametrize("name", registry.BRANCHES)
def test_every_model_has_a_figure_unless_it_is_made_of_others(name: str) -> None:
    page = model_pages.model_page(name)
    _, figure, rest = page.partition("<figure>")
    assert bool(figure) == (name not in MADE_OF_OTHERS)
    if figure:
        svg = xml.etree.ElementTree.fromstring(rest.partition("<figcaption>")[0])
        texts = [part.text for part in svg.iter("text")]
        assert texts[:2] == ["a trial", "22 channels x 500 samples"] and len(texts) > 4
