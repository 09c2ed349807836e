// SPDX-License-Identifier: Apache-2.0
#include "control/cli/environment.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace evenkeel::cli {
namespace {

constexpr uint32_t kDefaultColumns = 80;
constexpr uint32_t kMinColumns = 40;
constexpr uint32_t kMaxColumns = 400;

volatile sig_atomic_t stop_requested = 0;

void RequestStop(int) { stop_requested = 1; }

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = absl::AsciiStrToLower(Variable(name));
    if (value.empty()) continue;
    return absl::StrContains(value, "utf-8") || absl::StrContains(value, "utf8");
  }
  return false;
}

uint32_t TerminalColumns() {
  uint32_t columns = 0;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    columns = size.ws_col;
  } else if (!absl::SimpleAtoi(Variable("COLUMNS"), &columns) || columns == 0) {
    return kDefaultColumns;
  }
  return std::clamp(columns, kMinColumns, kMaxColumns);
}

bool SocketExists(const std::string& socket) {
  struct stat ignored {};
  return stat(socket.c_str(), &ignored) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

// Interruptible: a signal ends the sleep, and only then are the signals taken from their default
// action, so that every other command dies of Ctrl-C at once.
bool Sleep(std::chrono::milliseconds duration) {
  struct sigaction action {};
  action.sa_handler = RequestStop;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  timespec rest{};
  rest.tv_sec = duration.count() / 1000;
  rest.tv_nsec = (duration.count() % 1000) * 1'000'000;
  while (stop_requested == 0 && nanosleep(&rest, &rest) != 0 && errno == EINTR) {
  }
  return stop_requested == 0;
}

int64_t NowUnixNs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What cannot be asked is not called wrong.
bool ClockIsSynchronised() {
  timex clock{};
  return adjtimex(&clock) < 0 || (clock.status & STA_UNSYNC) == 0;
}

}  // namespace

Environment ProcessEnvironment() {
  Environment env;
  env.in = &std::cin;
  env.out = &std::cout;
  env.err = &std::cerr;
  env.in_is_terminal = isatty(STDIN_FILENO) == 1;
  env.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  env.err_is_terminal = isatty(STDERR_FILENO) == 1;
  env.is_dumb = Variable("TERM").empty() || Variable("TERM") == "dumb";
  env.no_color = !Variable("NO_COLOR").empty() || Variable("TERM") == "dumb";
  env.utf8 = LocaleIsUtf8();
  env.columns = TerminalColumns();
  env.socket = Variable("EVENKEEL_SOCKET");
  env.socket_exists = SocketExists;
  env.host.clock_synchronised = ClockIsSynchronised();
  env.host.nic = [](const std::string& interface) { return nic::Read(interface); };
  env.host.processors = static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  env.now_unix_ns = NowUnixNs;
  env.sleep = Sleep;
  return env;
}

}  // namespace evenkeel::cli
