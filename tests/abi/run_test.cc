// SPDX-License-Identifier: Apache-2.0
#include <future>

#include "ortrun/tools.h"
#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

Session WithThreads(int count) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  EXPECT_TRUE(Ok(api.SetIntraOpNumThreads(options.get(), count)));
  return SessionFrom(AddModel(), options.get());
}

/// Runs a model of one input "x" and one output "y".
Value RunOne(const Session& session, const OrtValue* x) {
  const char* input = "x";
  const char* output = "y";
  return Made<Value>(api.Run, session.get(), nullptr, &input, &x, 1u, &output, 1u);
}

class RunAdd : public testing::Test {
 protected:
  OrtStatus* Run(const OrtRunOptions* options = nullptr) {
    return api.Run(session.get(), options, names, inputs, 2, &output_name, 1, &output);
  }
  void TearDown() override { api.ReleaseValue(output); }

  const Session session = SessionFrom(AddModel());
  std::vector<float> x_data = {1, 2, 3, 4};
  std::vector<float> y_data = {10, 20, 30, 40};
  const Value x = TensorOver(x_data, {2, 2});
  const Value y = TensorOver(y_data, {2, 2});
  const char* names[2] = {"x", "y"};
  const OrtValue* inputs[2] = {x.get(), y.get()};
  const char* output_name = "z";
  OrtValue* output = nullptr;
};

TEST_F(RunAdd, MakesItsOutput) {
  ASSERT_TRUE(Ok(Run()));
  EXPECT_EQ(ShapeOf(output), (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(DataOf<float>(output), (std::vector<float>{11, 22, 33, 44}));
}

TEST_F(RunAdd, FillsAnOutputOfTheCaller) {
  std::vector<float> z(4);
  const Value given = TensorOver(z, {2, 2});
  OrtValue* outputs[] = {given.get()};
  ASSERT_TRUE(Ok(api.Run(session.get(), nullptr, names, inputs, 2, &output_name, 1, outputs)));
  EXPECT_EQ(outputs[0], given.get());
  EXPECT_EQ(z, (std::vector<float>{11, 22, 33, 44}));
}

TEST_F(RunAdd, RefusesAnOutputOfTheCallerThatDoesNotFit) {
  std::vector<float> z(2);
  const Value given = TensorOver(z, {1, 2});
  OrtValue* outputs[] = {given.get()};
  EXPECT_TRUE(
      Fails(api.Run(session.get(), nullptr, names, inputs, 2, &output_name, 1, outputs), ORT_INVALID_ARGUMENT, "z"));
}

TEST_F(RunAdd, WritesNothingIntoAnOutputOfAnotherType) {
  std::vector<int64_t> z(4, 7);
  const Value given = TensorOver(z, {2, 2});
  for (int run = 0; run < 3; ++run) {
    OrtValue* outputs[] = {given.get()};
    EXPECT_TRUE(Fails(api.Run(session.get(), nullptr, names, inputs, 2, &output_name, 1, outputs), ORT_INVALID_ARGUMENT,
                      "'z'"));
    EXPECT_EQ(z, std::vector<int64_t>(4, 7));
    EXPECT_TRUE(Ok(Run()));
    api.ReleaseValue(output);
    output = nullptr;
  }
}

TEST_F(RunAdd, WritesNothingIntoAReadOnlyOutput) {
  const auto mark = reinterpret_cast<OrtrunMarkReadOnlyFn>(api.GetExperimentalFunction(ORTRUN_MARK_READ_ONLY));
  const auto ask = reinterpret_cast<OrtrunIsReadOnlyFn>(api.GetExperimentalFunction(ORTRUN_IS_READ_ONLY));
  ASSERT_TRUE(mark != nullptr && ask != nullptr);
  std::vector<float> z(4, 7);
  const Value given = TensorOver(z, {2, 2});
  EXPECT_EQ(Get<int>(ask, given.get()), 0);
  ASSERT_TRUE(Ok(mark(given.get())));
  EXPECT_EQ(Get<int>(ask, given.get()), 1);
  OrtValue* outputs[] = {given.get()};
  EXPECT_TRUE(Fails(api.Run(session.get(), nullptr, names, inputs, 2, &output_name, 1, outputs), ORT_INVALID_ARGUMENT,
                    "read-only"));
  const OrtValue* from = x.get();
  EXPECT_TRUE(Fails(api.CopyTensors(Env(), &from, outputs, nullptr, 1), ORT_INVALID_ARGUMENT, "read-only"));
  EXPECT_EQ(z, std::vector<float>(4, 7));
}

TEST_F(RunAdd, GivesAnOutputThatIsNamedTwice) {
  const char* twice[] = {"z", "z"};
  OrtValue* outputs[] = {nullptr, nullptr};
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE(Ok(api.Run(session.get(), nullptr, names, inputs, 2, twice, 2, outputs)));
    for (OrtValue*& made : outputs) {
      EXPECT_EQ(DataOf<float>(made), (std::vector<float>{11, 22, 33, 44}));
      api.ReleaseValue(made);
      made = nullptr;
    }
  }
  std::vector<float> z(4, 7);
  const Value given = TensorOver(z, {2, 2});
  outputs[1] = given.get();
  EXPECT_TRUE(
      Fails(api.Run(session.get(), nullptr, names, inputs, 2, twice, 2, outputs), ORT_INVALID_ARGUMENT, "twice"));
  EXPECT_EQ(z, std::vector<float>(4, 7));
}

TEST_F(RunAdd, WritesOverItsInput) {
  OrtValue* outputs[] = {const_cast<OrtValue*>(x.get())};  // NOLINT: the caller gives its own
  for (const float right : {11.f, 21.f, 31.f}) {
    ASSERT_TRUE(Ok(api.Run(session.get(), nullptr, names, inputs, 2, &output_name, 1, outputs)));
    EXPECT_EQ(x_data[0], right);
  }
}

TEST_F(RunAdd, StopsWhenTold) {
  const auto options = Made<RunOptions>(api.CreateRunOptions);
  ASSERT_TRUE(Ok(api.RunOptionsSetTerminate(options.get())));
  EXPECT_TRUE(Fails(Run(options.get()), ORT_FAIL, "terminate"));
  ASSERT_TRUE(Ok(api.RunOptionsUnsetTerminate(options.get())));
  EXPECT_TRUE(Ok(Run(options.get())));
}

TEST_F(RunAdd, NamesWhatIsWrong) {
  names[1] = "why";
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "why"));
  names[1] = nullptr;
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT));
  names[1] = "y";
  inputs[1] = nullptr;
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "y"));
  inputs[1] = y.get();
  output_name = "zz";
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "zz"));
  output_name = nullptr;
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT));
  output_name = "z";
  EXPECT_TRUE(
      Fails(api.Run(session.get(), nullptr, names, inputs, 1, &output_name, 1, &output), ORT_INVALID_ARGUMENT, "y"));
  EXPECT_TRUE(Fails(api.Run(session.get(), nullptr, nullptr, inputs, 2, &output_name, 1, &output), ORT_INVALID_ARGUMENT,
                    "input_names"));
}

