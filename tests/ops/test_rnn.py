# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN against the standard's formulas, written out in numpy one row and one time step at a time."""

import numpy as np
import pytest
from onnx import helper
from provider_under_test import session
from reference import check, refused

RNG = np.random.default_rng(11)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
OPERATORS = list(GATES)
DEFAULT_ACTIVATIONS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}

# name: (formula, number of parameters, default alpha, default beta)
FUNCTIONS = {
    "Sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), 0, 0, 0),
    "Tanh": (lambda x, a, b: np.tanh(x), 0, 0, 0),
    "Relu": (lambda x, a, b: np.maximum(x, 0), 0, 0, 0),
    "HardSigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), 2, 0.2, 0.5),
    "Affine": (lambda x, a, b: a * x + b, 2, 1, 0),
    "LeakyRelu": (lambda x, a, b: np.where(x < 0, a * x, x), 1, 0.01, 0),
    "ThresholdedRelu": (lambda x, a, b: np.where(x < a, 0, x), 1, 1, 0),
    "ScaledTanh": (lambda x, a, b: a * np.tanh(b * x), 2, 1, 1),
    "Elu": (lambda x, a, b: np.where(x < 0, a * np.expm1(x), x), 1, 1, 0),
    "Softsign": (lambda x, a, b: x / (1 + np.abs(x)), 0, 0, 0),
    "Softplus": (lambda x, a, b: np.log1p(np.exp(x)), 0, 0, 0),
}


def activations_of(op, directions, names=(), alpha=(), beta=()):
    """One list of functions a direction; alpha and beta go to the functions that have them, in their order."""
    alpha, beta = list(alpha), list(beta)
    functions = []
    for name in names or DEFAULT_ACTIVATIONS[op] * directions:
        formula, parameters, a, b = FUNCTIONS[name]
        a = alpha.pop(0) if parameters > 0 and alpha else a
        b = beta.pop(0) if parameters > 1 and beta else b
        functions.append(lambda x, formula=formula, a=a, b=b: formula(x, a, b))
    each = len(DEFAULT_ACTIVATIONS[op])
    return [functions[d * each : (d + 1) * each] for d in range(directions)]


def lstm_step(p, h, c, f, attributes):
    i, o, forget, candidate = np.split(p["wx"] + p["r"] @ h + p["rb"], 4)
    pi, po, pf = np.split(p["peephole"], 3)
    clip = attributes["bound"]
    i = f[0](clip(i + pi * c))
    forget = 1 - i if attributes.get("input_forget") else f[0](clip(forget + pf * c))
    c = forget * c + i * f[1](clip(candidate))
    return f[0](clip(o + po * c)) * f[2](c), c


def gru_step(p, h, c, f, attributes):
    wz, wr, wh = np.split(p["wx"], 3)
    rz, rr, rh = np.split(p["r"], 3)
    bz, br, bh = np.split(p["rb"], 3)
    clip = attributes["bound"]
    z, r = f[0](clip(wz + rz @ h + bz)), f[0](clip(wr + rr @ h + br))
    linear = r * (rh @ h + bh) if attributes.get("linear_before_reset") else rh @ (r * h) + bh
    return (1 - z) * f[1](clip(wh + linear)) + z * h, c


def rnn_step(p, h, c, f, attributes):
    return f[0](attributes["bound"](p["wx"] + p["r"] @ h + p["rb"])), c


STEPS = {"LSTM": lstm_step, "GRU": gru_step, "RNN": rnn_step}


