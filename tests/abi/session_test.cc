// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

/// A file of the test's own, gone at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes)
      : path_(std::filesystem::temp_directory_path() / ("abi_test_" + std::to_string(getpid()) + ".onnx")) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const char* path() const { return path_.c_str(); }

 private:
  std::filesystem::path path_;
};

TEST(Session, FromAFile) {
  const TemporaryFile file(AddModel());
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  EXPECT_NE(Made<Session>(api.CreateSession, Env(), file.path(), options.get()), nullptr);
  EXPECT_NE(Made<Session>(api.CreateSession, Env(), file.path(), nullptr), nullptr);
}

TEST(Session, OutlivesItsBytesAndOptions) {
  Session session;
  {
    std::string model = AddModel();
    const auto options = Made<SessionOptions>(api.CreateSessionOptions);
    session = SessionFrom(model, options.get());
    model.assign(model.size(), 'x');
  }
  EXPECT_EQ(Get<size_t>(api.SessionGetInputCount, session.get()), 2u);
}

TEST(Session, SaysWhatIsWrongWithAModel) {
  OrtSession* session = nullptr;
  EXPECT_TRUE(Fails(api.CreateSession(Env(), "/no/such/model.onnx", nullptr, &session), ORT_NO_SUCHFILE,
                    "/no/such/model.onnx"));
  const std::string noise = "this is no model";
  EXPECT_TRUE(
      Fails(api.CreateSessionFromArray(Env(), noise.data(), noise.size(), nullptr, &session), ORT_INVALID_PROTOBUF));
  const std::string whole = AddModel();
  for (size_t size = 0; size < whole.size(); ++size) {
    OrtStatus* status = api.CreateSessionFromArray(Env(), whole.data(), size, nullptr, &session);
    if (status == nullptr) api.ReleaseSession(session);  // the metadata at the end may be cut off
    api.ReleaseStatus(status);
  }
  const Message type = TensorType(kFloat, {2});
  const std::string unknown = ModelBytes({.nodes = {Node("NoSuchOperator", {"x"}, {"y"})},
                                          .inputs = {ValueInfo("x", type)},
                                          .outputs = {ValueInfo("y", type)}});
  OrtStatus* status = api.CreateSessionFromArray(Env(), unknown.data(), unknown.size(), nullptr, &session);
  ASSERT_NE(status, nullptr);
  EXPECT_NE(std::string_view(api.GetErrorMessage(status)).find("NoSuchOperator"), std::string_view::npos);
  api.ReleaseStatus(status);
}

TEST(Session, NamesItsInputsAndOutputs) {
  const Session session = SessionFrom(AddModel());
  ASSERT_EQ(Get<size_t>(api.SessionGetInputCount, session.get()), 2u);
  ASSERT_EQ(Get<size_t>(api.SessionGetOutputCount, session.get()), 1u);
  EXPECT_EQ(Get<size_t>(api.SessionGetOverridableInitializerCount, session.get()), 0u);
  EXPECT_EQ(Text(api.SessionGetInputName, session.get(), 0u), "x");
  EXPECT_EQ(Text(api.SessionGetInputName, session.get(), 1u), "y");
  EXPECT_EQ(Text(api.SessionGetOutputName, session.get(), 0u), "z");
  char* name = nullptr;
  EXPECT_TRUE(
      Fails(api.SessionGetInputName(session.get(), 2, DefaultAllocator(), &name), ORT_INVALID_ARGUMENT, "index 2"));
  OrtTypeInfo* type = nullptr;
  EXPECT_TRUE(Fails(api.SessionGetOutputTypeInfo(session.get(), 1, &type), ORT_INVALID_ARGUMENT, "index 1"));
}

TEST(Session, AnInitializerThatIsAnInputToo) {
  const Message type = TensorType(kFloat, {2});
  const Session session = SessionFrom(ModelBytes({.nodes = {Node("Add", {"x", "w"}, {"y"})},
                                                  .inputs = {ValueInfo("x", type), ValueInfo("w", type)},
                                                  .outputs = {ValueInfo("y", type)},
                                                  .initializers = {FloatTensor("w", {2}, {1, 2})}}));
  EXPECT_EQ(Get<size_t>(api.SessionGetInputCount, session.get()), 1u);
  ASSERT_EQ(Get<size_t>(api.SessionGetOverridableInitializerCount, session.get()), 1u);
  EXPECT_EQ(Text(api.SessionGetOverridableInitializerName, session.get(), 0u), "w");
  EXPECT_NE(Made<TypeInfo>(api.SessionGetOverridableInitializerTypeInfo, session.get(), 0u), nullptr);
}

