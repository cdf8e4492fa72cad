// SPDX-License-Identifier: Apache-2.0
#include "core/graph/run_types.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <exception>
#include <new>

#include "core/graph/element_inference.h"
#include "core/graph/inference_context.h"
#include "core/graph/node_check.h"
#include "core/graph/schema.h"
#include "core/graph/tensor_reader.h"

namespace ortrun {

NodeOfRun::NodeOfRun(const Node& node, const std::vector<const Value*>& inputs) {
  node_.name = node.name;
  node_.op_type = node.op_type;
  node_.domain = node.domain;
  node_.since_version = node.since_version;
  node_.attributes = node.attributes;
  for (const Value* input : inputs) {
    ValueInfo* value = nullptr;
    if (input != nullptr) {
      value = &values_.emplace_back();
      value->name = node.inputs[node_.inputs.size()]->name;
      value->type = input->TypeOf();
    }
    node_.inputs.push_back(value);
  }
  for (const ValueInfo* output : node.outputs) {
    ValueInfo* value = nullptr;
    if (output != nullptr) {
      value = &values_.emplace_back();
      value->name = output->name;
      value->type = output->type;
    }
    node_.outputs.push_back(value);
  }
}

std::vector<TypeInfo> NodeOfRun::TypesMade() const {
  std::vector<TypeInfo> made(node_.outputs.size());
  const OperatorSchema* schema = FindSchema(node_.domain, node_.op_type, node_.since_version);
  if (schema == nullptr) return made;
  CheckNode(node_, *schema);
  const onnx::OpSchema* standard = schema->standard != nullptr && schema->domain == node_.domain &&
                                           schema->standard->has_type_and_shape_inference_function()
                                       ? schema->standard
                                       : nullptr;
  const bool known = std::all_of(node_.inputs.begin(), node_.inputs.end(),
                                 [](const ValueInfo* value) { return value == nullptr || value->type.IsKnown(); });
  if (standard != nullptr && known) {
    try {
      KnownValues values;
      NodeInference inference(node_, values, [](Graph&, const auto&) {});
      standard->GetTypeAndShapeInferenceFunction()(inference);
      for (size_t i = 0; i < made.size(); ++i) made[i] = ReadType(*inference.getOutputType(i));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {  // of shapes: the kernel says what is wrong with them
    }
  }
  for (size_t i = 0; i < made.size(); ++i)
    if (node_.outputs[i] != nullptr && !made[i].IsKnown()) made[i] = TypeBySchema(node_, schema, i);
  return made;
}

}  // namespace ortrun