def formula(op, x, w, r, bias=None, lengths=None, h0=None, c0=None, peephole=None, **attributes):
    """Y, Y_h, Y_c in double; layout as the attribute says."""
    directions, hidden, gates = w.shape[0], r.shape[2], GATES[op]
    wide = [None if v is None else v.astype(np.float64) for v in (x, w, r, bias, h0, c0, peephole)]
    x, w, r, bias, h0, c0, peephole = wide
    layout = attributes.get("layout", 0)
    if layout:
        x, h0, c0 = (None if v is None else v.swapaxes(0, 1) for v in (x, h0, c0))
    steps, batch, _ = x.shape
    functions = activations_of(
        op,
        directions,
        attributes.get("activations", ()),
        attributes.get("activation_alpha", ()),
        attributes.get("activation_beta", ()),
    )
    limit = attributes.get("clip", np.inf)
    attributes["bound"] = lambda v: np.clip(v, -limit, limit)
    y = np.zeros((steps, directions, batch, hidden))
    finals = np.zeros((2, directions, batch, hidden))
    for d in range(directions):
        backwards = d == 1 or attributes.get("direction") == "reverse"
        wb, rb = np.split(np.zeros(2 * gates * hidden) if bias is None else bias[d], 2)
        for b in range(batch):
            length = steps if lengths is None else lengths[b]
            h = np.zeros(hidden) if h0 is None else h0[d, b]
            c = np.zeros(hidden) if c0 is None else c0[d, b]
            for t in reversed(range(length)) if backwards else range(length):
                p = {
                    "wx": w[d] @ x[t, b] + wb,
                    "r": r[d],
                    "rb": rb,
                    "peephole": np.zeros(3 * hidden) if peephole is None else peephole[d],
                }
                h, c = STEPS[op](p, h, c, functions[d], attributes)
                y[t, d, b] = h
            if length:
                finals[:, d, b] = h, c
    if layout:
        return y.transpose(2, 0, 1, 3), finals[0].swapaxes(0, 1), finals[1].swapaxes(0, 1)
    return y, finals[0], finals[1]


def tensors(
    op,
    steps,
    batch,
    width,
    hidden,
    *,
    directions=1,
    layout=0,
    dtype=np.float32,
    bias=True,
    initial=True,
    peephole=False,
    lengths=None,
):
    def normal(*shape, scale=1.0):
        return (RNG.standard_normal(shape) * scale).astype(dtype)

    gates, scale = GATES[op], 1 / np.sqrt(hidden)
    state = (batch, directions, hidden) if layout else (directions, batch, hidden)
    inputs = [
        normal(batch, steps, width) if layout else normal(steps, batch, width),
        normal(directions, gates * hidden, width, scale=1 / np.sqrt(max(width, 1))),
        normal(directions, gates * hidden, hidden, scale=scale),
        normal(directions, 2 * gates * hidden) if bias else None,
        None if lengths is None else np.asarray(lengths, np.int32),
        normal(*state) if initial else None,
    ]
    if op == "LSTM":
        inputs += [normal(*state) if initial else None, normal(directions, 3 * hidden) if peephole else None]
    while inputs[-1] is None:
        inputs.pop()
    return inputs


def compare(op, inputs, *, opset=22, constants=(), rtol=1e-4, atol=2e-5, **attributes):
    dtype = inputs[0].dtype
    want = [v.astype(dtype) for v in formula(op, *inputs, **attributes)][: 3 if op == "LSTM" else 2]
    check(
        op,
        inputs,
        outputs=len(want),
        opset=opset,
        constants=constants,
        hidden_size=inputs[2].shape[2],
        expected=want,
        rtol=rtol,
        atol=atol,
        **attributes,
    )


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("constants", [(), (1, 2, 3)], ids=["weights given", "weights constant"])
def test_directions(op, direction, layout, constants):
    inputs = tensors(op, 7, 3, 11, 20, directions=1 + (direction == "bidirectional"), layout=layout)
    compare(op, inputs, constants=constants, direction=direction, layout=layout)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("batch", [1, 3, 17])
@pytest.mark.parametrize("hidden", [1, 5, 64, 130])
def test_sizes(op, batch, hidden):
    for constants in ((), (1, 2)):
        for linear in (0, 1) if op == "GRU" else (0,):
            attributes = {"linear_before_reset": linear} if op == "GRU" else {}
            inputs = tensors(op, 5, batch, 9, hidden, directions=2)
            compare(op, inputs, constants=constants, direction="bidirectional", **attributes)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("batch", [1, 7, 13, 40])
def test_large_enough_for_threads(op, batch):
    """Work that is shared out over rows, over directions and over the units of a step."""
    for direction in ("forward", "bidirectional"):
        inputs = tensors(op, 12, batch, 16, 256, directions=1 + (direction == "bidirectional"))
        compare(op, inputs, constants=(1, 2, 3), direction=direction, atol=1e-4)


