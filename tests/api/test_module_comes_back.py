"""A network in memory is lent to an audit, and comes back as it was, however the audit ends."""

import pytest
import torch
from torch import nn

import mitools
from mitools.core.errors import InputError


def audit(encoders, data, **options):
    return mitools.audit(encoders, data, critic=False, **({"progress": False, "control": False} | options))


def snapshot(net):
    """All that must not change: numbers, memory, layout, gradients, modes, hooks, device, dtype."""
    named = [*net.named_parameters(), *net.named_buffers()]
    return {
        "tensors": [(n, t.data_ptr(), t.stride(), t.dtype, t.device, t.requires_grad) for n, t in named],
        "numbers": [t.detach().double().sum().item() for _, t in named],
        "modes": [part.training for part in net.modules()],
        "hooks": [
            [list(part._forward_hooks), list(part._forward_pre_hooks), list(part._backward_hooks)]
            for part in net.modules()
        ],
        "random": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "gradients": torch.is_grad_enabled(),
    }


class StopError(BaseException):
    """No error of a network: something that asks the whole audit to end."""


def test_after_an_audit(images, network):
    called = []
    network.layer2.register_forward_hook(lambda *_: called.append("hook"))
    before = snapshot(network)
    audit({"mine": network}, images(), control=True)
    assert snapshot(network) == before
    assert called, "the owner's hooks run in an audit as well"


def test_after_an_audit_of_its_layers(images, network):
    before = snapshot(network)
    found = audit({"mine": network}, images(), layers=["layer1", "layer3.0", "output"])
    assert found.table["encoder"].tolist() == ["mine@layer1", "mine@layer3.0", "mine@output"]
    assert snapshot(network) == before
    with pytest.raises(InputError, match="no layer 'layer9'"):
        audit({"mine": network}, images(), layers=["layer1", "layer9"])
    assert snapshot(network) == before


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt, StopError])
@pytest.mark.parametrize("layers", [None, ["layer1", "output"]])
def test_after_an_error_or_ctrl_c_in_its_forward(images, network, end, layers):
    def fail(*_):
        raise end("mine")

    network.layer2.register_forward_hook(fail)
    before = snapshot(network)
    # An error of the network's own is told as any other encoder's; what is none goes to the caller.
    with pytest.raises(InputError if end is ValueError else end, match="mine") as caught:
        audit({"mine": network}, images(), layers=layers)
    assert snapshot(network) == before
    if end is ValueError:
        assert "encoder mine fails on inputs of 3x8x8 (mine)" in str(caught.value)


@pytest.mark.parametrize("end", [StopError, KeyboardInterrupt])
@pytest.mark.parametrize("when", ["encoding by mine", "mine: certificate", "mine: metrics"])
def test_after_an_error_or_ctrl_c_anywhere_else(images, network, end, when):
    def fail(what, done, total):
        if what == when:
            raise end

    before = snapshot(network)
    with pytest.raises(end) as caught:
        audit({"mine": network}, images(), progress=fail)
    # While the traceback, and with it every frame, is still alive.
    assert caught.tb is not None
    assert snapshot(network) == before


def test_a_network_with_an_error_beside_others_is_a_failure_with_its_name(images, network):
    found = audit({"mine": network, "odd": nn.Linear(3, 2), "pixels": "builtin:pixels"}, images())
    assert found.table["encoder"].tolist() == ["mine", "pixels"]
    assert list(found.failures) == ["odd"]
    assert "encoder odd fails on inputs of 3x8x8" in found.failures["odd"]
    assert "failed: odd" in found._repr_html_()


@pytest.mark.parametrize(
    "error", [KeyError("mean"), AttributeError("no x"), ZeroDivisionError(), OSError("gone")]
)
def test_whatever_one_network_raises_the_others_are_measured(rows, error):
    class Broken(nn.Module):
        def forward(self, batch):
            raise error

    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    said = f"encoder bad fails on inputs of 3 ({words})"
    found = audit({"good": nn.Linear(3, 2), "bad": Broken()}, rows)
    assert (found.table["encoder"].tolist(), dict(found.failures)) == (["good"], {"bad": said})

    def function(batch):
        raise error

    with pytest.raises(InputError) as caught:
        audit({"bad": function}, rows)
    assert str(caught.value) == said


