// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/abi/stack_array.h"
#include "core/execution/session.h"

namespace ortrun::abi {
namespace {

void RunSession(OrtSession& session, const OrtRunOptions* options, const char* const* input_names,
                const OrtValue* const* inputs, size_t input_len, const char* const* output_names, size_t output_len,
                OrtValue** outputs) {
  StackArray<std::unique_ptr<OrtValue>> made(output_len);
  session.Run(options, {input_names, input_len}, {inputs, input_len}, {output_names, output_len}, made.all(),
              std::span<OrtValue* const>(outputs, output_len), {});
  for (size_t i = 0; i < output_len; ++i)
    if (outputs[i] == nullptr) outputs[i] = made.all()[i].release();
}

OrtStatus* Run(OrtSession* session, const OrtRunOptions* run_options, const char* const* input_names,
               const OrtValue* const* inputs, size_t input_len, const char* const* output_names,
               size_t output_names_len, OrtValue** outputs) {
  return Guard(
      {{"session", session},
       Array("output_names", output_names, output_names_len),
       Array("outputs", outputs, output_names_len)},
      [&] {
        Require(input_len == 0 || (input_names != nullptr && inputs != nullptr), "Run: input_names or inputs is null");
        RunSession(*session, run_options, input_names, inputs, input_len, output_names, output_names_len, outputs);
      });
}

OrtStatus* RunAsync(OrtSession* session, const OrtRunOptions* run_options, const char* const* input_names,
                    const OrtValue* const* input, size_t input_len, const char* const* output_names,
                    size_t output_names_len, OrtValue** output, RunAsyncCallbackFn run_async_callback,
                    void* user_data) {
  return Guard(
      {{"session", session},
       Array("output_names", output_names, output_names_len),
       Array("output", output, output_names_len)},
      [&] {
        Require(run_async_callback != nullptr, "RunAsync: run_async_callback is null");
        for (size_t i = 0; i < output_names_len; ++i)
          Require(output_names[i] != nullptr, "RunAsync: output name ", i, " is null");
        Require(input_len == 0 || (input_names != nullptr && input != nullptr),
                "RunAsync: input_names or input is null");
        for (size_t i = 0; i < input_len; ++i)
          Require(input_names[i] != nullptr, "RunAsync: input name ", i, " is null");
        session->RequireInputs({input_names, input_len}, {output_names, output_names_len});  // now, not in the callback
        // The arrays need not outlive this call; the values must outlive the run.
        session->Schedule([=, in_names = std::vector<std::string>(input_names, input_names + input_len),
                           values = std::vector<const OrtValue*>(input, input + input_len),
                           out_names = std::vector<std::string>(output_names, output_names + output_names_len)] {
          std::vector<const char*> in;
          std::vector<const char*> out;
          for (const std::string& name : in_names) in.push_back(name.c_str());
          for (const std::string& name : out_names) out.push_back(name.c_str());
          OrtStatus* status = Guard(
              {},
              [&] {
                RunSession(*session, run_options, in.data(), values.data(), values.size(), out.data(), out.size(),
                           output);
              },
              "RunAsync");
          run_async_callback(user_data, output, status == nullptr ? output_names_len : 0, status);
        });
      });
}

}  // namespace

void FillRun(OrtApi& api) {
  api.Run = Run;
  api.RunAsync = RunAsync;
}

}  // namespace ortrun::abi
