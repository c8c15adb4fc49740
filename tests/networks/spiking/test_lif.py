"""Leaky integrate-and-fire neurons, against plain loops and against snntorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from eegvit.networks.spiking import through_time
from eegvit.networks.spiking.lif import LIF, integrate_and_fire
from eegvit.networks.spiking.step_by_step import step_by_step
from eegvit.networks.spiking.surrogates import SURROGATES

RESETS = ["soft", "hard"]
SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "arctan": lambda x: 1 / (1 + (math.pi * x) ** 2),
    "fast_sigmoid": lambda x: 1 / (1 + 25 * x.abs()) ** 2,
    "triangular": lambda x: (1 - x.abs()).clamp(min=0),
}
TIMES, N, FEATURES = 120, 6, 5


class Fire(torch.autograd.Function):
    """A step with another slope, the plain way."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor, surrogate: str) -> Tensor:
        ctx.save_for_backward(distance)
        ctx.surrogate = surrogate
        return (distance > 0).to(distance.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad * SLOPES[ctx.surrogate](*ctx.saved_tensors), None


def loop(
    current: Tensor,
    leak: Tensor,
    threshold: Tensor,
    recurrent: Tensor | None,
    reset: str,
    surrogate: str,
    detach_reset: bool,
) -> tuple[Tensor, Tensor]:
    """Return spikes and potentials by the equations in the docstring of LIF."""
    u = s = torch.zeros_like(current[0])
    spikes, membrane = [], []
    for given in current.unbind():
        r = s.detach() if detach_reset else s
        u = leak * u + given if reset == "soft" else leak * ((1 - r) * u) + given
        if recurrent is not None:
            u = u + s @ recurrent.T
        if reset == "soft":
            u = u - r * threshold
        s = Fire.apply(u - threshold, surrogate)
        spikes.append(s)
        membrane.append(u)
    return torch.stack(spikes), torch.stack(membrane)


def given(recurrent: bool = False, dtype: torch.dtype = torch.float32) -> list[Tensor | None]:
    """Return current, leak, threshold and recurrent weights that make some spikes."""
    generator = torch.Generator().manual_seed(0)
    drawn = [
        0.3 + torch.randn(TIMES, N, FEATURES, generator=generator),
        0.5 + 0.45 * torch.rand(FEATURES, generator=generator),
        0.5 + torch.rand(FEATURES, generator=generator),
        0.5 * torch.randn(FEATURES, FEATURES, generator=generator),
    ]
    inputs: list[Tensor | None] = [value.to(dtype).requires_grad_() for value in drawn]
    return inputs if recurrent else [*inputs[:3], None]


def gradients(spikes: Tensor, membrane: Tensor, of: list[Tensor | None], seen: str) -> list[Tensor]:
    """Return the gradients of something of the outputs that is seen."""
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(2, *spikes.shape, generator=generator).to(spikes.dtype)
    loss = torch.zeros((), dtype=spikes.dtype)
    if seen != "membrane":
        loss = loss + (spikes * weights[0]).sum()
    if seen != "spikes":
        loss = loss + (membrane * weights[1]).sum()
    values = [value for value in of if value is not None]
    return list(torch.autograd.grad(loss, values, allow_unused=True, materialize_grads=True))


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    assert expected[0].abs().max() > 0
    for own, other in zip(found, expected, strict=True):
        assert (own - other).abs().max() <= tolerance * other.abs().max()


@pytest.mark.parametrize("seen", ["spikes", "membrane", "both"])
@pytest.mark.parametrize("recurrent", [False, True], ids=["plain", "recurrent"])
@pytest.mark.parametrize("detach", [True, False], ids=["detached", "through_reset"])
@pytest.mark.parametrize("surrogate", SLOPES)
@pytest.mark.parametrize("reset", RESETS)
def test_equals_a_loop(
    reset: Any,
    surrogate: Any,
    detach: bool,
    recurrent: bool,
    seen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(through_time, "IN_CACHE", 7 * N * FEATURES)  # 17 blocks and a rest
    inputs = given(recurrent)
    settings = {"reset": reset, "surrogate": surrogate, "detach_reset": detach}
    expected = loop(*inputs, **settings)  # type: ignore[arg-type]
    assert 0.1 < expected[0].mean() < 0.9
    wanted = gradients(*expected, inputs, seen)
    for run in (integrate_and_fire, step_by_step):
        found = run(*inputs, **settings)  # type: ignore[operator]
        assert torch.equal(found[0], expected[0])
        torch.testing.assert_close(found[1], expected[1])
        assert_close(gradients(*found, inputs, seen), wanted, 1e-5)


@pytest.mark.parametrize("detach", [True, False], ids=["detached", "through_reset"])
@pytest.mark.parametrize("reset", RESETS)
def test_exact_in_double_precision(reset: Any, detach: bool) -> None:
    inputs = given(recurrent=True, dtype=torch.float64)
    settings = {"reset": reset, "surrogate": "arctan", "detach_reset": detach}
    found = integrate_and_fire(*inputs, **settings)  # type: ignore[arg-type]
    expected = loop(*inputs, **settings)  # type: ignore[arg-type]
    assert_close(
        gradients(*found, inputs, "both"), gradients(*expected, inputs, "both"), tolerance=1e-12
    )


@pytest.mark.parametrize("surrogate", SLOPES)
@pytest.mark.parametrize("reset", RESETS)
def test_equals_snntorch(reset: Any, surrogate: Any) -> None:
    snntorch = pytest.importorskip("snntorch", reason="snntorch, the oracle, is not installed")
    inputs = given()
    current, leak, threshold, _ = inputs
    assert current is not None and leak is not None and threshold is not None
    theirs = snntorch.surrogate
    named = {
        "arctan": theirs.atan(2.0),
        "fast_sigmoid": theirs.fast_sigmoid(25),
        # the slope of snntorch's own triangular is another: plus or minus one
        "triangular": lambda distance: Fire.apply(distance, "triangular"),
    }
    mechanism = {"soft": "subtract", "hard": "zero"}[reset]
    neuron = snntorch.Leaky(
        beta=leak, threshold=threshold, spike_grad=named[surrogate], reset_mechanism=mechanism
    )
    found = integrate_and_fire(current, leak, threshold, reset=reset, surrogate=surrogate)
    expected = run_snntorch(neuron, current)
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
    assert_close(gradients(*found, inputs, "both"), gradients(*expected, inputs, "both"), 1e-5)
    own_triangular = snntorch.Leaky(
        beta=leak, threshold=threshold, spike_grad=theirs.triangular(), reset_mechanism=mechanism
    )
    assert torch.equal(run_snntorch(own_triangular, current)[0], found[0])


def run_snntorch(neuron: nn.Module, current: Tensor) -> tuple[Tensor, Tensor]:
    """Return what an snntorch neuron gives, step by step."""
    membrane = torch.zeros_like(current[0])
    spikes = torch.zeros_like(current[0])
    steps = []
    for now in current.unbind():
        if hasattr(neuron, "recurrent"):
            spikes, membrane = neuron(now, spikes, membrane)
        else:
            spikes, membrane = neuron(now, membrane)
        steps.append((spikes, membrane))
    return torch.stack([s for s, _ in steps]), torch.stack([u for _, u in steps])


def test_equals_snntorchs_recurrent_neurons() -> None:
    """Soft reset only: with a hard one, theirs lose the current of the step after a spike."""
    snntorch = pytest.importorskip("snntorch", reason="snntorch, the oracle, is not installed")
    inputs = given(recurrent=True)
    current, leak, threshold, recurrent = inputs
    assert current is not None and recurrent is not None
    neuron = snntorch.RLeaky(beta=leak, threshold=threshold, linear_features=FEATURES)
    neuron.recurrent.weight = nn.Parameter(recurrent.detach().clone())
    nn.init.zeros_(neuron.recurrent.bias)
    found = integrate_and_fire(*inputs, surrogate="arctan")  # type: ignore[arg-type]
    expected = run_snntorch(neuron, current)
    assert torch.equal(found[0], expected[0])
    wanted = gradients(*expected, [*inputs[:3], neuron.recurrent.weight], "both")
    assert_close(gradients(*found, inputs, "both"), wanted, 1e-5)


@pytest.mark.parametrize("surrogate", SLOPES)
def test_slopes_are_those_of_the_smooth_steps(surrogate: str) -> None:
    x = torch.linspace(-2, 2, 401, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(SURROGATES[surrogate].smooth(x).sum(), x)
    torch.testing.assert_close(slope, SLOPES[surrogate](x.detach()))
    torch.testing.assert_close(SURROGATES[surrogate].slope_(x.detach().clone()), slope)


@pytest.mark.parametrize("recurrent", [False, True], ids=["plain", "recurrent"])
def test_many_layers_at_once_by_vmap(recurrent: bool) -> None:
    layers = [
        LIF(FEATURES, sfreq=100.0, time_constants=(0.01, last), recurrent=recurrent)
        for last in (0.02, 0.2)
    ]
    for layer in layers:
        if layer.recurrent is not None:
            nn.init.normal_(layer.recurrent, std=0.5)
    weights, _ = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
    current = torch.randn(2, 40, N, FEATURES)

    def run(own: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.func.functional_call(layers[0], own, (x,))

    spikes, membrane = torch.vmap(run)(weights, current)
    names = list(weights)
    found = torch.autograd.grad((membrane + spikes).square().sum(), [weights[n] for n in names])
    for number, layer in enumerate(layers):
        own = layer(current[number])
        assert torch.equal(spikes[number], own[0])
        torch.testing.assert_close(membrane[number], own[1])
        own_parameters = dict(layer.named_parameters())
        wanted = torch.autograd.grad(
            (own[1] + own[0]).square().sum(), [own_parameters[n] for n in names]
        )
        assert_close([value[number] for value in found], list(wanted), 1e-5)


@pytest.mark.parametrize("reset", RESETS)
def test_can_be_exported(reset: Any) -> None:
    layer = LIF(3, sfreq=100.0, reset=reset, recurrent=True).eval()
    x = torch.randn(12, 4, 3)
    with torch.no_grad():
        expected = layer(x)
        exported = torch.export.export(layer, (x,)).module()
        found = exported(x)
    assert torch.equal(found[0], expected[0])
    torch.testing.assert_close(found[1], expected[1])


@pytest.mark.parametrize("sfreq", [100.0, 250.0])
def test_time_constants_are_in_seconds(sfreq: float) -> None:
    layer = LIF(2, sfreq=sfreq, time_constants=(0.1, 0.4), threshold=10.0)
    current = torch.zeros(int(0.4 * sfreq) + 1, 1, 2)
    current[0] = 1.0
    _, membrane = layer(current)
    torch.testing.assert_close(membrane[int(0.1 * sfreq), 0, 0], torch.tensor(math.exp(-1)))
    torch.testing.assert_close(membrane[int(0.4 * sfreq), 0, 1], torch.tensor(math.exp(-1)))


def test_learns_the_time_constants_that_made_a_potential() -> None:
    generator = torch.Generator().manual_seed(0)
    current = torch.randn(400, 8, 3, generator=generator)
    teacher, student = (
        LIF(3, sfreq=250.0, time_constants=seconds, threshold=50.0)
        for seconds in ((0.01, 0.08), (0.03, 0.03))
    )
    target = teacher(current)[1].detach()
    before = (student.time_constant / teacher.time_constant).detach().log().abs()
    optimiser = torch.optim.Adam(student.parameters(), lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        (student(current)[1] - target).square().mean().backward()
        optimiser.step()
    after = (student.time_constant / teacher.time_constant).detach().log().abs()
    assert (before[[0, 2]] > 0.9).all() and (after < 0.05).all()


def test_any_memory_layout_and_precision_of_the_current() -> None:
    current, leak, threshold, _ = given()
    assert current is not None and leak is not None and threshold is not None
    expected, _ = integrate_and_fire(current, leak, threshold)
    turned = current.detach().permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert not turned.is_contiguous()
    assert torch.equal(integrate_and_fire(turned, leak, threshold)[0], expected)
    half = integrate_and_fire(current.detach().bfloat16(), leak, threshold)[1]
    assert half.dtype == torch.float32


@pytest.mark.parametrize(
    "changes",
    [{"reset": "zero"}, {"surrogate": "atan"}, {"time_constants": (0.0, 0.1)}, {"threshold": 0.0}],
)
def test_refuses_what_makes_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        LIF(3, sfreq=250.0, **changes)
