// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "onnxruntime_c_api.h"

namespace ortrun {

/// The one error of a plugin: an OrtErrorCode with a message that says what happened, where and how to mend it.
/// Thrown inside the library; Guard turns it into an OrtStatus where C begins.
class Error : public std::runtime_error {
 public:
  Error(OrtErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  OrtErrorCode code() const noexcept { return code_; }

 private:
  OrtErrorCode code_;
};

/// Joins its arguments as a stream would print them.
template <typename... Args>
std::string Concat(const Args&... args) {
  std::ostringstream text;
  (text << ... << args);
  return std::move(text).str();
}

/// Throws ORT_INVALID_ARGUMENT with the joined message unless `condition` holds.
template <typename... Args>
void Require(bool condition, const Args&... message) {
  if (!condition) [[unlikely]]
    throw Error(ORT_INVALID_ARGUMENT, Concat(message...));
}

/// Takes a status from the host: throws it as an Error, or returns when it is NULL.
inline void ThrowOnError(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) [[likely]]
    return;
  Error error(api.GetErrorCode(status), api.GetErrorMessage(status));
  api.ReleaseStatus(status);
  throw error;
}

/// Runs `body` and answers NULL, or the status that says what it threw. Nothing escapes.
template <typename Body>
OrtStatus* Guard(const OrtApi& api, Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return nullptr;
  } catch (const Error& error) {
    return api.CreateStatus(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return api.CreateStatus(ORT_FAIL, "out of memory");
  } catch (const std::exception& error) {
    return api.CreateStatus(ORT_RUNTIME_EXCEPTION, error.what());
  } catch (...) {
    return api.CreateStatus(ORT_RUNTIME_EXCEPTION, "unknown exception");
  }
}

}  // namespace ortrun
