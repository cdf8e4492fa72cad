// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "onnxruntime_c_api.h"

/// An error on its way over the C boundary. Owned by whoever received it, freed with ReleaseStatus.
struct OrtStatus {
  OrtErrorCode code = ORT_FAIL;
  std::string message;
};

namespace ortrun::abi {

/// A new status. When memory is out, answers one that lives as long as the process and says so.
OrtStatus* MakeStatus(OrtErrorCode code, std::string_view message) noexcept;

/// Frees a status of MakeStatus; null is fine.
void ReleaseStatus(OrtStatus* status) noexcept;

/// Throws the error that `status` carries, which is then released; returns when it is null.
void ThrowStatus(OrtStatus* status);

}  // namespace ortrun::abi
