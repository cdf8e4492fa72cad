// SPDX-License-Identifier: Apache-2.0
#include "core/graph/onnx_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/inliner/inliner.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/graph/element_inference.h"
#include "core/graph/mapped_file.h"
#include "core/graph/model_check.h"
#include "core/graph/model_converter.h"
#include "core/graph/node_check.h"
#include "core/graph/onnx_writer.h"
#include "core/graph/scalar_inputs.h"
#include "core/graph/standard_schemas.h"
#include "core/graph/stripped_model.h"
#include "core/graph/tensor_reader.h"
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

/// Finds the schema of a node: that of a custom operator first.
class SchemaLookup {
 public:
  explicit SchemaLookup(const ReadOptions& options) : options_(options) {}
  const OperatorSchema* Custom(const Node& node) const {
    return options_.custom_schema ? options_.custom_schema(node.domain, node.op_type, node.since_version) : nullptr;
  }
  const OperatorSchema* operator()(const Node& node) const {
    const OperatorSchema* custom = Custom(node);
    return custom != nullptr ? custom : FindSchema(node.domain, node.op_type, node.since_version);
  }

 private:
  const ReadOptions& options_;
};

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

/// One line of onnx's report that tells of types that contradict each other; "" when there is none. That an input's
/// type is not known is no contradiction, and one of shapes may be an exporter's slip that changes nothing.
std::string Contradiction(const std::string& report) {
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);)
    if (line.find("[TypeInferenceError]") != std::string::npos && line.find("instead is null") == std::string::npos)
      return line;
  return "";
}

/// Fills the types of values as far as onnx can infer them. Answers a contradiction between types, or "".
std::string Infer(onnx::ModelProto& proto, const ReadOptions& options) {
  const auto run = [&proto](int strict) {
    const onnx::ShapeInferenceOptions inference(true, strict, true);
    onnx::shape_inference::InferShapes(proto, &StandardSchemas::Instance(), inference);
  };
  std::string contradiction;
  try {
    run(1);
    return contradiction;
  } catch (const std::exception& error) {
    contradiction = Contradiction(error.what());
  }
  // A strict run reports errors but gives up bodies that have some: another one infers what can be.
  try {
    run(0);
  } catch (const std::exception& error) {
    if (options.logger != nullptr) options.logger->Warning("shapes could not all be inferred: ", error.what());
  }
  return contradiction;
}

void FinishTypes(Graph& graph, const std::string& contradiction, const ReadOptions& options) {
  const SchemaLookup schemas(options);
  InferMissingTypes(graph, schemas);
  // A custom operator is compared with its own declaration when it is assigned.
  CheckNodes(graph, [&](const Node& node) { return schemas.Custom(node) != nullptr ? nullptr : schemas(node); });
  if (!contradiction.empty()) throw Error(ORT_FAIL, Concat("This is an invalid model. Type Error: ", contradiction));
}

/// The folder in which a model's file really lies, when its path is a link.
std::filesystem::path RealFolder(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  return path.empty() || error ? std::filesystem::path() : real.parent_path();
}

std::unique_ptr<Model> ReadBytes(std::string_view bytes, std::shared_ptr<void> owner, const std::filesystem::path& path,
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
    try {
      onnx::inliner::InlineLocalFunctions(proto, true);
    } catch (const std::exception& error) {
      throw Error(ORT_INVALID_GRAPH,
                  Concat("This is an invalid model. A model function cannot be inlined: ", error.what()));
    }
  }
  CheckModel(proto, options);
  OverrideDimensions(proto, options);
  const DeclaredTypes declared = DropScalarShapes(proto);
  const std::string contradiction = Infer(proto, options);
  auto model = std::make_unique<Model>();
  model->path = path;
  model->storage.push_back(owner);
  ExternalFiles files(folder, options.external_files, RealFolder(path));
  const TensorReader tensors(stripped.get(), std::move(owner), !path.empty(), files);
  ModelConverter(*model, options, tensors).Convert(proto);
  KeepDeclared(*model->graph, declared);
  FinishTypes(*model->graph, contradiction, options);
  return model;
}

}  // namespace

std::unique_ptr<Model> ReadModel(const std::filesystem::path& path, const ReadOptions& options) {
  std::shared_ptr<MappedFile> file = MappedFile::Open(path);
  const std::string_view bytes(file->data(), file->size());
  std::filesystem::path folder = options.external_folder;
  if (folder.empty()) folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return ReadBytes(bytes, std::move(file), path, folder, options);
}

std::unique_ptr<Model> ReadModel(const void* data, size_t bytes, const ReadOptions& options) {
  auto copy = std::make_shared<std::string>(static_cast<const char*>(data), bytes);
  const std::string_view view(*copy);
  return ReadBytes(view, std::move(copy), {}, options.external_folder, options);
}

void InferTypes(Model& model, const ReadOptions& options) {
  onnx::ModelProto proto = ToProto(model, false);
  OverrideDimensions(proto, options);
  const DeclaredTypes declared = DropScalarShapes(proto);
  const std::string contradiction = Infer(proto, options);
  const auto take = [&model](const onnx::ValueInfoProto& info) {
    ValueInfo* value = model.graph->Find(info.name());
    if (value != nullptr && info.has_type() && value->initializer == nullptr) value->type = ReadType(info.type());
  };
  for (const auto& info : proto.graph().value_info()) take(info);
  for (const auto& info : proto.graph().input()) take(info);
  for (const auto& info : proto.graph().output()) take(info);
  KeepDeclared(*model.graph, declared);
  FinishTypes(*model.graph, contradiction, options);
}

}  // namespace ortrun
