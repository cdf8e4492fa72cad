// SPDX-License-Identifier: Apache-2.0
#include "core/graph/onnx_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/graph/early_operators.h"
#include "core/graph/function_inliner.h"
#include "core/graph/mapped_file.h"
#include "core/graph/model_check.h"
#include "core/graph/model_converter.h"
#include "core/graph/opset_imports.h"
#include "core/graph/scalar_inputs.h"
#include "core/graph/stripped_model.h"
#include "core/graph/tensor_reader.h"
#include "core/graph/type_inference.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// What bytes that are no model look like, for the message.
std::string LooksLike(std::string_view bytes) {
  const auto starts = [&](std::string_view prefix) { return bytes.substr(0, prefix.size()) == prefix; };
  if (starts("version https://git-lfs")) return "a Git LFS pointer: fetch the real file with 'git lfs pull'";
  if (starts("PK\x03\x04")) return "a zip archive: unpack it first";
  if (starts("\x1f\x8b")) return "a gzip file: unpack it first";
  if (starts("\x89HDF")) return "an HDF5 file: convert the model to ONNX first";
  if (bytes.size() > 8 && bytes.substr(4, 4) == "ORTM") return "a model in ORT format, which this build does not read";
  const std::string_view head = bytes.substr(0, 256);
  const bool text = std::all_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
  if (text && (starts("<") || starts("\xef\xbb\xbf<"))) return "an HTML or XML page: was a download redirected?";
  if (text && (starts("{") || starts("["))) return "JSON text";
  if (text) return "a text file";
  return "";
}

[[noreturn]] void NotAModel(std::string_view bytes, const std::string& name, const std::string& why) {
  const std::string looks = LooksLike(bytes);
  throw Error(ORT_INVALID_PROTOBUF,
              Concat("Load model from ", name, " failed:", why, looks.empty() ? "" : " It looks like ", looks,
                     looks.empty() ? " The file is damaged, cut off, or no ONNX model." : ""));
}

constexpr int kMaxMessageDepth = 1000;  ///< more than fits into a model whose depth is not checked before parsing

[[noreturn]] void NoGraph(const std::string& name, const std::string& why) {
  throw Error(ORT_INVALID_ARGUMENT,
              Concat("Load model from ", name, " failed:No graph was found in the protobuf: ", why));
}

onnx::ModelProto Parse(const StrippedModel& stripped, std::string_view original, const std::string& name) {
  onnx::ModelProto proto;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(stripped.bytes().data()),
                                                static_cast<int>(stripped.bytes().size()));
  stream.SetRecursionLimit(kMaxMessageDepth);
  if (!proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    NotAModel(original, name, "Protobuf parsing failed.");
  if (!proto.has_graph()) NoGraph(name, "the message is one of protobuf, but holds none");
  return proto;
}

void OverrideDimensions(onnx::ModelProto& proto, const ReadOptions& options) {
  if (options.dimension_by_name.empty() && options.dimension_by_denotation.empty()) return;
  for (auto& input : *proto.mutable_graph()->mutable_input()) {
    if (!input.type().has_tensor_type() || !input.type().tensor_type().has_shape()) continue;
    for (auto& dim : *input.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
      auto found = options.dimension_by_name.find(dim.dim_param());
      if (dim.has_dim_param() && found != options.dimension_by_name.end()) {
        dim.set_dim_value(found->second);
        continue;
      }
      found = options.dimension_by_denotation.find(dim.denotation());
      if (!dim.denotation().empty() && found != options.dimension_by_denotation.end()) dim.set_dim_value(found->second);
    }
  }
}

/// An input's type is what callers are held to.
void RequireInputTypes(const Graph& graph) {
  for (const ValueInfo* input : graph.inputs())
    if (!input->type.IsKnown())
      throw Error(ORT_FAIL, Concat("This is an invalid model. Model input (", input->name,
                                   ") does not have type information: it is declared as ", TypeName(input->type),
                                   ". Declare its element type"));
}