TEST(Session, KnowsWhereItsValuesLie) {
  const Session session = SessionFrom(AddModel());
  const OrtMemoryInfo* memory[2] = {};
  ASSERT_TRUE(Ok(api.SessionGetMemoryInfoForInputs(session.get(), memory, 2)));
  EXPECT_EQ(Get<int>(api.CompareMemoryInfo, memory[0], CpuMemory()), 0);
  ASSERT_TRUE(Ok(api.SessionGetMemoryInfoForOutputs(session.get(), memory, 1)));
  EXPECT_TRUE(Fails(api.SessionGetMemoryInfoForInputs(session.get(), memory, 1), ORT_INVALID_ARGUMENT));
  const OrtEpDevice* devices[2] = {};
  EXPECT_TRUE(Ok(api.SessionGetEpDeviceForInputs(session.get(), devices, 2)));
}

TEST(Session, TellsWhoRunsWhichNodeWhereItWasAskedTo) {
  const OrtEpAssignedSubgraph* const* parts = nullptr;
  size_t count = 0;
  constexpr const char* kRecord = "session.record_ep_graph_assignment_info";
  EXPECT_TRUE(
      Fails(api.Session_GetEpGraphAssignmentInfo(SessionFrom(AddModel()).get(), &parts, &count), ORT_FAIL, kRecord));
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  ASSERT_TRUE(Ok(api.AddSessionConfigEntry(options.get(), kRecord, "1")));
  const Session session = SessionFrom(AddModel(), options.get());
  ASSERT_TRUE(Ok(api.Session_GetEpGraphAssignmentInfo(session.get(), &parts, &count)));
  ASSERT_EQ(count, 1u);
  EXPECT_STREQ(Get<const char*>(api.EpAssignedSubgraph_GetEpName, parts[0]), "CPUExecutionProvider");
  const OrtEpAssignedNode* const* nodes = nullptr;
  ASSERT_TRUE(Ok(api.EpAssignedSubgraph_GetNodes(parts[0], &nodes, &count)));
  ASSERT_EQ(count, 1u);
  EXPECT_STREQ(Get<const char*>(api.EpAssignedNode_GetOperatorType, nodes[0]), "Add");
}

TEST(ModelMetadata, IsThatOfTheModel) {
  const Session session = SessionFrom(AddModel());
  const auto held = Made<ModelMetadata>(api.SessionGetModelMetadata, session.get());
  const OrtModelMetadata* metadata = held.get();
  EXPECT_EQ(Text(api.ModelMetadataGetProducerName, metadata), "abi_test");
  EXPECT_EQ(Text(api.ModelMetadataGetGraphName, metadata), "small_graph");
  EXPECT_EQ(Text(api.ModelMetadataGetDomain, metadata), "org.example");
  EXPECT_EQ(Text(api.ModelMetadataGetDescription, metadata), "a model of the tests");
  EXPECT_EQ(Text(api.ModelMetadataGetGraphDescription, metadata), "a graph of the tests");
  EXPECT_EQ(Get<int64_t>(api.ModelMetadataGetVersion, metadata), 3);
  char* value = nullptr;
  ASSERT_TRUE(Ok(api.ModelMetadataLookupCustomMetadataMap(metadata, DefaultAllocator(), "author", &value)));
  EXPECT_STREQ(value, "someone");
  EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), value)));
  ASSERT_TRUE(Ok(api.ModelMetadataLookupCustomMetadataMap(metadata, DefaultAllocator(), "none", &value)));
  EXPECT_EQ(value, nullptr);
  char** keys = nullptr;
  int64_t count = 0;
  ASSERT_TRUE(Ok(api.ModelMetadataGetCustomMetadataMapKeys(metadata, DefaultAllocator(), &keys, &count)));
  ASSERT_EQ(count, 2);
  for (int64_t i = 0; i < count; ++i) EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), keys[i])));
  EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), keys)));
}

}  // namespace
}  // namespace ortrun::abi_testing
