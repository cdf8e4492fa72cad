# SPDX-License-Identifier: Apache-2.0
"""Functions that a model brings along: attributes and their defaults, inputs and outputs left out, opsets, names."""

import numpy as np
import onnx.parser
import onnxruntime as ort
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
X = np.float32([[-2, 1, 4], [0, -1, 2]])


def run(model, feed=None):
    """The outputs, without optimization and with all of it, which must be the same."""
    model = model if isinstance(model, str) else model.SerializeToString()
    data = onnx.parser.parse_model(model).SerializeToString() if isinstance(model, str) else model
    results = []
    for level in (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL):
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        session = ort.InferenceSession(data, options, providers=CPU)
        results.append(session.run(None, {"x": X} if feed is None else feed))
    for plain, optimized in zip(*results, strict=True):
        np.testing.assert_array_equal(plain, optimized)
    return results[0]


def reference(name, kind, to):
    attribute = helper.make_attribute_ref(name, kind)
    attribute.ref_attr_name = to
    return attribute


def calling(call, *functions, outputs="float[a,b] y", model_opset=18, opset=18, inputs="float[2,3] x"):
    """A model whose graph is `call`; functions are 'name <attributes> (inputs) => (outputs) { nodes }'."""
    head = f'<ir_version: 10, opset_import: ["" : {model_opset}, "l" : 1]> main ({inputs}) => ({outputs}) {{ {call} }}'
    return head + "".join(f'\n<opset_import: ["" : {opset}, "l" : 1], domain: "l"> {f}' for f in functions)


KINDS = {  # kind: function, the value given at a call, formula of the attribute, default, given
    "float": ("<a: float = 0.5> (x) => (y) { y = LeakyRelu <alpha: float = @a> (x) }", "0.25"),
    "int": ("<a: int = 0> (x) => (y) { y = Concat <axis: int = @a> (x, x) }", "1"),
    "ints": ("<a: ints = [1, 0]> (x) => (y) { y = Transpose <perm: ints = @a> (x) }", "[0, 1]"),
    "string": ('<a: string = "ij->ji"> (x) => (y) { y = Einsum <equation: string = @a> (x) }', '"ij->i"'),
    "constant": ("<a: float = 7.0> (x) => (y) { c = Constant <value_float: float = @a> () y = Mul (x, c) }", "2.0"),
    "floats": (
        "<a: floats = [1.0, 2.0, 3.0]> (x) => (y) { c = Constant <value_floats: floats = @a> () y = Mul (x, c) }",
        "[3.0, 2.0, 0.0]",
    ),
    "tensor": (
        "<a: tensor = float[3] {1.0, 2.0, 3.0}> (x) => (y) { c = Constant <value: tensor = @a> () y = Mul (x, c) }",
        "float[3] {0.5, 0.0, 2.0}",
    ),
}
RIGHT = {
    "float": lambda a: np.where(X < 0, np.float32(a) * X, X),
    "int": lambda a: np.concatenate([X, X], int(a)),
    "ints": lambda a: X.transpose(eval(a)),
    "string": lambda a: np.einsum(eval(a), X),
    "constant": lambda a: X * np.float32(a),
    "floats": lambda a: X * np.float32(eval(a)),
    "tensor": lambda a: X * np.float32(eval("[" + a.split("{")[1].replace("}", "]"))),
}
DEFAULTS = {
    "float": "0.5",
    "int": "0",
    "ints": "[1, 0]",
    "string": '"ij->ji"',
    "constant": "7.0",
    "floats": "[1.0, 2.0, 3.0]",
    "tensor": "{1.0, 2.0, 3.0}",
}


@pytest.mark.ours
@pytest.mark.parametrize("kind", KINDS)
def test_an_attribute_that_a_call_leaves_out_has_its_default(kind):
    function, given = KINDS[kind]
    outputs = "float[a,b] y, float[c,d] z" if kind != "string" else "float[a,b] y, float[c] z"
    y, z = run(calling(f"y = l.f (x) z = l.f <a = {given}> (x)", "f " + function, outputs=outputs))
    np.testing.assert_array_equal(y, RIGHT[kind](DEFAULTS[kind]))
    np.testing.assert_array_equal(z, RIGHT[kind](given))


