// SPDX-License-Identifier: Apache-2.0
#include "browser.h"

#include <signal.h>

#include <chrono>
#include <stdexcept>

#include "netns_lab.h"

namespace evenkeel::testing {
namespace {

constexpr char kUrl[] = "http://127.0.0.1:9515";
constexpr std::chrono::seconds kStart{20};

// $1: the directory.
constexpr char kScript[] =
    "mount -t tmpfs -o size=512m none \"$1\" && cd \"$1\" && "
    "exec env HOME=\"$1\" TMPDIR=\"$1\" XDG_CONFIG_HOME=\"$1\" XDG_CACHE_HOME=\"$1\" "
    "DBUS_SESSION_BUS_ADDRESS=disabled: chromedriver --port=9515 --log-level=SEVERE";

nlohmann::json Capabilities(const std::string& dir) {
  return {{"browserName", "chrome"},
          {"goog:loggingPrefs", {{"browser", "ALL"}}},
          {"goog:chromeOptions",
           {{"binary", "/usr/bin/chromium"},
            {"args",
             {"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
              "--disable-background-networking", "--disable-component-update", "--disable-sync",
              "--disable-dev-shm-usage", "--no-proxy-server", "--window-size=1280,900",
              "--user-data-dir=" + dir + "/profile"}}}}};
}

}  // namespace

Browser::Browser(const std::string& netns, const std::string& dir) {
  // --kill-child: the first process of the PID namespace dies with unshare, and all others with it.
  process_ = std::make_unique<Process>(Argv{"nsenter", "--net=" + netns, "--", "unshare", "--mount",
                                            "--pid", "--fork", "--kill-child", "--mount-proc", "sh",
                                            "-c", kScript, "sh", dir});
  if (!Eventually(kStart, [&] { return WebDriver::Ready(kUrl, netns); })) {
    process_->Signal(SIGKILL);
    throw std::runtime_error("chromedriver does not start: " + process_->Wait().err);
  }
  driver_ = std::make_unique<WebDriver>(kUrl, netns, Capabilities(dir));
}

Browser::~Browser() {
  driver_.reset();
  process_.reset();
}

}  // namespace evenkeel::testing
