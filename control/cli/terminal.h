// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_TERMINAL_H_
#define EVENKEEL_CONTROL_CLI_TERMINAL_H_

#include <termios.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace evenkeel::cli {

// The terminal of a full-screen command, on standard input and output: keys come one by one and
// are not shown, the cursor is hidden, and the screen that was there comes back at the end, also
// where a signal ends the wait.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  struct Size {
    uint32_t columns = 80, rows = 24;
  };
  static Size GetSize();

  // The next key, as of top_view.h; nothing once `wait` is over, or the window has another size.
  std::optional<char> ReadKey(std::chrono::milliseconds wait);

 private:
  termios former_{};
  bool changed_ = false;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_TERMINAL_H_