@pytest.mark.ours
@pytest.mark.parametrize("kind", KINDS)
def test_a_default_is_handed_on_to_inner_functions(kind):
    function, given = KINDS[kind]
    of = {"constant": "float"}.get(kind, kind)
    outer = f"outer <b: {of} = {given}> (x) => (y) {{ y = l.f <a: {of} = @b> (x) }}"
    open_ended = f"open <b> (x) => (y) {{ y = l.f <a: {of} = @b> (x) }}"
    outputs = "float[a,b] y, float[c,d] z" if kind != "string" else "float[a] y, float[c,d] z"
    y, z = run(calling("y = l.outer (x) z = l.open (x)", outer, open_ended, "f " + function, outputs=outputs))
    np.testing.assert_array_equal(y, RIGHT[kind](given))
    np.testing.assert_array_equal(z, RIGHT[kind](DEFAULTS[kind]), err_msg="nothing was given, so nothing is handed on")


@pytest.mark.ours
def test_attributes_of_operators_on_strings_have_defaults():
    function = 'f <a: string = ","> (x) => (y, n) { y, n = StringSplit <delimiter: string = @a> (x) }'
    outputs = "string[n,m] y, int64[n] n"
    model = calling("y, n = l.f (x)", function, outputs=outputs, inputs="string[2] x", opset=20, model_opset=20)
    y, n = run(model, {"x": np.array(["a,b", "c,d"], object)})
    assert y.tolist() == [["a", "b"], ["c", "d"]] and n.tolist() == [2, 2]


def test_a_reference_to_an_attribute_that_nobody_gives_is_left_out():
    (y,) = run(calling("y = l.f (x)", "f <a> (x) => (y) { y = LeakyRelu <alpha: float = @a> (x) }"))
    np.testing.assert_allclose(y, np.where(X < 0, np.float32(0.01) * X, X), rtol=1e-6)


@pytest.mark.ours
def test_bodies_inside_a_function_have_its_attributes():
    function = """choose <a: float = 0.5> (x, c) => (y) { y = If (c) <
        then_branch = t () => (float[2,3] u) { u = LeakyRelu <alpha: float = @a> (x) },
        else_branch = e () => (float[2,3] v) { v = If (c) <
          then_branch = tt () => (float[2,3] r) { r = Identity (x) },
          else_branch = ee () => (float[2,3] s) { k = Constant <value_float: float = @a> () s = Mul (x, k) }> }> }"""
    for c, default, given in ((True, 0.5, 0.25), (False, None, None)):
        model = calling(
            "y = l.choose (x, c) z = l.choose <a = 0.25> (x, c)",
            function,
            outputs="float[2,3] y, float[2,3] z",
            inputs="float[2,3] x, bool c",
        )
        y, z = run(model, {"x": X, "c": np.array(c)})
        np.testing.assert_array_equal(y, np.where(X < 0, default * X, X) if c else X * np.float32(0.5))
        np.testing.assert_array_equal(z, np.where(X < 0, given * X, X) if c else X * np.float32(0.25))


@pytest.mark.ours
def test_a_graph_may_be_an_attribute():
    """Given at a call it reads the caller's values, as a default the function's."""
    nodes = [helper.make_node("If", ["c"], ["y"])]
    for name in ("then_branch", "else_branch"):
        nodes[0].attribute.append(reference(name, AttributeProto.GRAPH, name[:4]))

    def graph(op, read):
        node = helper.make_node(op, [read], ["made"])
        return helper.make_graph([node], "g", [], [helper.make_tensor_value_info("made", TensorProto.FLOAT, [2, 3])])

    function = helper.make_function(
        "l",
        "f",
        ["a", "c"],
        ["y"],
        nodes,
        [helper.make_opsetid("", 18)],
        attributes=["then"],
        attribute_protos=[helper.make_attribute("else", graph("Neg", "a"))],
    )
    main = helper.make_graph(
        [
            helper.make_node("Exp", ["x"], ["made"]),
            helper.make_node("f", ["x", "c"], ["y"], domain="l", then=graph("Abs", "x")),
            helper.make_node("f", ["x", "not_c"], ["z"], domain="l", then=graph("Abs", "x")),
            helper.make_node("Not", ["c"], ["not_c"]),
        ],
        "main",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3]),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, [2, 3]) for o in ("y", "z", "made")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("l", 1)]
    y, z, made = run(
        helper.make_model(main, functions=[function], opset_imports=opsets, ir_version=10),
        {"x": X, "c": np.array(True)},
    )
    np.testing.assert_array_equal(y, np.abs(X))
    np.testing.assert_array_equal(z, -X)
    np.testing.assert_allclose(made, np.exp(X), rtol=1e-6)