TEST_F(RunAdd, RefusesInputsOfAnotherTypeOrShape) {
  std::vector<int64_t> whole(4);
  const Value integers = TensorOver(whole, {2, 2});
  inputs[0] = integers.get();
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "x"));
  const Value flat = TensorOver(x_data, {4});
  inputs[0] = flat.get();
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "x"));
  const Value texts = StringTensor({"a", "b"});
  inputs[0] = texts.get();
  EXPECT_TRUE(Fails(Run(), ORT_INVALID_ARGUMENT, "x"));
}

TEST_F(RunAdd, LaterOnAnotherThread) {
  const Session threaded = WithThreads(2);
  std::promise<size_t> done;
  const RunAsyncCallbackFn callback = [](void* user_data, OrtValue**, size_t count, OrtStatus* status) {
    EXPECT_TRUE(Ok(status));
    static_cast<std::promise<size_t>*>(user_data)->set_value(count);
  };
  ASSERT_TRUE(Ok(api.RunAsync(threaded.get(), nullptr, names, inputs, 2, &output_name, 1, &output, callback, &done)));
  EXPECT_EQ(done.get_future().get(), 1u);
  EXPECT_EQ(DataOf<float>(output), (std::vector<float>{11, 22, 33, 44}));
  OrtValue* none = nullptr;
  EXPECT_TRUE(Fails(api.RunAsync(threaded.get(), nullptr, names, inputs, 2, &output_name, 1, &none, nullptr, nullptr),
                    ORT_INVALID_ARGUMENT, "callback"));
  const Session single = WithThreads(1);
  EXPECT_TRUE(Fails(api.RunAsync(single.get(), nullptr, names, inputs, 2, &output_name, 1, &none, callback, &done),
                    ORT_INVALID_ARGUMENT, "thread"));
}

