# SPDX-License-Identifier: Apache-2.0
"""set_seed: sessions made after it draw the same numbers, run by run."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

CPU = ["CPUExecutionProvider"]
N = helper.make_node
PROBABILITIES = np.full(64, 0.5, np.float32)
LOGITS = np.zeros((2, 8), np.float32)
ONES = np.ones(64, np.float32)
CASES = {
    "RandomNormal": ([N("RandomNormal", [], ["y"], shape=[16])], {}),
    "RandomUniform": ([N("RandomUniform", [], ["y"], shape=[16])], {}),
    "RandomNormalLike": ([N("RandomNormalLike", ["x"], ["y"])], {"x": ONES}),
    "RandomUniformLike": ([N("RandomUniformLike", ["x"], ["y"])], {"x": ONES}),
    "Bernoulli": ([N("Bernoulli", ["x"], ["y"])], {"x": PROBABILITIES}),
    "Multinomial": ([N("Multinomial", ["x"], ["y"], sample_size=24)], {"x": LOGITS}),
    "Dropout": ([N("Dropout", ["x", "ratio", "training"], ["y"])], {"x": ONES}),
}


def model_of(nodes, feed, opset=17):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(x.shape)) for name, x in feed.items()]
    kind = TensorProto.INT32 if nodes[-1].op_type == "Multinomial" else TensorProto.FLOAT
    constants = [
        helper.make_tensor("ratio", TensorProto.FLOAT, [], [0.5]),
        helper.make_tensor("training", TensorProto.BOOL, [], [True]),
    ]
    outputs = [helper.make_tensor_value_info(name, kind, None) for name in nodes[-1].output]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants if nodes[-1].op_type == "Dropout" else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


def runs(model, feed, count=3, options=None):
    session = ort.InferenceSession(model, options, providers=CPU)
    return [session.run(None, feed)[0].tolist() for _ in range(count)]


@pytest.mark.ours
@pytest.mark.parametrize("name", CASES)
def test_sessions_of_one_seed_repeat_each_other(name):
    nodes, feed = CASES[name]
    model = model_of(nodes, feed)

    def values(seed):
        ort.set_seed(seed)
        return runs(model, feed)

    first = values(42)
    assert values(42) == first, "the same seed"
    assert values(43) != first and values(-42) != first and values(42 + (1 << 32)) != first, "other seeds"
    assert first[0] != first[1] != first[2], "a run does not repeat the one before"


@pytest.mark.ours
def test_nodes_of_one_session_draw_different_numbers():
    nodes = [
        N("RandomNormal", [], ["a"], shape=[8]),
        N("RandomNormal", [], ["b"], shape=[8]),
        N("Sub", ["a", "b"], ["y"]),
    ]
    ort.set_seed(1)
    assert np.all(np.array(runs(model_of(nodes, {}), {}, 1)) != 0)


@pytest.mark.ours
def test_the_same_by_a_session_configuration_entry():
    nodes, feed = CASES["RandomNormal"]
    model = model_of(nodes, feed)
    ort.set_seed(5)
    wanted = runs(model, feed)
    options = ort.SessionOptions()
    options.add_session_config_entry("ortrun.random_seed", "5")
    ort.set_seed(6)
    assert runs(model, feed, options=options) == wanted, "the entry goes before set_seed"
    options.add_session_config_entry("ortrun.random_seed", "five")
    with pytest.raises(Exception, match="random_seed' is 'five'"):
        ort.InferenceSession(model, options, providers=CPU)


def test_a_nodes_own_seed_goes_before():
    model = model_of([N("RandomNormal", [], ["y"], shape=[8], seed=3.0)], {})
    ort.set_seed(1)
    first = runs(model, {}, 1)
    ort.set_seed(2)
    assert runs(model, {}, 1) == first
