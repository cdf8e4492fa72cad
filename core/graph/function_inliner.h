// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace ortrun {

/// Puts the bodies of the model's own functions in the place of their calls, in the main graph and in all bodies, until
/// no call is left, and drops the functions. Follows ONNX's rules:
/// - an attribute that the body refers to has the call's value, else the function's default, else it is left out;
/// - an input that the call leaves out is left out where the body reads it; outputs may be left out too;
/// - an output may be an input of the function, or the value of another output: an Identity makes it;
/// - values of the body get names that nothing else in the model has; a function sees its inputs only;
/// - a node means its operator at the opset that the function imports; where that differs from what it is at the
///   model's, it gets a pinned domain. Imports that the model lacks are added to it;
/// - an operator of the standard wins over a function of its name, as in ONNX Runtime.
/// The model has passed CheckFunctions: no function calls itself.
/// Throws Error(ORT_INVALID_GRAPH) naming the function and what is wrong with it or its call.
void InlineFunctions(onnx::ModelProto& model);

}  // namespace ortrun