def test_a_preprocess_that_fails_is_a_failure_of_the_encoder(images, network):
    found = audit(
        {"mine": network, "pixels": "builtin:pixels"}, images(), preprocess=lambda image: {}["mean"]
    )
    assert dict(found.failures) == {"mine": "preprocess fails on an image of 8x8 (KeyError: 'mean')"}


def test_failures_of_one_name_are_numbered(rows):
    found = audit([nn.Linear(9, 2), nn.Linear(8, 2), nn.Linear(3, 2)], rows)
    assert list(found.failures) == ["Linear", "Linear#2"]
    assert found.table["encoder"].tolist() == ["Linear#3"]


def test_a_network_that_cannot_draw_fresh_weights_has_no_control_and_says_so(rows):
    class Drawn(nn.Linear):
        def reset_parameters(self):
            if hasattr(self, "drawn"):
                raise KeyError("drawn")
            super().reset_parameters()
            self.drawn = True

    found = audit(Drawn(3, 4), rows, control=True)
    assert "control: none: encoder Drawn cannot draw fresh weights (KeyError" in found.table["warnings"][0]


def test_a_network_of_half_precision_reads_pictures_and_rows(rows):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU()).bfloat16()
    before = snapshot(net)
    assert audit(net, rows).table["dim"].tolist() == [4]
    assert snapshot(net) == before


def test_what_a_network_remembers_of_a_first_call_can_be_trained_with(rows):
    class Lazy(nn.Module):
        """Makes a table at its first call and keeps it, as rotary embeddings do."""

        def __init__(self):
            super().__init__()
            self.linear, self.table = nn.Linear(3, 4), None

        def forward(self, batch):
            if self.table is None:
                self.table = torch.ones(4)
            return self.linear(batch) * self.table

    net = Lazy()
    audit(net, rows)
    net(torch.randn(5, 3)).sum().backward()
    assert net.linear.weight.grad is not None


def test_a_network_that_keeps_its_last_output_gives_the_right_rows(images, network):
    """It could not be called from several threads at once."""

    class Keeping(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net
            net.layer3.register_forward_hook(self.keep)

        def keep(self, module, arguments, output):
            self.kept = output

        def forward(self, batch):
            self.net(batch)
            return self.kept.mean(dim=(2, 3))

    columns = ["i_class_bits", "alignment", "effective_rank"]
    expected = audit(network, images()).table[columns]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    found = audit(Keeping(network), images(), batch_size=16).table[columns]
    torch.set_num_threads(threads)
    assert found.equals(expected)


def test_a_network_that_cannot_be_copied_has_no_control_and_says_so(rows):
    net = nn.Linear(3, 4)
    net.scaled = net.weight * 2  # no leaf of the graph, which deepcopy refuses
    found = audit(net, rows, control=True)
    assert "control: none: encoder Linear cannot be copied" in found.table["warnings"][0]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (lambda x: (x, x), "encoder odd returns tuple for 8 inputs; it must return (8, d)"),
        (lambda x: {"features": x}, "encoder odd returns dict for 8 inputs; it must return (8, d)"),
        (lambda x: x[:, :, None], "encoder odd returns shape (8, 3, 1) for 8 inputs"),
        (lambda x: x.mean(), "encoder odd returns shape () for 8 inputs"),
        (lambda x: x / 0, "rows in a batch are not finite"),
        (lambda x: x.numpy().tolist(), None),
    ],
)
def test_what_a_network_returns_is_one_finite_row_an_item(rows, output, words):
    class Odd(nn.Module):
        def forward(self, batch):
            return output(batch)

    with pytest.raises(InputError) as caught:
        audit({"odd": Odd()}, rows)
    assert (words or "encoder odd returns list") in str(caught.value)
    assert "\n" not in str(caught.value)