def test_long_sequence_in_chunks():
    inputs = tensors("LSTM", 700, 8, 4, 64, lengths=[700, 1, 0, 350, 699, 512, 511, 513])
    for direction in ("forward", "reverse"):
        compare("LSTM", inputs, direction=direction, constants=(1, 2))


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("lengths", [[6, 1, 4, 0], [3, 3, 3, 3], [0, 0, 0, 0], [2, 5, 1, 3]], ids=str)
@pytest.mark.parametrize("layout", [0, 1])
def test_sequence_lens(op, direction, lengths, layout):
    inputs = tensors(op, 6, 4, 3, 18, directions=1 + (direction == "bidirectional"), lengths=lengths, layout=layout)
    compare(op, inputs, direction=direction, layout=layout)


@pytest.mark.parametrize("op", OPERATORS)
def test_omitted_inputs(op):
    compare(op, tensors(op, 4, 2, 3, 6, bias=False, initial=False))
    compare(op, tensors(op, 4, 2, 3, 6, bias=False))
    compare(op, tensors(op, 4, 2, 3, 6, initial=False))
    compare(op, tensors(op, 4, 2, 3, 6, bias=False, initial=False, lengths=[4, 2]))


@pytest.mark.parametrize("hidden", [5, 16, 70])
@pytest.mark.parametrize("input_forget", [0, 1])
def test_lstm_peepholes(hidden, input_forget):
    for batch in (1, 4):
        inputs = tensors("LSTM", 6, batch, 3, hidden, directions=2, peephole=True)
        compare("LSTM", inputs, direction="bidirectional", input_forget=input_forget)
        compare("LSTM", inputs, direction="bidirectional", input_forget=input_forget, constants=(1, 2, 3, 7), clip=0.7)


@pytest.mark.parametrize(("op", "linear"), [("LSTM", 0), ("GRU", 0), ("GRU", 1), ("RNN", 0)])
def test_clip(op, linear):
    attributes = {"linear_before_reset": linear} if op == "GRU" else {}
    compare(op, tensors(op, 5, 3, 4, 21), clip=0.25, **attributes)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations(name, dtype):
    for op in OPERATORS:
        count = len(DEFAULT_ACTIVATIONS[op])
        for i in range(count):
            names = list(DEFAULT_ACTIVATIONS[op])
            names[i] = name
            inputs = tensors(op, 3, 2, 4, 19, dtype=dtype)
            compare(op, inputs, activations=names)
            parameters = FUNCTIONS[name][1]
            if parameters:
                values = (
                    {"activation_alpha": [0.3], "activation_beta": [0.6]}
                    if parameters > 1
                    else {"activation_alpha": [0.3]}
                )
                compare(op, inputs, activations=names, **values)


def test_activations_of_each_direction():
    """alpha and beta go to the functions that have such a parameter, in their order."""
    compare(
        "GRU",
        tensors("GRU", 4, 2, 3, 8, directions=2),
        direction="bidirectional",
        activations=["HardSigmoid", "Tanh", "Sigmoid", "LeakyRelu"],
        activation_alpha=[0.3, 0.05],
        activation_beta=[0.4],
    )


def test_activations_of_the_rnn_schema():
    """The default of the attribute has two entries, whatever the direction."""
    compare("RNN", tensors("RNN", 4, 2, 3, 8), activations=["Tanh", "Tanh"])


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_omitted_outputs(op, wanted, dtype):
    wanted = [i for i in wanted if i < (3 if op == "LSTM" else 2)] or [1]
    inputs = tensors(op, 4, 3, 5, 7, directions=2, dtype=dtype)
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    outputs = [f"y{i}" if i in wanted else "" for i in range(max(wanted) + 1)]
    node = helper.make_node(op, names, outputs, hidden_size=7, direction="bidirectional")
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        [node],
        "outputs",
        [helper.make_tensor_value_info(n, element, x.shape) for n, x in zip(names, inputs) if x is not None],
        [helper.make_tensor_value_info(f"y{i}", element, None) for i in wanted],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    got = session(model.SerializeToString()).run(None, {n: x for n, x in zip(names, inputs) if x is not None})
    want = formula(op, *inputs, direction="bidirectional")
    for i, have in zip(wanted, got):
        np.testing.assert_allclose(have.astype(np.float64), want[i], atol=5e-3 if dtype == np.float16 else 1e-5)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float16, 4e-3)])
