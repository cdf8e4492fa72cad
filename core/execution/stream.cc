// SPDX-License-Identifier: Apache-2.0
#include "core/execution/stream.h"

#include <memory>

#include "ortrun/error.h"

namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

}  // namespace

OrtSyncStream::OrtSyncStream(OrtSyncStreamImpl* impl, OrtMemoryDevice device) : impl_(impl), device_(device) {}

OrtSyncStream::~OrtSyncStream() {
  if (impl_->Release != nullptr) impl_->Release(impl_);
}

void* OrtSyncStream::handle() const { return impl_->GetHandle == nullptr ? nullptr : impl_->GetHandle(impl_); }

void OrtSyncStream::WaitOnHost() {
  if (impl_->Flush != nullptr) ortrun::ThrowOnError(Api(), impl_->Flush(impl_));
  if (impl_->CreateNotification == nullptr) return;
  OrtSyncNotificationImpl* raw = nullptr;
  ortrun::ThrowOnError(Api(), impl_->CreateNotification(impl_, &raw));
  if (raw == nullptr) return;
  const auto release = [](OrtSyncNotificationImpl* notification) { notification->Release(notification); };
  const std::unique_ptr<OrtSyncNotificationImpl, decltype(release)> notification(raw, release);
  ortrun::ThrowOnError(Api(), raw->Activate(raw));
  ortrun::ThrowOnError(Api(), raw->WaitOnHost(raw));
  ++sync_id_;
}

void OrtSyncStream::Drain() noexcept {
  try {
    WaitOnHost();
  } catch (...) {  // NOLINT: the first error is the one that the caller gets
  }
}
