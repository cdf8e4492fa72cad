// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_writer.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <exception>
#include <memory>

#include "core/graph/model_message.h"
#include "core/graph/new_file.h"
#include "core/graph/opset_choice.h"
#include "core/graph/pinned_domain.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// The file that takes the data of large initialisers.
class ExternalData {
 public:
  ExternalData(const std::filesystem::path& model, const WriteOptions& options)
      : name_(options.external_file),
        threshold_(options.external_threshold),
        file_(model.parent_path() / options.external_file, false) {}

  bool Put(const Value& value, onnx::TensorProto& proto) {
    if (value.IsString() || value.bytes() < threshold_ || value.bytes() == 0) return false;
    if (value.tensor().data == nullptr || !value.memory().device.HostAccessible()) return false;
    // Whole pages for large ones, so that what is packed can be forgotten; the rest as kernels like it.
    constexpr uint64_t kPage = 4096;
    constexpr uint64_t kLine = 64;
    const uint64_t alignment = value.bytes() >= kPage ? kPage : kLine;
    static constexpr char kZeros[kPage] = {};
    const uint64_t padding = (alignment - size_ % alignment) % alignment;
    file_.Write(kZeros, padding);
    size_ += padding;
    file_.Write(value.tensor().data, value.bytes());
    const auto add = [&proto](const char* key, const std::string& text) {
      auto* entry = proto.add_external_data();
      entry->set_key(key);
      entry->set_value(text);
    };
    add("location", name_);
    add("offset", std::to_string(size_));
    add("length", std::to_string(value.bytes()));
    proto.set_data_location(onnx::TensorProto::EXTERNAL);
    size_ += value.bytes();
    return true;
  }

  NewFile& file() { return file_; }

 private:
  std::string name_;
  size_t threshold_;
  NewFile file_;
  uint64_t size_ = 0;
};

void CheckExternalName(const std::filesystem::path& model, const std::string& name) {
  const std::filesystem::path file(name);
  if (file.has_parent_path() || name == "." || name == ".." || name.find('\0') != std::string::npos)
    throw Error(ORT_INVALID_ARGUMENT, Concat("the external file '", name,
                                             "' must lie beside the model: name it without a "
                                             "folder"));
  if (file == model.filename())
    throw Error(ORT_INVALID_ARGUMENT, Concat("the external file '", name, "' has the name of the model's own file"));
}

class Stream final : public google::protobuf::io::CopyingOutputStream {
 public:
  explicit Stream(NewFile& file) : file_(file) {}
  bool Write(const void* data, int bytes) override {
    if (failure_) return false;
    try {
      file_.Write(data, static_cast<size_t>(bytes));
      return true;
    } catch (const Error&) {
      failure_ = std::current_exception();  // protobuf's writers are not made to be left by an exception
      return false;
    }
  }
  void Rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  NewFile& file_;
  std::exception_ptr failure_;
};

void CheckNodes(const Graph& graph, const OpsetChoice& opsets, bool onnxruntime_only) {
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) CheckNodes(*body.second, opsets, onnxruntime_only);
    if (node->domain == "ortrun.compiled")
      throw Error(ORT_FAIL, Concat("Unable to serialize model as it contains compiled nodes: provider '",
                                   node->provider, "' compiled ", node->Describe(),
                                   ". Make the session without that provider to save the optimized model"));
    const std::string& domain = opsets.DomainOf(*node);
    if (onnxruntime_only && (PinnedDomain::Parse(domain) || domain == "ortrun" || domain == "com.ms.internal.nhwc"))
      throw Error(ORT_FAIL, Concat("the optimized model cannot keep to the operators of ONNX Runtime: ",
                                   node->Describe(), " of version ", node->since_version, " does not fit the opset ",
                                   opsets.imports().at(node->domain.empty() ? "" : node->domain), " of the others"));
  }
}

}  // namespace

void WriteModel(const Model& model, const std::filesystem::path& path, const WriteOptions& options) {
  const OpsetChoice opsets(model);
  CheckNodes(*model.graph, opsets, options.onnxruntime_operators_only);
  std::unique_ptr<ExternalData> external;
  PutElsewhere elsewhere;
  if (!options.external_file.empty()) {
    CheckExternalName(path, options.external_file);
    external = std::make_unique<ExternalData>(path, options);
    elsewhere = [&external](const Value& value, onnx::TensorProto& proto) { return external->Put(value, proto); };
  }
  NewFile file(path, true);
  const onnx::ModelProto proto = ToProto(model, opsets, elsewhere);
  if (proto.ByteSizeLong() > static_cast<size_t>(INT32_MAX))
    throw Error(ORT_FAIL, Concat("the model is larger than 2 GiB and cannot be written to '", path.string(),
                                 "' as one message; name a file for its weights with the session config entry "
                                 "'session.optimized_model_external_initializers_file_name'"));
  Stream stream(file);
  google::protobuf::io::CopyingOutputStreamAdaptor buffered(&stream);
  const bool written = proto.SerializeToZeroCopyStream(&buffered) && buffered.Flush();
  stream.Rethrow();
  if (!written) throw Error(ORT_FAIL, Concat("'", path.string(), "' cannot be written"));
  file.Finish();
  if (external != nullptr) external->file().Commit();
  file.Commit();
}

}  // namespace ortrun
