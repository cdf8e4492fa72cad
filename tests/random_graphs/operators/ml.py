# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml."""

import numpy as np
from onnx import TensorProto, helper

from ..builder import Rejected
from .table import FLOAT, operator

ML = "ai.onnx.ml"


def rows(b, columns=None):
    def make(dtype):
        return b.array(dtype, (b.integer(1, 4), columns or b.integer(1, 5)))

    return b.pick([FLOAT], rank=2, where=lambda a: a.size > 0 and (columns is None or a.shape[1] == columns), make=make)


@operator("ai.onnx.ml.Scaler")
def scaler(b, op="Scaler"):
    name = rows(b)
    n = b.value(name).shape[1]
    b.add(
        "Scaler", [name], domain=ML, offset=b.array(FLOAT, (n,)).tolist(), scale=b.array(FLOAT, (n,), 0.5, 2).tolist()
    )


@operator("ai.onnx.ml.Normalizer")
def normalizer(b):
    b.add("Normalizer", [rows(b)], domain=ML, norm=b.choose(["MAX", "L1", "L2"]))


@operator("ai.onnx.ml.Binarizer")
def binarizer(b):
    b.add("Binarizer", [rows(b)], domain=ML, threshold=b.choose([0.0, 0.5]))


@operator("ai.onnx.ml.Imputer")
def imputer(b):
    b.add("Imputer", [rows(b)], domain=ML, imputed_value_floats=[1.5], replaced_value_float=b.choose([0.0, 1.0]))


@operator("ai.onnx.ml.ArrayFeatureExtractor")
def array_feature_extractor(b):
    name = rows(b)
    places = b.array(np.int64, (b.integer(1, 3),), 0, b.value(name).shape[1] - 1)
    b.add("ArrayFeatureExtractor", [name, b.new(places)], domain=ML)


@operator("ai.onnx.ml.FeatureVectorizer")
def feature_vectorizer(b):
    first = rows(b)
    x = b.value(first)
    other = b.new(b.array(FLOAT, (x.shape[0], 2)))
    b.add("FeatureVectorizer", [first, other], domain=ML, inputdimensions=[x.shape[1], 2])


@operator("ai.onnx.ml.LinearRegressor")
def linear_regressor(b):
    name = rows(b)
    n, targets = b.value(name).shape[1], b.integer(1, 2)
    b.add(
        "LinearRegressor",
        [name],
        domain=ML,
        coefficients=b.array(FLOAT, (n * targets,)).tolist(),
        intercepts=b.array(FLOAT, (targets,)).tolist(),
        targets=targets,
    )


@operator("ai.onnx.ml.LinearClassifier")
def linear_classifier(b):
    name = rows(b)
    n, classes = b.value(name).shape[1], b.integer(3, 4)
    b.add(
        "LinearClassifier",
        [name],
        2,
        domain=ML,
        coefficients=b.array(FLOAT, (n * classes,)).tolist(),
        intercepts=b.array(FLOAT, (classes,)).tolist(),
        classlabels_ints=list(range(classes)),
        post_transform=b.choose(["NONE", "SOFTMAX", "LOGISTIC"]),
    )


@operator("ai.onnx.ml.LabelEncoder")
def label_encoder(b):
    name = b.pick([np.int64], rank=(1, 2))
    b.add("LabelEncoder", [name], domain=ML, keys_int64s=[0, 1, 2], values_floats=[1.5, -2.0, 4.0], default_float=9.0)


@operator("ai.onnx.ml.OneHotEncoder")
def one_hot_encoder(b):
    name = b.pick([np.int64], rank=(1, 2), where=lambda a: a.size > 0, make=lambda d: b.array(d, (3,), 0, 2))
    b.add("OneHotEncoder", [name], domain=ML, cats_int64s=[0, 1, 2], zeros=1)


@operator("ai.onnx.ml.TreeEnsembleRegressor")
def tree_regressor(b):
    name = rows(b)
    n = b.value(name).shape[1]
    if n == 0:
        raise Rejected("no features")
    b.add(
        "TreeEnsembleRegressor", [name], domain=ML, n_targets=1, nodes_treeids=[0] * 5, nodes_nodeids=list(range(5)),
        nodes_featureids=[b.integer(0, n - 1) for _ in range(5)], nodes_values=[0.1, -0.5, 0.0, 0.0, 0.0],
        nodes_modes=[b.choose(["BRANCH_LEQ", "BRANCH_LT"])] * 2 + ["LEAF"] * 3, nodes_truenodeids=[1, 2, 0, 0, 0],
        nodes_falsenodeids=[4, 3, 0, 0, 0], nodes_missing_value_tracks_true=[0] * 5, nodes_hitrates=[1.0] * 5,
        target_treeids=[0] * 3, target_nodeids=[2, 3, 4], target_ids=[0] * 3, target_weights=[1.5, -2.0, 0.25],
        aggregate_function="SUM", post_transform="NONE",
    )  # fmt: skip


@operator("ai.onnx.ml.TreeEnsembleClassifier")
def tree_classifier(b):
    name = rows(b)
    n = b.value(name).shape[1]
    b.add(
        "TreeEnsembleClassifier", [name], 2, domain=ML, nodes_treeids=[0] * 5, nodes_nodeids=list(range(5)),
        nodes_featureids=[b.integer(0, n - 1) for _ in range(5)], nodes_values=[0.1, -0.5, 0.0, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ"] * 2 + ["LEAF"] * 3, nodes_truenodeids=[1, 2, 0, 0, 0],
        nodes_falsenodeids=[4, 3, 0, 0, 0], class_treeids=[0] * 3, class_nodeids=[2, 3, 4], class_ids=[0, 1, 2],
        class_weights=[1.5, 2.0, 0.25], classlabels_int64s=[3, 5, 9], post_transform=b.choose(["NONE", "SOFTMAX"]),
    )  # fmt: skip


@operator("ai.onnx.ml.TreeEnsemble")
def tree_ensemble(b):
    name = rows(b)
    n = b.value(name).shape[1]
    splits = helper.make_tensor("splits", TensorProto.FLOAT, (2,), [0.1, -0.5])
    b.add(
        "TreeEnsemble", [name], domain=ML, n_targets=2, aggregate_function=1, post_transform=0, tree_roots=[0],
        nodes_modes=helper.make_tensor("modes", TensorProto.UINT8, (2,), [0, b.integer(0, 1)]), nodes_splits=splits,
        nodes_featureids=[b.integer(0, n - 1) for _ in range(2)], nodes_truenodeids=[1, 0], nodes_trueleafs=[0, 1],
        nodes_falsenodeids=[2, 1], nodes_falseleafs=[1, 1], leaf_targetids=[0, 1, 0],
        leaf_weights=helper.make_tensor("weights", TensorProto.FLOAT, (3,), [1.5, -2.0, 0.25]),
    )  # fmt: skip


@operator("ai.onnx.ml.SVMRegressor")
def svm_regressor(b):
    name = rows(b, 3)
    kernel = b.choose(["LINEAR", "RBF", "POLY", "SIGMOID"])
    b.add(
        "SVMRegressor", [name], domain=ML, kernel_type=kernel, kernel_params=[0.5, 0.25, 2.0], n_supports=2, rho=[0.3],
        coefficients=b.array(FLOAT, (2,)).tolist(), support_vectors=b.array(FLOAT, (6,)).tolist(),
    )  # fmt: skip