FORMS = {  # call, outputs, functions, what they give
    "an input": ("y, z = l.f (x)", "y z", ["f (a) => (a, b) { b = Neg (a) }"], [X, -X]),
    "the only output": ("y = l.f (x)", "y", ["f (a) => (a) { b = Neg (a) }"], [X]),
    "an input that is used too": ("y, z = l.f (x)", "y z", ["f (a) => (b, a) { b = Neg (a) }"], [-X, X]),
    "one value twice": ("y, z = l.f (x)", "y z", ["f (a) => (b, b) { b = Neg (a) }"], [-X, -X]),
    "one input twice": ("y, z = l.f (x)", "y z", ["f (a) => (a, a) { b = Neg (a) }"], [X, X]),
    "through two": ("y = l.f (x)", "y", ["f (a) => (b) { b = l.g (a) }", "g (a) => (a) { b = Neg (a) }"], [X]),
    "inner, used": ("t = l.f (x) y = Abs (t)", "y", ["f (a) => (a) { b = Neg (a) }"], [np.abs(X)]),
    "swapped": ("t = Neg (x) y, z = l.f (x, t)", "y z", ["f (a, b) => (b, a) { c = Abs (a) }"], [-X, X]),
    "second only": (", z = l.f (x)", "z", ["f (a) => (b, a) { b = Neg (a) }"], [X]),
}


@pytest.mark.ours
@pytest.mark.parametrize("form", FORMS)
def test_an_output_may_be_an_input_or_another_output(form):
    call, outputs, functions, right = FORMS[form]
    model = calling(call, *functions, outputs=", ".join(f"float[2,3] {name}" for name in outputs.split()))
    for got, want in zip(run(model), right, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.ours
def test_an_output_in_a_branch_may_be_an_input():
    model = calling(
        """y = If (c) <then_branch = t () => (float[2,3] u) { u = l.f (x) },
                        else_branch = e () => (float[2,3] w) { w = Neg (x) }>""",
        "f (a) => (a) { b = Neg (a) }",
        outputs="float[2,3] y",
        inputs="float[2,3] x, bool c",
    )
    for c in (True, False):
        np.testing.assert_array_equal(run(model, {"x": X, "c": np.array(c)})[0], X if c else -X)


@pytest.mark.parametrize("opset", [11, 13, 18])
@pytest.mark.ours
def test_a_sequence_may_be_handed_through(opset):
    model = calling(
        "s = SequenceConstruct (x, x) t, n = l.f (s) y = SequenceAt (t, i)",
        "f (a) => (a, n) { n = SequenceLength (a) }",
        opset=opset,
        model_opset=opset,
        inputs="float[2,3] x, int64 i",
    )
    np.testing.assert_array_equal(run(model, {"x": X, "i": np.array(0)})[0], X)


def test_inputs_and_outputs_may_be_left_out():
    function = "f (x, lo, hi) => (y, n) { y = Clip (x, lo, hi) n = Neg (y) }"
    call = "k = Constant <value = float {0.5}> () y, = l.f (x, , k) z, n = l.f (x, k) t, m = l.f (n)"
    y, z, n = run(calling(call, function, outputs="float[2,3] y, float[2,3] z, float[2,3] n"))
    np.testing.assert_array_equal(y, np.minimum(X, 0.5))
    np.testing.assert_array_equal(z, np.maximum(X, 0.5))
    np.testing.assert_array_equal(n, -z)


@pytest.mark.ours
def test_what_is_left_out_may_be_an_output():
    model = calling(
        "lo = l.f (x) k = Constant <value = float {1.0}> () y = Clip (x, lo, k)", "f (x, lo) => (lo) { t = Neg (x) }"
    )
    np.testing.assert_array_equal(run(model)[0], np.minimum(X, 1))


def test_names_inside_do_not_clash():
    """Calls of calls, every value of which is named t, in a graph and bodies that name theirs so too."""
    model = calling(
        "t = l.f (x) t__1 = l.f (t) c = Constant <value_int: int = 1> () b = Cast <to = 9> (c) "
        "y = If (b) <then_branch = g () => (float[2,3] u) { s = l.f (t) u = Add (s, t__1) },"
        " else_branch = h () => (float[2,3] w) { w = Neg (t) }>",
        "f (x) => (y) { t = l.g (x) y = Add (t, x) }",
        "g (y) => (x) { t = Neg (y) x = Abs (t) }",
        outputs="float[2,3] y",
    )
    f = lambda x: np.abs(x) + x  # noqa: E731
    np.testing.assert_array_equal(run(model)[0], f(f(X)) + f(f(X)))


def test_overloads():
    functions = [
        helper.make_function(
            "l", "f", ["a"], ["b"], [helper.make_node(op, ["a"], ["b"])], [helper.make_opsetid("", 18)], overload=o
        )
        for o, op in (("one", "Neg"), ("two", "Abs"))
    ]
    nodes = [helper.make_node("f", ["x"], [out], domain="l", overload=o) for out, o in (("y", "one"), ("z", "two"))]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, [2, 3]) for o in "yz"],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("l", 1)]
    y, z = run(helper.make_model(graph, functions=functions, opset_imports=opsets, ir_version=10))
    np.testing.assert_array_equal(y, -X)
    np.testing.assert_array_equal(z, np.abs(X))


