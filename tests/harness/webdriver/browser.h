// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_HARNESS_WEBDRIVER_BROWSER_H_
#define EVENKEEL_TESTS_HARNESS_WEBDRIVER_BROWSER_H_

#include <memory>
#include <string>

#include "process.h"
#include "webdriver.h"

namespace evenkeel::testing {

// Chromium without a screen, in a network namespace. Its processes have a PID namespace and a
// memory file system of their own, which end with the test, however that ends.
class Browser {
 public:
  // `netns`: a path such as /run/netns/NAME. `dir`: an empty directory, which stays empty. Throws
  // std::runtime_error where it cannot be started.
  Browser(const std::string& netns, const std::string& dir);
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;
  ~Browser();

  WebDriver& page() { return *driver_; }

 private:
  std::unique_ptr<Process> process_;
  std::unique_ptr<WebDriver> driver_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_WEBDRIVER_BROWSER_H_
