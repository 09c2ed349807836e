// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/webhook.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "control/daemon/secret_file.h"
#include "tests/probe/server.h"
#include "tests/unit/daemon/temp_dir.h"

namespace evenkeel::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1'000'000'000;
const std::string kSecret = "0123456789abcdef0123";

detect::Alarm Page(const std::string& id, int64_t since_s) {
  detect::Alarm alarm;
  alarm.id = id;
  alarm.severity = detect::Severity::kPage;
  alarm.text = "b1 has everything";
  alarm.page_since_unix_ns = since_s * kSecond;
  alarm.since_unix_ns = since_s * kSecond;
  alarm.undo = "evenkeel rollback 40";
  return alarm;
}

TEST(DeliveryQueueTest, InOrderAndAgainAfterLongerWaits) {
  DeliveryQueue queue;
  EXPECT_EQ(queue.Next(0), nullptr);
  EXPECT_FALSE(queue.next_ns());
  queue.Push("a", 0);
  queue.Push("b", 0);
  EXPECT_EQ(*queue.Next(0), "a");
  queue.Failed(0);
  EXPECT_EQ(queue.Next(kSecond - 1), nullptr) << "and b waits for a";
  EXPECT_EQ(*queue.Next(kSecond), "a");
  queue.Failed(kSecond);
  EXPECT_EQ(*queue.next_ns(), 3 * kSecond);
  int64_t now = 3 * kSecond;
  for (int i = 0; i < 20; ++i) {
    queue.Failed(now);
    EXPECT_LE(*queue.next_ns() - now, DeliveryQueue::kLongestWaitNs);
    now = *queue.next_ns();
  }
  EXPECT_EQ(*queue.Next(now), "a");
  queue.Delivered();
  EXPECT_EQ(*queue.Next(now), "b") << "at once";
  queue.Delivered();
  EXPECT_EQ(queue.lost(), 0u);
}

TEST(DeliveryQueueTest, WhatIsTooOldOrTooMuchIsCounted) {
  DeliveryQueue queue;
  queue.Push("old", 0);
  queue.Push("new", 2 * kSecond);
  EXPECT_EQ(*queue.Next(DeliveryQueue::kGiveUpNs + kSecond), "new");
  EXPECT_EQ(queue.lost(), 1u);
  for (size_t i = 0; i < DeliveryQueue::kMost; ++i) queue.Push("x" + std::to_string(i), 0);
  EXPECT_EQ(queue.waiting(), DeliveryQueue::kMost);
  EXPECT_EQ(*queue.Next(0), "x0");
  EXPECT_EQ(queue.lost(), 2u);
}

TEST(EscalationsTest, PagesThatNobodyAcknowledgesAreToldAgain) {
  Escalations escalations(600 * kSecond);
  detect::Alarm page = Page("a", 1000), ticket = Page("t", 1000), known = Page("k", 1000);
  ticket.severity = detect::Severity::kTicket;
  known.acknowledged = {.who = "bob", .unix_ns = 1};
  const std::vector<detect::Alarm> alarms = {page, ticket, known};
  EXPECT_THAT(escalations.Due(alarms, 1599 * kSecond), IsEmpty());
  ASSERT_THAT(escalations.Due(alarms, 1600 * kSecond), SizeIs(1));
  EXPECT_THAT(escalations.Due(alarms, 1601 * kSecond), IsEmpty());
  EXPECT_THAT(escalations.Due(alarms, 2200 * kSecond), SizeIs(1)) << "and again";
  // Over, and again.
  EXPECT_THAT(escalations.Due({}, 2300 * kSecond), IsEmpty());
  page.page_since_unix_ns = 2400 * kSecond;
  EXPECT_THAT(escalations.Due({page}, 2900 * kSecond), IsEmpty());
  EXPECT_THAT(escalations.Due({page}, 3000 * kSecond), SizeIs(1));
  EXPECT_THAT(Escalations(0).Due(alarms, int64_t{1} << 62), IsEmpty());
}

