// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "onnxruntime_c_api.h"

namespace ortrun::abi {

/// An allocator for the caller, who frees it with ReleaseAllocator; it holds `allocator` as long.
OrtAllocator* NewHeldAllocator(std::shared_ptr<OrtAllocator> allocator);

/// A caller's allocator for use inside: one of NewHeldAllocator gives what it holds, any other stays the caller's and
/// must outlive what is allocated with it.
std::shared_ptr<OrtAllocator> Share(OrtAllocator* allocator);

}  // namespace ortrun::abi