TEST(Run, Strings) {
  const Session session = SessionFrom(IdentityModel(TensorType(kString, {"N"})));
  const Value x = StringTensor({"one", "", "größer"});
  const Value y = RunOne(session, x.get());
  EXPECT_EQ(StringsOf(y.get()), (std::vector<std::string>{"one", "", "größer"}));
}

TEST(Run, EmptyTensors) {
  const Session session = SessionFrom(IdentityModel(TensorType(kFloat, {"N", 3})));
  std::vector<float> nothing;
  const Value x = TensorOver(nothing, {0, 3});
  EXPECT_EQ(ShapeOf(RunOne(session, x.get()).get()), (std::vector<int64_t>{0, 3}));
}

TEST(Run, AConvolutionInTheLayoutOfItsProvider) {
  const std::vector<float> ones(8 * 3 * 3 * 3, 1);
  const Session session = SessionFrom(ModelBytes({.nodes = {Node("Conv", {"x", "w"}, {"y"})},
                                                  .inputs = {ValueInfo("x", TensorType(kFloat, {1, 3, 8, 8}))},
                                                  .outputs = {ValueInfo("y", TensorType(kFloat, {1, 8, 6, 6}))},
                                                  .initializers = {FloatTensor("w", {8, 3, 3, 3}, ones)}}));
  std::vector<float> x(1 * 3 * 8 * 8, 1);
  const Value input = TensorOver(x, {1, 3, 8, 8});
  const Value y = RunOne(session, input.get());
  EXPECT_EQ(ShapeOf(y.get()), (std::vector<int64_t>{1, 8, 6, 6}));
  EXPECT_EQ(DataOf<float>(y.get()), std::vector<float>(8 * 6 * 6, 27));
}

TEST(Run, Sequences) {
  const Session session = SessionFrom(IdentityModel(SequenceType(TensorType(kFloat, {"N"}))));
  std::vector<float> a = {1, 2};
  std::vector<float> b = {3};
  const Value first = TensorOver(a, {2});
  const Value second = TensorOver(b, {1});
  const OrtValue* elements[] = {first.get(), second.get()};
  const auto x = Made<Value>(api.CreateValue, elements, 2u, ONNX_TYPE_SEQUENCE);
  const Value y = RunOne(session, x.get());
  ASSERT_EQ(Get<ONNXType>(api.GetValueType, y.get()), ONNX_TYPE_SEQUENCE);
  ASSERT_EQ(Get<size_t>(api.GetValueCount, y.get()), 2u);
  const auto last = Made<Value>(api.GetValue, y.get(), 1, DefaultAllocator());
  EXPECT_EQ(DataOf<float>(last.get()), b);
  EXPECT_EQ(Get<ONNXType>(api.GetValueType, x.get()), ONNX_TYPE_SEQUENCE);
}

TEST(Run, MapsOutOfClassLabels) {
  // ZipMap: a row of numbers becomes a map from label to number, the rows a sequence of maps.
  const Message labels = Message().Text(1, "classlabels_strings").Text(9, "cat").Text(9, "dog").Int(20, 8);
  const Session session =
      SessionFrom(ModelBytes({.nodes = {Node("ZipMap", {"x"}, {"y"}, {labels}, "ai.onnx.ml")},
                              .inputs = {ValueInfo("x", TensorType(kFloat, {"N", 2}))},
                              .outputs = {ValueInfo("y", SequenceType(MapType(kString, TensorType(kFloat, {}))))}},
                             {{"ai.onnx.ml", 1}}));
  std::vector<float> x = {0.25f, 0.75f, 1, 0};
  const Value input = TensorOver(x, {2, 2});
  const Value y = RunOne(session, input.get());
  ASSERT_EQ(Get<size_t>(api.GetValueCount, y.get()), 2u);
  const auto row = Made<Value>(api.GetValue, y.get(), 0, DefaultAllocator());
  ASSERT_EQ(Get<ONNXType>(api.GetValueType, row.get()), ONNX_TYPE_MAP);
  const auto keys = Made<Value>(api.GetValue, row.get(), 0, DefaultAllocator());
  const auto values = Made<Value>(api.GetValue, row.get(), 1, DefaultAllocator());
  EXPECT_EQ(StringsOf(keys.get()), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(DataOf<float>(values.get()), (std::vector<float>{0.25f, 0.75f}));
}

}  // namespace
}  // namespace ortrun::abi_testing
