# SPDX-License-Identifier: Apache-2.0
"""Models of ai.onnx.ml (support vectors, trees, linear models) against the formulas that define them."""

import itertools

import numpy as np
import pytest
from reference import check, refused, run

DOMAIN = {"opset": 18, "domain": "ai.onnx.ml"}
RNG = np.random.default_rng(23)
KERNEL = {"gamma": 0.5, "coef0": 0.25, "degree": 3.0}
POST = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def listed(values):
    return [float(v) for v in np.ravel(values)]


def kernel_values(kind, x, vectors):
    x, vectors = x.astype(np.float64), vectors.astype(np.float64)
    dot = x @ vectors.T
    if kind == "LINEAR":
        return dot
    if kind == "POLY":
        return (KERNEL["gamma"] * dot + KERNEL["coef0"]) ** KERNEL["degree"]
    if kind == "SIGMOID":
        return np.tanh(KERNEL["gamma"] * dot + KERNEL["coef0"])
    return np.exp(-KERNEL["gamma"] * ((x[:, None] - vectors[None]) ** 2).sum(-1))


def post_transform(kind, scores):
    if kind == "LOGISTIC":
        return 1 / (1 + np.exp(-scores))
    if kind.startswith("SOFTMAX"):  # no score here is 0, so that both forms agree
        e = np.exp(scores - scores.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    return scores


class Machine:
    """A random support vector classifier in libsvm's form: decisions of each pair of classes, `vectors` a class."""

    def __init__(self, kind, classes, vectors, features=3):
        self.kind, self.classes = kind, classes
        self.counts = [vectors + i % 2 for i in range(classes)]
        self.starts = np.cumsum([0, *self.counts])
        total = sum(self.counts)
        self.coefficients = normal(classes - 1, total)
        self.vectors = normal(total, features)
        self.pairs = list(itertools.combinations(range(classes), 2))
        self.rho = normal(len(self.pairs)) / 2
        self.prob_a = -1 - np.abs(normal(len(self.pairs)))
        self.prob_b = normal(len(self.pairs)) / 4

    def attributes(self, probabilities):
        given = {
            "kernel_type": self.kind,
            "kernel_params": listed(list(KERNEL.values())),
            "coefficients": listed(self.coefficients),
            "support_vectors": listed(self.vectors),
            "vectors_per_class": self.counts,
            "rho": listed(self.rho),
        }
        return given | ({"prob_a": listed(self.prob_a), "prob_b": listed(self.prob_b)} if probabilities else {})

    def decisions(self, x):
        k = kernel_values(self.kind, x, self.vectors)
        spans = [slice(self.starts[i], self.starts[i + 1]) for i in range(self.classes)]
        return np.stack(
            [
                k[:, spans[i]] @ self.coefficients[j - 1, spans[i]]
                + k[:, spans[j]] @ self.coefficients[i, spans[j]]
                + self.rho[n]
                for n, (i, j) in enumerate(self.pairs)
            ],
            1,
        )

    def labels(self, decisions):
        votes = np.zeros((len(decisions), self.classes))
        for n, (i, j) in enumerate(self.pairs):
            votes[np.arange(len(decisions)), np.where(decisions[:, n] > 0, i, j)] += 1
        return votes.argmax(1)

    def probabilities(self, decisions):
        """The minimum of sum (r_ji p_i - r_ij p_j)^2 over the simplex, by its linear equations."""
        c = self.classes
        result = []
        for row in decisions:
            r = np.zeros((c, c))
            for n, (i, j) in enumerate(self.pairs):
                r[i, j] = 1 / (1 + np.exp(row[n] * self.prob_a[n] + self.prob_b[n]))
                r[j, i] = 1 - r[i, j]
            q = -r.T * r + np.diag((r**2).sum(0))
            equations = np.block([[q, np.ones((c, 1))], [np.ones((1, c)), np.zeros((1, 1))]])
            result.append(np.linalg.solve(equations, np.r_[np.zeros(c), 1])[:c])
        return np.array(result)


@pytest.mark.parametrize("post", POST)
@pytest.mark.parametrize("kind", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("positive", [False, True])
def test_svm_decisions(kind, classes, post, positive):
    machine = Machine(kind, classes, 2)
    if positive:
        machine.coefficients = np.abs(machine.coefficients)
    x = normal(12, 3)
    decisions = machine.decisions(x)
    scores = np.c_[-decisions, decisions] if classes == 2 else decisions
    want = [machine.labels(decisions) + 5, post_transform(post, scores).astype(np.float32)]
    attributes = machine.attributes(False) | {"classlabels_ints": [5 + i for i in range(classes)]}
    check(
        "SVMClassifier",
        [x],
        outputs=2,
        rtol=1e-3,
        atol=1e-3,
        expected=want,
        post_transform=post,
        **attributes,
        **DOMAIN,
    )


@pytest.mark.parametrize("post", POST)
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_svm_probabilities(classes, post):
    machine = Machine("RBF", classes, 2)
    x = normal(40, 3)
    decisions = machine.decisions(x)
    want = post_transform(post, machine.probabilities(decisions)).astype(np.float32)
    names = [f"class {i}" for i in range(classes)]
    labels = np.array(names, object)[machine.labels(decisions)]
    attributes = machine.attributes(True) | {"classlabels_strings": names}
    # The iteration ends when it is within 0.005 of the minimum.
    check(
        "SVMClassifier",
        [x],
        outputs=2,
        rtol=0,
        atol=6e-3,
        expected=[labels, want],
        post_transform=post,
        **attributes,
        **DOMAIN,
    )


@pytest.mark.parametrize("dtype", ["float64", "int64", "int32"])
def test_svm_types(dtype):
    machine = Machine("LINEAR", 2, 1)
    x = (normal(6, 3) * 4).astype(dtype)
    decisions = machine.decisions(x)
    want = [machine.labels(decisions), np.c_[-decisions, decisions].astype(np.float32)]
    attributes = machine.attributes(False) | {"classlabels_ints": [0, 1]}
    check("SVMClassifier", [x], outputs=2, rtol=1e-3, atol=1e-3, expected=want, **attributes, **DOMAIN)


@pytest.mark.parametrize("kind", ["LINEAR", "RBF"])
@pytest.mark.parametrize("classes", [2, 3])
def test_svm_without_support_vectors_is_linear(kind, classes):
    """Whatever kernel the node names; all classes share the offset."""
    x, w = normal(9, 4), normal(classes, 4)
    w[0, 0] = -1
    scores = x @ w.T + np.float32(0.3)
    attributes = {"coefficients": listed(w), "rho": [0.3], "kernel_type": kind, "kernel_params": [0.5, 0.0, 3.0]}
    check(
        "SVMClassifier",
        [x],
        outputs=2,
        expected=[scores.argmax(1), scores],
        classlabels_ints=list(range(classes)),
        **attributes,
        **DOMAIN,
    )


@pytest.mark.parametrize("one_class", [0, 1])
@pytest.mark.parametrize("kind", ["LINEAR", "POLY", "RBF", "SIGMOID"])
@pytest.mark.parametrize("supports", [0, 4])
def test_svm_regressor(kind, one_class, supports):
    x, c, vectors = normal(8, 3), normal(supports or 3), normal(supports or 1, 3)
    scores = kernel_values(kind, x, vectors) @ c if supports else x.astype(np.float64) @ c
    scores = scores + 0.2
    want = np.where(scores > 0, 1.0, -1.0) if one_class else scores
    given = {"n_supports": supports, "coefficients": listed(c), "rho": [0.2], "one_class": one_class}
    if supports:
        given["support_vectors"] = listed(vectors)
    check(
        "SVMRegressor",
        [x],
        rtol=1e-4,
        atol=1e-4,
        expected=[want[:, None].astype(np.float32)],
        kernel_type=kind,
        kernel_params=listed(list(KERNEL.values())),
        **given,
        **DOMAIN,
    )


def tree(nodes):
    """Attributes of one tree; a node is (mode, feature, threshold, if true, if false), a leaf ("LEAF", weight)."""
    inner = [n if n[0] != "LEAF" else ("LEAF", 0, 0.0, 0, 0) for n in nodes]
    leaves = [i for i, n in enumerate(nodes) if n[0] == "LEAF"]
    described = {
        "nodes_treeids": [0] * len(nodes),
        "nodes_nodeids": list(range(len(nodes))),
        "nodes_modes": [n[0] for n in inner],
        "nodes_featureids": [n[1] for n in inner],
        "nodes_values": [float(n[2]) for n in inner],
        "nodes_truenodeids": [n[3] for n in inner],
        "nodes_falsenodeids": [n[4] for n in inner],
    }
    votes = {"treeids": [0] * len(leaves), "nodeids": leaves, "ids": [0] * len(leaves)}
    votes["weights"] = [float(nodes[i][1]) for i in leaves]
    return described, votes


def regress(nodes, x):
    described, votes = tree(nodes)
    named = {f"target_{k}": v for k, v in votes.items()}
    return run("TreeEnsembleRegressor", [x], domain_opset=3, n_targets=1, **described, **named, **DOMAIN)[0].ravel()


COLUMN = np.linspace(-2, 2, 21, dtype=np.float32)[:, None]


def test_tree_node_with_one_leaf_as_both_children():
    assert regress([("BRANCH_LEQ", 0, 0.5, 1, 1), ("LEAF", 7)], COLUMN).tolist() == [7.0] * 21


def test_tree_of_set_membership():
    """x in {-1, 0, 1} as exporters write it: comparisons whose true branches lead to the same node."""
    nodes = [
        ("BRANCH_EQ", 0, -1, 3, 1),
        ("BRANCH_EQ", 0, 0, 3, 2),
        ("BRANCH_EQ", 0, 1, 3, 4),
        ("BRANCH_GT", 0, 0, 5, 6),
    ]
    nodes += [("LEAF", 1), ("LEAF", 2), ("LEAF", 3)]
    x = np.array([[-1], [0], [1], [2]], np.float32)
    assert regress(nodes, x).tolist() == [3.0, 3.0, 2.0, 1.0]


def test_tree_whose_ways_meet_again_stays_small():
    """Thirty nodes of which each leads to the next one by both branches: as a tree it would have 2^30 leaves."""
    nodes = [("BRANCH_LEQ", 0, i / 10 - 1, i + 1, i + 1) for i in range(30)] + [("LEAF", 4)]
    assert regress(nodes, COLUMN).tolist() == [4.0] * 21


def test_tree_with_a_cycle_is_refused():
    described, votes = tree([("BRANCH_LEQ", 0, 0, 1, 2), ("BRANCH_LEQ", 0, 1, 2, 1), ("LEAF", 1)])
    named = {f"target_{k}": v for k, v in votes.items()}
    refused("TreeEnsembleRegressor", [COLUMN], "cycle", domain_opset=3, n_targets=1, **described, **named, **DOMAIN)


def test_tree_ensemble_with_shared_leaf_and_node():
    from onnx import numpy_helper

    def tensor(values, dtype):
        return numpy_helper.from_array(np.array(values, dtype))

    # Node 0: x <= 0 leads to node 1, else to node 2; both have leaf 0 on one side, node 2 on both.
    got = run(
        "TreeEnsemble",
        [COLUMN],
        domain_opset=5,
        n_targets=1,
        aggregate_function=1,
        nodes_featureids=[0, 0, 0],
        nodes_modes=tensor([0, 0, 0], np.uint8),
        nodes_splits=tensor([0, -1, 1], np.float32),
        nodes_truenodeids=[1, 0, 0],
        nodes_trueleafs=[0, 1, 1],
        nodes_falsenodeids=[2, 1, 0],
        nodes_falseleafs=[0, 1, 1],
        leaf_targetids=[0, 0],
        leaf_weights=tensor([5, 6], np.float32),
        tree_roots=[0],
        **DOMAIN,
    )[0].ravel()
    x = COLUMN.ravel()
    assert got.tolist() == np.where((x <= 0) & (x > -1), 6.0, 5.0).tolist()


def classify(votes, x, **attributes):
    """A stump at 0 whose leaves (true, false) vote as {class: weight}."""
    described, _ = tree([("BRANCH_LEQ", 0, 0, 1, 2), ("LEAF", 0), ("LEAF", 0)])
    listed_votes = [(leaf + 1, target, weight) for leaf, vote in enumerate(votes) for target, weight in vote.items()]
    named = {
        "class_treeids": [0] * len(listed_votes),
        "class_nodeids": [v[0] for v in listed_votes],
        "class_ids": [v[1] for v in listed_votes],
        "class_weights": [v[2] for v in listed_votes],
    }
    return run("TreeEnsembleClassifier", [x], outputs=2, domain_opset=3, **described, **named, **attributes, **DOMAIN)


TWO_ROWS = np.array([[-1], [1]], np.float32)


@pytest.mark.parametrize("version", [1, 3, 5])
@pytest.mark.parametrize("labels", [{"classlabels_int64s": [7, 8]}, {"classlabels_strings": ["a", "b"]}], ids=str)
def test_labels_that_others_read(version, labels):
    """A label has a type in each version, the last, which deprecates the operator, too."""
    from onnx import helper
    from provider_under_test import NotRegistered, session

    described, _ = tree([("BRANCH_LEQ", 0, 0, 1, 2), ("LEAF", 0), ("LEAF", 0)])
    if version == 1:
        described.pop("nodes_values_as_tensor", None)
    votes = {"class_treeids": [0, 0], "class_nodeids": [1, 2], "class_ids": [0, 1], "class_weights": [1.0, 1.0]}
    nodes = [
        helper.make_node(
            "TreeEnsembleClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml", **described, **votes, **labels
        ),
        helper.make_node("Reshape", ["label", "shape"], ["row"]),
        helper.make_node("Equal", ["row", "row"], ["same"]),
    ]
    graph = helper.make_graph(
        nodes,
        "labels",
        [helper.make_tensor_value_info("x", 1, [2, 1])],
        [helper.make_empty_tensor_value_info(name) for name in ("row", "same")],
        [helper.make_tensor("shape", 7, [2], [1, 2])],
    )
    imports = [helper.make_opsetid("", 19), helper.make_opsetid("ai.onnx.ml", version)]
    try:
        runner = session(helper.make_model(graph, opset_imports=imports, ir_version=9).SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    row, same = runner.run(None, {"x": TWO_ROWS})
    assert row.tolist() == [next(iter(labels.values()))] and same.all()


def test_tree_of_one_score_has_the_base_of_its_class():
    labels, scores = classify(
        [{0: 0.125}, {0: 0.5}], TWO_ROWS, classlabels_int64s=[7, 8], base_values=[0.25, 5.0], post_transform="NONE"
    )
    assert labels.tolist() == [7, 8]
    np.testing.assert_allclose(scores, [[0.625, 0.375], [0.25, 0.75]], rtol=1e-6)


def test_tree_label_after_softmax_zero():
    """A score of 0 stays 0, so that the largest is that of the class with votes."""
    labels, scores = classify(
        [{2: -0.5}, {1: 1.0, 2: 2.0}], TWO_ROWS, classlabels_strings=["a", "b", "c"], post_transform="SOFTMAX_ZERO"
    )
    assert labels.tolist() == ["c", "c"]
    e = 1 / (1 + np.exp(1))
    np.testing.assert_allclose(scores, [[0, 0, 1], [0, e, 1 - e]], rtol=1e-5, atol=1e-6)


def test_probit_of_one_score():
    """Both scores of a pair are transformed: the probit of 1 - p is that of p, negated."""
    labels, scores = classify([{0: 0.25}, {0: 0.75}], TWO_ROWS, classlabels_int64s=[0, 1], post_transform="PROBIT")
    assert labels.tolist() == [0, 1]
    np.testing.assert_allclose(scores, [[0.6745, -0.6745], [-0.6745, 0.6745]], rtol=5e-3)
