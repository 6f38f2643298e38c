import pytest
import torch
from torch import nn

from mitools.backends.lending import device_of, dtype_of, lent


def network():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(4, 2))
    net[1].eval()
    net[0].weight.requires_grad_(False)
    return net


def state(net):
    """All that a pass must not change: numbers, memory, layout, gradients, modes."""
    tensors = [*net.parameters(), *net.buffers()]
    return (
        [(t.data_ptr(), t.stride(), t.requires_grad, t.dtype, t.clone()) for t in tensors],
        [part.training for part in net.modules()],
    )


def same(one, other):
    return one[1] == other[1] and all(
        a[:4] == b[:4] and torch.equal(a[4], b[4]) for a, b in zip(one[0], other[0], strict=True)
    )


@pytest.mark.parametrize("end", [None, RuntimeError, KeyboardInterrupt])
def test_a_network_comes_back_as_it_was_however_the_pass_ends(end):
    net = network()
    before = state(net)
    try:
        with lent(net):
            assert not any(part.training for part in net.modules())
            assert net[0].weight.is_contiguous(memory_format=torch.channels_last)
            net[1].running_mean.add_(1)
            if end:
                raise end
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert same(before, state(net))


def test_a_mode_that_a_network_keeps_by_itself_stays():
    class Frozen(nn.Module):
        """Merges its weights when it is evaluated, as low-rank adapters do."""

        merged = 0

        def train(self, mode=True):
            self.merged = 0 if mode else 1
            return super().train(mode)

    net = nn.Sequential(Frozen(), Frozen().eval())
    with lent(net):
        assert [part.merged for part in net] == [1, 1]
    assert [part.merged for part in net] == [0, 1]
    assert [part.training for part in net] == [True, False]


def test_an_optimiser_and_a_graph_in_flight_do_not_notice():
    net = network().train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    images = torch.randn(8, 3, 3, 3)
    loss = net(images).square().sum()
    with lent(net), torch.no_grad():
        net(images)
    loss.backward()
    weight = net[4].weight.detach().clone()
    optimiser.step()
    assert not torch.equal(weight, net[4].weight)


def test_where_a_network_lies_and_what_it_computes_in():
    assert device_of(nn.Flatten()) == torch.device("cpu")
    assert device_of(nn.Linear(2, 2, device="meta")) == torch.device("meta")
    assert device_of(nn.BatchNorm1d(2, affine=False, device="meta")) == torch.device("meta")
    assert dtype_of(nn.Flatten()) == torch.float32
    assert dtype_of(nn.Linear(2, 2).half()) == torch.float16


class Counting(nn.Module):
    """Puts a tensor in the place of each of its buffers, and registers another, at every pass."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("table", None)

    def forward(self, x):
        self.count = self.count + 1
        self.table = torch.ones(2)
        return self.linear(x) * self.table


def test_a_tensor_put_in_the_place_of_another_does_not_stay():
    class Registering(Counting):
        def forward(self, x):
            self.register_buffer("mask", torch.ones(1), persistent=False)
            self.linear.bias = nn.Parameter(torch.ones(2))
            return super().forward(x)

    net = nn.Sequential(Registering())
    count, bias = net[0].count, net[0].linear.bias
    with lent(net):
        net(torch.zeros(3, 2))
        assert net[0].count.item() == 1
    assert net[0].count is count
    assert count.item() == 0
    assert net[0].table is None
    assert net[0].linear.bias is bias
    assert list(net.state_dict()) == ["0.count", "0.linear.weight", "0.linear.bias"]
    assert not hasattr(net[0], "mask")


def test_a_script_that_counts_its_passes_comes_back():
    class Script(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x):
            self.count = self.count + 1
            return x

    net = torch.jit.script(Script())
    with lent(net):
        net(torch.zeros(3, 2))
    assert net.count.item() == 0
