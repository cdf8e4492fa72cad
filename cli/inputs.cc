// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "cli/element_type.h"
#include "cli/npy.h"

namespace ortrun::cli {
namespace {

using Json = nlohmann::json;

bool EndsWith(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

const Slot& FindSlot(const std::vector<Slot>& slots, const std::string& name) {
  std::vector<std::string> names;
  for (const Slot& slot : slots) {
    if (slot.name == name) return slot;
    names.push_back(slot.name);
  }
  std::string listed;
  for (const std::string& known : names) listed += (listed.empty() ? "" : ", ") + known;
  throw CliError(kBadInput,
                 "the model has no input '" + name + "'." + DidYouMean(name, names) + " Its inputs are: " + listed);
}

void FlattenJson(const Json& json, size_t depth, Tensor& tensor, std::vector<const Json*>& leaves,
                 const std::string& name) {
  if (!json.is_array()) {
    if (depth != tensor.shape.size()) throw CliError(kBadInput, "input '" + name + "': its lists are not of one depth");
    leaves.push_back(&json);
    return;
  }
  const auto size = static_cast<int64_t>(json.size());
  if (leaves.empty() && depth == tensor.shape.size()) tensor.shape.push_back(size);
  if (depth >= tensor.shape.size() || tensor.shape[depth] != size)
    throw CliError(kBadInput, "input '" + name + "': its lists are not of one length");
  for (const Json& element : json) FlattenJson(element, depth + 1, tensor, leaves, name);
}

Tensor FromJson(const Json& json, const Slot& slot) {
  Tensor tensor;
  tensor.type = slot.type;
  std::vector<const Json*> leaves;
  FlattenJson(json, 0, tensor, leaves, slot.name);
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    for (const Json* leaf : leaves) {
      if (!leaf->is_string()) throw CliError(kBadInput, "input '" + slot.name + "' takes strings");
      tensor.strings.push_back(leaf->get<std::string>());
    }
    return tensor;
  }
  const ElementType* type = FindType(tensor.type);
  if (type == nullptr) throw CliError(kBadInput, "input '" + slot.name + "' cannot be given as JSON");
  tensor.bytes.resize(leaves.size() * type->bytes);
  for (size_t i = 0; i < leaves.size(); ++i) {
    const Json& leaf = *leaves[i];
    if (!leaf.is_number() && !leaf.is_boolean())
      throw CliError(kBadInput, "input '" + slot.name + "' takes numbers, got " + leaf.dump());
    const bool integer = leaf.is_number_integer() || leaf.is_boolean();
    const int64_t whole = leaf.is_boolean() ? (leaf.get<bool>() ? 1 : 0) : integer ? leaf.get<int64_t>() : 0;
    StoreNumber(tensor, i, leaf.is_boolean() ? static_cast<double>(whole) : leaf.get<double>(), whole, integer);
  }
  return tensor;
}

void ReadGiven(const std::vector<Slot>& slots, const std::string& given, std::map<std::string, Tensor>& tensors) {
  const size_t equals = given.find('=');
  const std::string name = equals == std::string::npos ? "" : given.substr(0, equals);
  const std::string path = equals == std::string::npos ? given : given.substr(equals + 1);
  if (EndsWith(path, ".npz")) {
    for (auto& [key, tensor] : ReadNpz(path)) tensors[FindSlot(slots, key).name] = std::move(tensor);
  } else if (EndsWith(path, ".json")) {
    const Json json = Json::parse(ReadFile(path), nullptr, false);
    if (json.is_discarded()) throw CliError(kBadInput, "'" + path + "' is no valid JSON");
    if (!name.empty()) {
      tensors[name] = FromJson(json, FindSlot(slots, name));
      return;
    }
    if (!json.is_object())
      throw CliError(kBadInput, "'" + path + "' must hold an object of input names, or be given as NAME=" + path);
    for (const auto& [key, value] : json.items()) tensors[key] = FromJson(value, FindSlot(slots, key));
  } else if (EndsWith(path, ".npy")) {
    if (name.empty() && slots.size() != 1)
      throw CliError(kBadInput,
                     "the model has " + std::to_string(slots.size()) + " inputs: say which with NAME=" + path);
    tensors[name.empty() ? slots.front().name : FindSlot(slots, name).name] = ParseNpy(ReadFile(path), path);
  } else {
    throw CliError(kBadInput, "'" + given + "': inputs come from .npy, .npz or .json files");
  }
}

Tensor RandomTensor(const Slot& slot, const InputRequest& request, std::mt19937_64& random) {
  if (slot.kind != ONNX_TYPE_TENSOR || FindType(slot.type) == nullptr)
    throw CliError(kBadInput, "input '" + slot.name + "' is no tensor that can be made at random");
  if (!slot.has_shape)
    throw CliError(kBadInput, "input '" + slot.name + "' has no declared rank: give it with --input");
  Tensor tensor;
  tensor.type = slot.type;
  for (size_t i = 0; i < slot.shape.size(); ++i) {
    int64_t dim = slot.shape[i];
    if (dim < 0) {
      const auto named = request.dimensions.find(slot.symbols[i]);
      // A dimension without a name is mostly a batch: one is what every model accepts.
      dim = named == request.dimensions.end() ? 1 : named->second;
    }
    tensor.shape.push_back(dim);
  }
  const size_t count = tensor.count();
  if (slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    static constexpr const char* kWords[] = {"alpha", "beta", "gamma", "delta"};
    for (size_t i = 0; i < count; ++i) tensor.strings.emplace_back(kWords[random() % 4]);
    return tensor;
  }
  const bool floating =
      slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE ||
      slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 || slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
  tensor.bytes.resize(count * FindType(slot.type)->bytes);
  const bool boolean = slot.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bits = random();
    if (floating)
      StoreNumber(tensor, i, static_cast<double>(bits >> 11) * 0x1p-52 - 1.0, 0, false);
    else
      StoreNumber(tensor, i, static_cast<double>(bits % (boolean ? 2 : 8)),
                  static_cast<int64_t>(bits % (boolean ? 2 : 8)), true);
  }
  return tensor;
}

}  // namespace

std::vector<Tensor> MakeInputs(const std::vector<Slot>& slots, const InputRequest& request) {
  std::map<std::string, Tensor> given;
  for (const std::string& source : request.given) ReadGiven(slots, source, given);
  std::vector<Tensor> tensors;
  std::mt19937_64 random(request.seed);
  for (const Slot& slot : slots) {
    const auto found = given.find(slot.name);
    tensors.push_back(found == given.end() ? RandomTensor(slot, request, random) : std::move(found->second));
  }
  return tensors;
}

}  // namespace ortrun::cli
