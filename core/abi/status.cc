// SPDX-License-Identifier: Apache-2.0
#include "core/abi/status.h"

#include <memory>

#include "core/abi/fill.h"
#include "core/base/nearest.h"
#include "ortrun/error.h"

namespace ortrun::abi {
namespace {

OrtStatus& OutOfMemory() {
  // Short enough to stand inside the string itself, so that making it needs no memory.
  static OrtStatus status{ORT_FAIL, "out of memory"};
  return status;
}

OrtStatus* CreateStatus(OrtErrorCode code, const char* message) noexcept {
  // ORT_OK has no status object: a program that makes one means success.
  if (code == ORT_OK) return nullptr;
  return MakeStatus(code, message == nullptr ? "" : message);
}

OrtErrorCode GetErrorCode(const OrtStatus* status) noexcept { return status == nullptr ? ORT_OK : status->code; }

const char* GetErrorMessage(const OrtStatus* status) noexcept {
  return status == nullptr ? "" : status->message.c_str();
}

}  // namespace

OrtStatus* MakeStatus(OrtErrorCode code, std::string_view message) noexcept {
  try {
    // Messages quote names from models and callers, which have any length.
    constexpr size_t kLongest = size_t{1} << 16;
    return new OrtStatus{code, Shortened(message, kLongest)};
  } catch (...) {
    return &OutOfMemory();
  }
}

void ReleaseStatus(OrtStatus* status) noexcept {
  if (status != &OutOfMemory()) delete status;
}

void ThrowStatus(OrtStatus* status) {
  if (status == nullptr) [[likely]]
    return;
  Error error(status->code, status->message);
  ReleaseStatus(status);
  throw error;
}

void FillStatus(OrtApi& api) {
  api.CreateStatus = CreateStatus;
  api.GetErrorCode = GetErrorCode;
  api.GetErrorMessage = GetErrorMessage;
  api.ReleaseStatus = ReleaseStatus;
}

}  // namespace ortrun::abi
