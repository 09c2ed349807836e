// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/watch_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/rpc/state_convert.h"

namespace evenkeel::rpc {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{200};
constexpr std::chrono::milliseconds kLastRetry{5000};

}  // namespace

WatchClient::WatchClient(Connector connect, engine::EventSink sink)
    : connect_(std::move(connect)), sink_(std::move(sink)) {
  thread_ = std::thread([this] { Run(); });
}

WatchClient::~WatchClient() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.notify_all();
  }
  thread_.join();
}

bool WatchClient::WaitConnected(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return connected_; });
}

bool WatchClient::Sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return ending_; });
}

void WatchClient::Run() {
  std::chrono::milliseconds retry = kFirstRetry;
  do {
    ReadStream();
    std::lock_guard lock(mutex_);
    retry = connected_ ? kFirstRetry : std::min(retry * 2, kLastRetry);
    connected_ = false;
  } while (Sleep(retry));  // `lock` is gone by now
}

void WatchClient::ReadStream() {
  grpc::ClientContext* context = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    context_ = std::make_unique<grpc::ClientContext>();
    context = context_.get();
  }
  const std::shared_ptr<v1::Control::Stub> stub = connect_();
  const auto reader = stub->Watch(context, v1::WatchRequest());
  v1::WatchResponse message;
  while (reader->Read(&message)) Handle(message);
  // Why it ended does not matter here: it is made again, or the owner is done.
  (void)reader->Finish();
  std::lock_guard lock(mutex_);
  context_.reset();
}

void WatchClient::Handle(const v1::WatchResponse& message) {
  const bool first = message.kind() == v1::WatchResponse::CURRENT;
  if (first) {
    std::lock_guard lock(mutex_);
    connected_ = true;
    changed_.notify_all();
  }
  const bool missed = first && seen_revision_ && message.revision() != last_revision_;
  last_revision_ = message.revision();
  seen_revision_ = true;
  if (std::optional<engine::Event> event = FromProto(message)) {
    sink_(*event);
  } else if (missed) {
    sink_({.unix_ns = message.time().seconds() * 1'000'000'000 + message.time().nanos(),
           .kind = engine::Event::Kind::kApplied,
           .revision = message.revision(),
           .subject = "revision",
           .message = absl::StrCat("revision ", message.revision(),
                                   " is in force; the connection was lost meanwhile")});
  }
}

}  // namespace evenkeel::rpc