def test_types(op, dtype, tolerance):
    for batch, hidden in ((1, 5), (3, 33)):
        for constants in ((), (1, 2, 3)):
            inputs = tensors(
                op, 6, batch, 4, hidden, directions=2, dtype=dtype, peephole=op == "LSTM", lengths=[6, 2, 5][:batch]
            )
            compare(op, inputs, direction="bidirectional", constants=constants, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("opset", [7, 14, 21, 22])
def test_versions(op, opset):
    compare(op, tensors(op, 3, 2, 4, 5), opset=opset)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(("steps", "batch", "width"), [(0, 2, 3), (3, 0, 3), (3, 2, 0), (0, 0, 0)], ids=str)
def test_empty(op, steps, batch, width):
    compare(op, tensors(op, steps, batch, width, 5))
    compare(op, tensors(op, steps, batch, width, 5), constants=(1, 2))


def test_values_far_out():
    """Saturated gates, and NaN in one row that stays there."""
    inputs = tensors("LSTM", 4, 3, 5, 17)
    inputs[0] *= 1e4
    compare("LSTM", inputs)
    inputs[0][1, 1, 2] = np.nan
    compare("LSTM", inputs)
    compare("LSTM", inputs, clip=3.0)


@pytest.mark.parametrize("op", OPERATORS)
def test_refuses(op):
    def changed(index, value, **kwargs):
        inputs = tensors(op, 4, 3, 5, 6, lengths=[4, 4, 4])
        inputs[index] = value
        refused(op, inputs, **{"hidden_size": 6, "outputs": 2, **kwargs})

    rows = GATES[op] * 6
    given = tensors(op, 4, 3, 5, 6)
    for constants in ((), (1, 2)):
        changed(1, np.zeros((1, rows, 4), np.float32), match="input W has shape", constants=constants)
        changed(1, np.zeros((1, rows + 1, 5), np.float32), match="input W has shape", constants=constants)
        changed(2, np.zeros((1, rows, 7), np.float32), match="input R has shape", constants=constants)
        changed(2, np.zeros((2, rows, 6), np.float32), match="input R has shape", constants=constants)
    changed(3, np.zeros((1, rows), np.float32), match="input B has shape")
    changed(4, np.array([4, 5, 4], np.int32), match=r"sequence_lens\[1\] is 5, outside \[0, 4\]")
    changed(4, np.array([4, 4, -1], np.int32), match=r"sequence_lens\[2\] is -1")
    changed(4, np.array([4, 4, 4], np.int64), match="(?i)type")
    changed(4, np.array([4, 4], np.int32), match="input sequence_lens has shape")
    changed(5, np.zeros((1, 2, 6), np.float32), match="input initial_h has shape")
    changed(2, np.zeros((1, rows, 6), np.float64), match="(?i)type")
    refused(op, [given[0].astype(np.float64), *given[1:]], "(?i)type", hidden_size=6)
    refused(op, given, "attribute hidden_size is -3", hidden_size=-3)
    refused(op, given, "attribute clip is", hidden_size=6, clip=-1.0)
    refused(op, given, "attribute layout is 2", hidden_size=6, layout=2)
    refused(op, given, "attribute direction is", hidden_size=6, direction="sideways")
    refused(op, given, "attribute activations names", hidden_size=6, activations=["Tan"] * len(DEFAULT_ACTIVATIONS[op]))
    refused(op, given, "attribute activations has", hidden_size=6, activations=["Tanh"] * 5)


def test_refuses_lstm_inputs():
    def changed(index, value, match):
        inputs = tensors("LSTM", 4, 3, 5, 6, peephole=True)
        inputs[index] = value
        refused("LSTM", inputs, match, hidden_size=6, outputs=3)

    changed(6, np.zeros((1, 3, 7), np.float32), "input initial_c has shape")
    changed(7, np.zeros((1, 6), np.float32), "input P has shape")
