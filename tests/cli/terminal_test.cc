// SPDX-License-Identifier: Apache-2.0
//
// `evenkeel top` in a terminal: what it does to the terminal, and that it leaves it as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <regex>

#include "control/rpc/server.h"
#include "tests/cli/process.h"
#include "tests/unit/cli/fake_engine.h"

namespace evenkeel::cli {
namespace {

using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kEnter[] = "\033[?1049h\033[?25l";
constexpr char kLeave[] = "\033[?25h\033[?1049l";

class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() : engine_(WebConfig(4)) {
    engine_.status.applied = *engine_.Get();
    engine_.status.digest_matches = true;
    engine::PoolStatus& pool = engine_.status.pools.emplace_back();
    pool.name = "web";
    for (int i = 1; i <= 40; ++i) {
      engine::BackendStatus& backend = pool.backends.emplace_back();
      backend.name = "web-" + std::to_string(i);
      backend.address = *model::IpAddress::Parse("10.0.1." + std::to_string(i));
    }
    auto server = rpc::Server::Listen(dir_.Path("evenkeeld.sock"));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Serve(&engine_).ok());
  }
  ~TerminalTest() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (terminal_ >= 0) ::close(terminal_);
    if (slave_ >= 0) ::close(slave_);
  }

  void StartTop() {
    winsize size{};
    size.ws_col = 80;
    size.ws_row = 24;
    ASSERT_EQ(::openpty(&terminal_, &slave_, nullptr, nullptr, &size), 0);
    ASSERT_EQ(::tcgetattr(slave_, &before_), 0);
    const std::string socket = dir_.Path("evenkeeld.sock"), path = EvenkeelPath();
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ == 0) {
      ::setsid();
      ::signal(SIGINT, SIG_DFL);  // a shell may ignore it for what it runs in the background
      ::ioctl(slave_, TIOCSCTTY, 0);
      for (int fd = 0; fd < 3; ++fd) ::dup2(slave_, fd);
      ::setenv("TERM", "xterm", 1);
      ::execl(path.c_str(), path.c_str(), "top", "--socket", socket.c_str(), nullptr);
      ::_exit(127);
    }
  }
  // Everything that was written so far, until it matches; false if it never did.
  bool WaitFor(const std::string& text) {
    const auto until = Clock::now() + std::chrono::seconds(15);
    while (seen_.find(text) == std::string::npos && Clock::now() < until) {
      pollfd in{.fd = terminal_, .events = POLLIN, .revents = 0};
      if (::poll(&in, 1, 100) <= 0) continue;
      std::array<char, 4096> buffer;
      const ssize_t size = ::read(terminal_, buffer.data(), buffer.size());
      if (size > 0) seen_.append(buffer.data(), static_cast<size_t>(size));
    }
    return seen_.find(text) != std::string::npos;
  }
  void Type(const std::string& keys) {
    ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  int Wait() {
    int status = -1;
    const auto until = Clock::now() + std::chrono::seconds(15);
    while (::waitpid(child_, &status, WNOHANG) == 0) {
      if (Clock::now() > until) return -1;
      ::usleep(10'000);
    }
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void ExpectAsBefore() {
    termios after{};
    ASSERT_EQ(::tcgetattr(slave_, &after), 0);
    EXPECT_EQ(after.c_lflag, before_.c_lflag);
    EXPECT_EQ(after.c_iflag, before_.c_iflag);
    EXPECT_EQ(after.c_oflag, before_.c_oflag);
  }

  TempDir dir_;
  FakeEngine engine_;
  std::unique_ptr<rpc::Server> server_;
  int terminal_ = -1, slave_ = -1;
  pid_t child_ = -1;
  termios before_{};
  std::string seen_;
};

TEST_F(TerminalTest, TopTakesTheScreenAndGivesItBack) {
  ASSERT_NO_FATAL_FAILURE(StartTop());
  ASSERT_TRUE(WaitFor("web-1")) << seen_;
  EXPECT_THAT(seen_, HasSubstr(kEnter));
  EXPECT_THAT(seen_, Not(HasSubstr(kLeave)));
  termios during{};
  ASSERT_EQ(::tcgetattr(slave_, &during), 0);
  EXPECT_EQ(during.c_lflag & (ICANON | ECHO), 0u) << "keys come one by one, and are not shown";
  EXPECT_NE(during.c_lflag & ISIG, 0u) << "Ctrl-C stays a signal";
  Type("q");
  ASSERT_TRUE(WaitFor(kLeave));
  EXPECT_EQ(Wait(), 0);
  ExpectAsBefore();
}

TEST_F(TerminalTest, KeysScroll) {
  ASSERT_NO_FATAL_FAILURE(StartTop());
  ASSERT_TRUE(WaitFor("web-1"));
  EXPECT_THAT(seen_, Not(HasSubstr("web-40"))) << "24 lines have no room for it";
  for (int i = 0; i < 4; ++i) Type("\033[6~");  // page down
  EXPECT_TRUE(WaitFor("web-40")) << seen_;
  Type("q");
  ASSERT_TRUE(WaitFor(kLeave));
  EXPECT_EQ(Wait(), 0);
}

TEST_F(TerminalTest, AnInterruptGivesTheScreenBackToo) {
  ASSERT_NO_FATAL_FAILURE(StartTop());
  ASSERT_TRUE(WaitFor("web-1"));
  Type("\003");  // Ctrl-C
  ASSERT_TRUE(WaitFor(kLeave)) << seen_;
  EXPECT_GE(Wait(), 0);
  ExpectAsBefore();
}

}  // namespace
}  // namespace evenkeel::cli