/// What is left to do once values are linked.
void Finish(Model& model, const ReadOptions& options) {
  RequireInputTypes(*model.graph);
  InferGraphTypes(*model.graph, options);
  ReplaceEarlyOperators(*model.graph);
}

/// What the main graph's outputs are by inference; nothing where the model does not allow it.
DeclaredTypes OutputTypes(const onnx::ModelProto& proto, ReadOptions options, const TensorReader& tensors) {
  options.logger = nullptr;  // the warnings come with the model that is kept
  DeclaredTypes types;
  try {
    Model model;
    ModelConverter(model, options, tensors).Convert(proto);
    Finish(model, options);
    for (const ValueInfo* output : model.graph->outputs()) types.emplace(output->name, output->type);
  } catch (const Error&) {
    return {};  // the model that is kept has the same fault, or shapes that do not hang on scalars suit it
  }
  return types;
}

/// The folder in which a model's file really lies, when its path is a link.
std::filesystem::path RealFolder(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return path.empty() || error ? std::filesystem::path() : real.parent_path();
}

/// `file` holds the bytes when they do not lie in memory of the caller's.
std::unique_ptr<Model> ReadBytes(std::string_view bytes, const MappedFile* file, const std::filesystem::path& path,
                                 const std::filesystem::path& folder, const ReadOptions& options) {
  const std::string name = path.empty() ? "memory" : path.string();
  if (bytes.empty()) NoGraph(name, path.empty() ? "there are no bytes" : "the file is empty");
  std::unique_ptr<StrippedModel> stripped;
  try {
    stripped = std::make_unique<StrippedModel>(bytes);
  } catch (const Error& error) {
    if (error.code() != ORT_INVALID_PROTOBUF) throw;
    NotAModel(bytes, name, error.what());
  }
  if (stripped->bytes().size() > static_cast<size_t>(INT32_MAX))
    throw Error(ORT_INVALID_PROTOBUF,
                Concat("Load model from ", name, " failed: the graph without its weights is larger than 2 GiB"));
  onnx::ModelProto proto = Parse(*stripped, bytes, name);
  if (proto.functions_size() != 0) {
    CheckFunctions(proto);
    InlineFunctions(proto);
  }
  CompleteImports(proto, options);
  CheckModel(proto, options);
  OverrideDimensions(proto, options);
  ExternalFiles files(folder, options.external_files, RealFolder(path), options.copy_external_data);
  const TensorReader tensors(stripped.get(), file, files);
  const DeclaredTypes declared = DropScalarShapes(
      proto, [&](const onnx::ModelProto& as_declared) { return OutputTypes(as_declared, options, tensors); });
  auto model = std::make_unique<Model>();
  model->path = path;
  ModelConverter(*model, options, tensors).Convert(proto);
  Finish(*model, options);
  KeepDeclared(*model->graph, declared);
  return model;
}

}  // namespace

std::unique_ptr<Model> ReadModel(const std::filesystem::path& path, const ReadOptions& options) {
  const std::shared_ptr<MappedFile> file = MappedFile::Open(path);
  const std::string_view bytes(file->data(), file->size());
  std::filesystem::path folder = options.external_folder;
  if (folder.empty()) folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return ReadBytes(bytes, file.get(), path, folder, options);
}

std::unique_ptr<Model> ReadModel(const void* data, size_t bytes, const ReadOptions& options) {
  return ReadBytes({static_cast<const char*>(data), bytes}, nullptr, {}, options.external_folder, options);
}

void InferTypes(Model& model, const ReadOptions& options) {
  for (ValueInfo* input : model.graph->inputs())
    for (size_t i = 0; i < input->type.tensor.symbols.size(); ++i) {
      const auto given = options.dimension_by_name.find(input->type.tensor.symbols[i]);
      if (input->type.tensor.dims[i] >= 0 || given == options.dimension_by_name.end()) continue;
      input->type.tensor.dims[i] = given->second;
      input->type.tensor.symbols[i].clear();
    }
  model.graph->Sort();
  Finish(model, options);
}

}  // namespace ortrun