def softmax_over_all_behind(x):
    e = np.exp(x - x.max())
    return e / e.sum()


OPSETS = {  # function, opset of it and of the model, formula
    "axes as attribute": ("f (x) => (y) { y = ReduceSum <axes = [1]> (x) }", 11, 18, X.sum(1, keepdims=True)),
    "flattening softmax": ("f (x) => (y) { y = Softmax <axis = 0> (x) }", 11, 18, softmax_over_all_behind(X)),
    "axes as input": (
        "f (x) => (y) { k = Constant <value_ints = [1]> () y = ReduceSum (x, k) }",
        18,
        11,
        X.sum(1, keepdims=True),
    ),
    "operator of later": ("f (x) => (y) { y = Mish (x) }", 18, 13, X * np.tanh(np.log1p(np.exp(X)))),
    "same at both": ("f (x) => (y) { y = Relu (x) }", 14, 18, np.maximum(X, 0)),
}


@pytest.mark.ours
@pytest.mark.parametrize("case", OPSETS)
def test_a_function_means_the_operators_of_its_own_opset(case):
    function, opset, models, right = OPSETS[case]
    model = calling("t = l.f (x) y = Neg (t)", function, opset=opset, model_opset=models)
    np.testing.assert_allclose(run(model)[0], -right, rtol=1e-5)


def test_imports_that_only_a_function_has():
    model = """<ir_version: 9, opset_import: ["l" : 1]> m (float[2,3] x) => (float[2,3] y) { y = l.f (x) }
               <opset_import: ["" : 18], domain: "l"> f (x) => (y) { y = Relu (x) }"""
    np.testing.assert_array_equal(run(model)[0], np.maximum(X, 0))


def test_large_constants_of_a_function_called_often():
    w = np.arange(3 * 700, dtype=np.float32).reshape(3, 700)
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(w))
    function = helper.make_function(
        "l", "f", ["a"], ["b"], [constant, helper.make_node("MatMul", ["a", "w"], ["b"])], [helper.make_opsetid("", 18)]
    )
    nodes = [helper.make_node("f", ["x"], [f"y{i}"], domain="l") for i in range(4)]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, [2, 700]) for i in range(4)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("l", 1)]
    for y in run(helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=10)):
        np.testing.assert_allclose(y, X @ w, rtol=1e-5)


WRONG = {  # call, functions, what the message says
    "recursion": ("y = l.f (x)", ["f (x) => (y) { y = l.g (x) }", "g (x) => (y) { y = l.f (x) }"], "calls itself"),
    "too many inputs": ("y = l.f (x, x)", ["f (x) => (y) { y = Neg (x) }"], "has 1 inputs"),
    "too many outputs": ("y, z = l.f (x)", ["f (x) => (y) { y = Neg (x) }"], "has 1 outputs"),
    "a value of the caller": ("t = Neg (x) y = l.f (x)", ["f (x) => (y) { y = Add (x, t) }"], "reads 't'"),
    "an output nobody makes": ("y = l.f (x)", ["f (x) => (z) { y = Neg (x) }"], "an output 'z'"),
    "a value made twice": ("y = l.f (x)", ["f (x) => (y) { y = Neg (x) y = Abs (x) }"], "more than once"),
    "an input made": ("y = l.f (x)", ["f (x) => (x) { x = Neg (x) }"], "more than once"),
    "an input left out that is needed": ("y = l.f (x)", ["f (x, z) => (y) { y = Add (x, z) }"], "Add"),
    "two of one name": ("y = l.f (x)", ["f (x) => (y) { y = Neg (x) }", "f (x) => (y) { y = Abs (x) }"], "twice"),
}


@pytest.mark.ours
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case):
    call, functions, message = WRONG[case]
    with pytest.raises(Exception, match=message):
        run(calling(call, *functions))


@pytest.mark.ours
def test_a_reference_outside_of_functions_is_refused():
    node = helper.make_node("LeakyRelu", ["x"], ["y"])
    node.attribute.append(reference("alpha", AttributeProto.FLOAT, "a"))
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    )
    with pytest.raises(Exception, match="refers to"):
        run(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))


def test_an_operator_of_the_standard_wins_over_a_function_of_its_name():
    function = helper.make_function(
        "", "Relu", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    )
    model = helper.make_model(graph, functions=[function], opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    np.testing.assert_array_equal(run(model)[0], np.maximum(X, 0))