// The digest was made with: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac SECRET
TEST(SignMessageTest, IsHmacSha256OfTimeAndBody) {
  EXPECT_EQ(SignMessage("0123456789abcdef0123", 1'700'000'000, "{\"a\":1}"),
            "t=1700000000,v1=34e41bd41c08899dd901e050eca2824e8dfecfe16d4778add8a6f330817db525");
  EXPECT_NE(SignMessage("0123456789abcdef0124", 1'700'000'000, "{\"a\":1}"),
            SignMessage("0123456789abcdef0123", 1'700'000'000, "{\"a\":1}"));
}

class WebhookTest : public ::testing::Test {
 protected:
  Webhook::Options Options(const std::string& url) {
    return {
        .url = url,
        .secret = kSecret,
        .ca_file = "",
        .escalate_ns = 60 * kSecond,
        .instance = "edge",
        .host = "lb1",
        .now_unix_ns = [] { return 1'700'000'000 * kSecond; },
        .steady_ns =
            [] {
              return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch())
                  .count();
            }};
  }
  // Whole requests, as they came; answers with the next of `statuses`, then 200.
  testing::Server::Serve Serve() {
    return [this](const testing::Connection& connection) {
      std::string request = connection.ReadRequest();
      std::smatch length;
      if (std::regex_search(request, length, std::regex("Content-Length: ([0-9]+)"))) {
        const size_t body = request.find("\r\n\r\n") + 4;
        const size_t whole = body + std::stoul(length[1]);
        std::array<char, 4096> more;
        while (request.size() < whole) {
          const ssize_t size = ::recv(connection.fd(), more.data(), more.size(), 0);
          if (size <= 0) break;
          request.append(more.data(), static_cast<size_t>(size));
        }
      }
      int status = 200;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        if (!statuses_.empty()) {
          status = statuses_.front();
          statuses_.erase(statuses_.begin());
        }
      }
      connection.Send(testing::HttpAnswer(status, "ok"));
    };
  }
  std::vector<std::string> Await(size_t count) {
    for (int i = 0; i < 1000; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (requests_.size() >= count) return requests_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> statuses_;
};

TEST_F(WebhookTest, SendsSignedMessagesAndTriesAgain) {
  constexpr uint16_t kPort = 28417;
  statuses_ = {500};
  const testing::Server server(kPort, Serve());
  auto webhook = Webhook::Start(Options("http://127.0.0.1:28417/hook?x=1"));
  ASSERT_TRUE(webhook.ok()) << webhook.status();
  (*webhook)->Tell({.what = detect::AlarmEvent::What::kRaised, .alarm = Page("a", 1)});
  (*webhook)->Tell({.what = detect::AlarmEvent::What::kCleared, .alarm = Page("a", 1)});
  const std::vector<std::string> requests = Await(3);
  ASSERT_THAT(requests, SizeIs(3));
  EXPECT_THAT(requests[0], HasSubstr("POST /hook?x=1 HTTP/1.1"));
  const auto body = [](const std::string& request) {
    return request.substr(request.find("\r\n\r\n") + 4);
  };
  EXPECT_EQ(body(requests[0]), body(requests[1])) << "the same, again";
  EXPECT_THAT(requests[1], HasSubstr("Evenkeel-Signature: " +
                                     SignMessage(kSecret, 1'700'000'000, body(requests[1]))));
  const auto first = nlohmann::json::parse(body(requests[1]));
  EXPECT_EQ(first["schema"], "evenkeel.alarm/v1");
  EXPECT_EQ(first["event"], "raised");
  EXPECT_EQ(first["host"], "lb1");
  EXPECT_EQ(first["alarm"]["id"], "a");
  EXPECT_EQ(first["alarm"]["undo"], "evenkeel rollback 40");
  const auto second = nlohmann::json::parse(body(requests[2]));
  EXPECT_EQ(second["event"], "cleared");
  EXPECT_EQ(second["number"], first["number"].get<int>() + 1);
  for (int i = 0; i < 200 && !(*webhook)->Problem().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ((*webhook)->Problem(), "");
  (*webhook)->Escalate({Page("a", 1)});
  ASSERT_THAT(Await(4), SizeIs(4));
  EXPECT_EQ(nlohmann::json::parse(body(Await(4)[3]))["event"], "unacknowledged");
}

TEST_F(WebhookTest, SaysWhyNothingArrivesAndEndsAtOnce) {
  auto webhook = Webhook::Start(Options("http://127.0.0.1:28418/"));
  ASSERT_TRUE(webhook.ok()) << webhook.status();
  (*webhook)->Tell({.what = detect::AlarmEvent::What::kRaised, .alarm = Page("a", 1)});
  for (int i = 0; i < 500 && (*webhook)->Problem().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_THAT((*webhook)->Problem(),
              ::testing::AllOf(HasSubstr("do not reach the webhook"), HasSubstr("1 wait")));
}

TEST_F(WebhookTest, RefusesWhatIsNotSafe) {
  for (const char* url :
       {"http://example.com/", "ftp://127.0.0.1/", "no url", "file:///etc/passwd"}) {
    EXPECT_FALSE(Webhook::Start(Options(url)).ok()) << url;
  }
  Webhook::Options weak = Options("https://example.com/");
  weak.secret = "short";
  EXPECT_THAT(std::string(Webhook::Start(weak).status().message()), HasSubstr("at least 16"));
  EXPECT_TRUE(Webhook::Start(Options("https://example.com/")).ok());
}

class WebhookSecretTest : public TempDir {};

TEST_F(WebhookSecretTest, IsInAFileThatNobodyElseReads) {
  const std::string path = Write("secret", kSecret + "\n");
  ::chmod(path.c_str(), 0644);
  EXPECT_THAT(std::string(ReadSecretFile("secret", path).status().message()),
              HasSubstr("chmod 0600"));
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(*ReadSecretFile("secret", path), kSecret);
  EXPECT_FALSE(ReadSecretFile("secret", path + "x").ok());
  Settings settings;
  EXPECT_EQ(*StartWebhook(settings, nullptr, nullptr), nullptr);
  settings.webhook_url = "https://example.com/";
  EXPECT_THAT(std::string(StartWebhook(settings, nullptr, nullptr).status().message()),
              HasSubstr("webhook.secret_file is not"));
}

}  // namespace
}  // namespace evenkeel::daemon
