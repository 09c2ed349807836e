// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "control/rpc/event_queue.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using ::testing::HasSubstr;

class WatchTest : public ServerFixture {
 protected:
  using Reader = std::unique_ptr<grpc::ClientReader<v1::WatchResponse>>;
  Reader Watch(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return stub_->Watch(context, v1::WatchRequest());
  }
};

TEST_F(WatchTest, FirstTheRevisionInForceThenWhatHappens) {
  MustApply(engine::MakeConfig(4));
  grpc::ClientContext context;
  const Reader reader = Watch(&context);
  v1::WatchResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.kind(), v1::WatchResponse::CURRENT);
  EXPECT_EQ(message.revision(), 1u);

  MustApply(engine::MakeConfig(5));
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.kind(), v1::WatchResponse::APPLIED);
  EXPECT_EQ(message.revision(), 2u);
  EXPECT_THAT(message.message(), HasSubstr("uid 1000 (alice)"));

  engine_->Apply(MakeRequest(engine::MakeConfig(1)));
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.kind(), v1::WatchResponse::REFUSED);
  EXPECT_THAT(message.message(), HasSubstr("LB003"));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(WatchTest, AShutdownEndsItWithAReason) {
  grpc::ClientContext context;
  const Reader reader = Watch(&context);
  v1::WatchResponse message;
  ASSERT_TRUE(reader->Read(&message));
  const auto start = std::chrono::steady_clock::now();
  server_->Shutdown(std::chrono::seconds(10));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_FALSE(reader->Read(&message));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("shutting down"));
}

TEST_F(WatchTest, AReaderThatDoesNotReadIsDropped) {
  grpc::ClientContext context;
  const Reader reader = Watch(&context);
  v1::WatchResponse message;
  ASSERT_TRUE(reader->Read(&message));
  neighbor::Resolution resolution;
  resolution.address = *model::IpAddress::Parse("10.0.1.1");
  resolution.problem = std::string(16384, 'x');
  for (size_t i = 0; i < 4 * EventQueue::kCapacity; ++i) engine_->ReportReachability(resolution);
  size_t read = 0;
  while (reader->Read(&message)) ++read;
  EXPECT_LT(read, 4 * EventQueue::kCapacity);
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("events were lost"));
}

TEST_F(WatchTest, ThereIsAMostOfWatchers) {
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<Reader> readers;
  v1::WatchResponse message;
  for (int i = 0; i < 64; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(Watch(contexts.back().get()));
    ASSERT_TRUE(readers.back()->Read(&message)) << i;
  }
  grpc::ClientContext context;
  const Reader one_more = Watch(&context);
  EXPECT_FALSE(one_more->Read(&message));
  EXPECT_EQ(one_more->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(client_->Get().ok());  // other calls still have threads
  for (const auto& each : contexts) each->TryCancel();
  for (const Reader& reader : readers) {
    while (reader->Read(&message)) {
    }
    reader->Finish();
  }
}

// Events as a subscriber of the client gets them.
class Collector {
 public:
  engine::EventSink Sink() {
    return [this](const engine::Event& event) {
      std::lock_guard lock(mutex_);
      events_.push_back(event);
      changed_.notify_all();
    };
  }
  std::vector<engine::Event> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return events_.size() >= count; });
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<engine::Event> events_;
};

TEST_F(WatchTest, ASubscriberOfTheClientSeesTheEventsOnly) {
  Collector collector;
  const uint64_t id = client_->Subscribe(collector.Sink());
  MustApply(engine::MakeConfig(4));
  auto events = collector.Wait(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, engine::Event::Kind::kApplied);
  EXPECT_EQ(events[0].revision, 1u);
  client_->Unsubscribe(id);
  MustApply(engine::MakeConfig(5));
  EXPECT_EQ(collector.Wait(0).size(), 1u);
}

TEST_F(WatchTest, WhatWasMissedWhileTheDaemonWasAwayIsTold) {
  Collector collector;
  const uint64_t id = client_->Subscribe(collector.Sink());
  server_.reset();
  MustApply(engine::MakeConfig(4));
  Serve();
  const auto events = collector.Wait(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].revision, 1u);
  EXPECT_THAT(events[0].message, HasSubstr("connection was lost"));
  client_->Unsubscribe(id);
}

TEST(EventQueueTest, WhatDoesNotFitIsCounted) {
  EventQueue queue;
  for (size_t i = 0; i < EventQueue::kCapacity + 3; ++i) {
    engine::Event event;
    event.revision = i;
    queue.Push(event);
  }
  EXPECT_EQ(queue.lost(), 3u);
  for (size_t i = 0; i < EventQueue::kCapacity; ++i) {
    EXPECT_EQ(queue.Pop(std::chrono::milliseconds(0))->revision, i);
  }
  EXPECT_FALSE(queue.Pop(std::chrono::milliseconds(0)).has_value());
  queue.Push({});
  EXPECT_EQ(queue.lost(), 4u);
}

}  // namespace
}  // namespace evenkeel::rpc
