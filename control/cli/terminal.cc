// SPDX-License-Identifier: Apache-2.0
#include "control/cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "control/cli/top_view.h"

namespace evenkeel::cli {
namespace {

constexpr std::string_view kEnter = "\033[?1049h\033[?25l";  // the other screen, no cursor
constexpr std::string_view kLeave = "\033[?25h\033[?1049l";
constexpr int kSequenceMs = 20;  // the rest of an escape sequence comes at once

void Write(std::string_view text) {
  // Nothing can be done where the terminal is gone.
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
}

bool Readable(int wait_ms) {
  pollfd in{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&in, 1, wait_ms) > 0;
}

std::optional<char> ReadByte() {
  char byte = 0;
  return ::read(STDIN_FILENO, &byte, 1) == 1 ? std::optional(byte) : std::nullopt;
}

// What follows an escape: "[A" and so on. A lone escape is itself.
char ReadSequence() {
  constexpr char kEscape = 27;
  if (!Readable(kSequenceMs)) return kEscape;
  if (const auto bracket = ReadByte(); !bracket || (*bracket != '[' && *bracket != 'O')) return 0;
  const auto last = ReadByte();
  if (!last) return 0;
  switch (*last) {
    case 'A':
      return kKeyUp;
    case 'B':
      return kKeyDown;
    case '5':
    case '6':
      if (Readable(kSequenceMs)) ReadByte();  // "~"
      return *last == '5' ? kKeyPageUp : kKeyPageDown;
    default:
      return 0;
  }
}

}  // namespace

Terminal::Terminal() {
  if (::tcgetattr(STDIN_FILENO, &former_) != 0) return;
  termios raw = former_;
  // Ctrl-C stays a signal.
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  Write(kEnter);
}

Terminal::~Terminal() {
  Write(kLeave);
  if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &former_);
}

Terminal::Size Terminal::GetSize() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

std::optional<char> Terminal::ReadKey(std::chrono::milliseconds wait) {
  if (!Readable(static_cast<int>(wait.count()))) return std::nullopt;
  const auto byte = ReadByte();
  if (!byte) {
    // Its end: not to be asked again and again.
    ::poll(nullptr, 0, static_cast<int>(wait.count()));
    return std::nullopt;
  }
  return *byte == 27 ? ReadSequence() : *byte;
}

}  // namespace evenkeel::cli
