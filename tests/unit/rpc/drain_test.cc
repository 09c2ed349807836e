// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "control/rpc/control_service.h"
#include "tests/unit/rpc/server_fixture.h"

namespace evenkeel::rpc {
namespace {

using engine::DrainProgress;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class DrainRpcTest : public ServerFixture {
 protected:
  using Reader = std::unique_ptr<grpc::ClientReader<v1::DrainProgress>>;

  void SetUp() override {
    // The daemon's time goes ten times as fast.
    pause_ = [this](milliseconds time) {
      steady_ns_ += std::chrono::nanoseconds(time).count();
      std::this_thread::sleep_for(fast_ ? milliseconds(0) : time / 10);
    };
    ServerFixture::SetUp();
    kernel_.uses = [this](const model::IpAddress&) {
      return std::vector<publish::ServerUse>{
          {.pool = "web", .entry = true, .held_slots = held_.load(), .used_slots = 2, .pinned = 3}};
    };
    kernel_.counters.backends = {{.pool = "web",
                                  .backend = "web-3",
                                  .address = *model::IpAddress::Parse("10.0.1.3"),
                                  .counter = {.packets = 7}}};
    model::Config config = engine::MakeConfig(4);
    config.pools[0].backends[2].state = model::AdminState::kDraining;
    MustApply(config);
  }
  v1::DrainRequest Request() {
    v1::DrainRequest request;
    request.set_pool("web");
    request.set_backend("web-3");
    return request;
  }
  Reader Watch(grpc::ClientContext* context, const v1::DrainRequest& request) {
    context->set_deadline(std::chrono::system_clock::now() + seconds(120));
    return stub_->WatchDrain(context, request);
  }

  std::atomic<uint32_t> held_{9};
  std::atomic<bool> fast_{false};
};

TEST_F(DrainRpcTest, TellsWhatIsThereAndEndsByItself) {
  v1::DrainRequest request = Request();
  request.mutable_quiet()->set_seconds(5);
  grpc::ClientContext context;
  const Reader reader = Watch(&context, request);
  v1::DrainProgress message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.state(), v1::DrainProgress::DRAINING);
  EXPECT_FALSE(message.last());
  EXPECT_EQ(message.address(), "10.0.1.3");
  ASSERT_EQ(message.places_size(), 1);
  EXPECT_EQ(message.places(0).held_slots(), 9u);
  EXPECT_EQ(message.places(0).pinned_flows(), 3u);
  EXPECT_EQ(message.places(0).state(), v1::ADMIN_STATE_DRAINING);
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(message.state(), v1::DrainProgress::QUIET) << message.text();
  EXPECT_TRUE(message.last());
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(DrainRpcTest, TheClientHasTheSame) {
  std::vector<DrainProgress> told;
  int looks = 0;
  const absl::Status status = client_->WatchDrain(
      {.backend = "web-3", .quiet = seconds(20)}, [&](const DrainProgress* progress) {
        progress != nullptr ? told.push_back(*progress) : void(++looks);
        return true;
      });
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_GT(told.size(), 10u);
  EXPECT_EQ(told[0].state, DrainProgress::State::kDraining);
  EXPECT_EQ(told[0].places[0].held_slots, 9u);
  EXPECT_EQ(told[0].places[0].used_slots, 2u);
  EXPECT_EQ(told[1].places[0].packets, 7u);
  EXPECT_TRUE(told[1].places[0].idle.has_value());
  EXPECT_EQ(told.back().state, DrainProgress::State::kQuiet);
  EXPECT_THAT(told.back().text, HasSubstr("break if you stop it"));
}

TEST_F(DrainRpcTest, TheClientStopsWhenItIsToldAlsoBetweenTwoMessages) {
  const auto start = Clock::now();
  int looks = 0;
  const absl::Status status = client_->WatchDrain(
      {.backend = "web-3"},
      [&](const DrainProgress* progress) { return progress != nullptr || ++looks < 3; });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_LT(Clock::now() - start, seconds(5));
}

TEST_F(DrainRpcTest, ErrorsNameTheObject) {
  v1::DrainProgress message;
  for (const auto& [change, code, text] :
       {std::tuple<std::function<void(v1::DrainRequest&)>, grpc::StatusCode, const char*>{
            [](auto& r) { r.set_backend("web-33"); }, grpc::StatusCode::NOT_FOUND, "web-33"},
        {[](auto& r) { r.clear_backend(); }, grpc::StatusCode::INVALID_ARGUMENT, "backend"},
        {[](auto& r) { r.mutable_quiet()->set_nanos(1); }, grpc::StatusCode::INVALID_ARGUMENT,
         "quiet"}}) {
    v1::DrainRequest request = Request();
    change(request);
    grpc::ClientContext context;
    const Reader reader = Watch(&context, request);
    EXPECT_FALSE(reader->Read(&message));
    const grpc::Status status = reader->Finish();
    EXPECT_EQ(status.error_code(), code);
    EXPECT_THAT(status.error_message(), HasSubstr(text));
  }
}

TEST_F(DrainRpcTest, AShutdownEndsItAndSaysWhy) {
  absl::Status status;
  std::atomic<bool> began = false;
  std::thread waiting([&] {
    status = client_->WatchDrain({.backend = "web-3"}, [&](const DrainProgress* progress) {
      if (progress != nullptr) began = true;
      return true;
    });
  });
  while (!began) std::this_thread::sleep_for(milliseconds(10));
  const auto start = Clock::now();
  server_->Shutdown(seconds(10));
  waiting.join();
  EXPECT_LT(Clock::now() - start, seconds(5));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

// Clients that go away give their place back at once; those that stay and read nothing give it to
// the next one who asks.
TEST_F(DrainRpcTest, WhoGoesAwayOrDoesNotReadTakesNobodysPlace) {
  v1::DrainProgress message;
  for (size_t i = 0; i < 2 * ControlService::kMaxDrains; ++i) {
    grpc::ClientContext context;
    const Reader reader = Watch(&context, Request());
    ASSERT_TRUE(reader->Read(&message)) << i;
    context.TryCancel();
    (void)reader->Finish();
  }
  // Large messages without end: what is not read fills every buffer.
  model::Config config = engine_->Get()->config;
  for (int i = 0; i < 60; ++i) {
    config.pools.push_back(config.pools[0]);
    config.pools.back().name = "other-" + std::to_string(i);
  }
  MustApply(config);
  fast_ = true;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<Reader> readers;
  for (size_t i = 0; i < ControlService::kMaxDrains; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(Watch(contexts.back().get(), Request()));
    ASSERT_TRUE(readers.back()->Read(&message)) << i;
  }
  {
    grpc::ClientContext context;
    const Reader one_more = Watch(&context, Request());
    EXPECT_FALSE(one_more->Read(&message));
    const grpc::Status status = one_more->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("32"));
  }
  EXPECT_TRUE(client_->Get().ok());  // other calls still have threads
  bool made_room = false;
  for (const auto start = Clock::now(); !made_room && Clock::now() - start < seconds(40);) {
    grpc::ClientContext context;
    const Reader one_more = Watch(&context, Request());
    made_room = one_more->Read(&message);
    context.TryCancel();
    (void)one_more->Finish();
  }
  EXPECT_TRUE(made_room);
  for (size_t i = 0; i < readers.size(); ++i) {
    contexts[i]->TryCancel();
    (void)readers[i]->Finish();
  }
}

}  // namespace
}  // namespace evenkeel::rpc
