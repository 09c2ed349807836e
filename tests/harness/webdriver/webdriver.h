// SPDX-License-Identifier: Apache-2.0
//
// A client of the W3C's WebDriver protocol, as far as the tests of the dashboard need it.
#ifndef EVENKEEL_TESTS_HARNESS_WEBDRIVER_WEBDRIVER_H_
#define EVENKEEL_TESTS_HARNESS_WEBDRIVER_WEBDRIVER_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace evenkeel::testing {

// Keys that have no character (WebDriver, 17.4.2).
inline constexpr char kTab[] = "\ue004";
inline constexpr char kEnter[] = "\ue007";
inline constexpr char kShift[] = "\ue008";

// One window of a browser. Whatever fails throws std::runtime_error with the driver's message.
class WebDriver {
 public:
  // `url`: where the driver listens, "http://127.0.0.1:PORT"; `netns`: the path of the network
  // namespace that it is in.
  WebDriver(std::string url, std::string netns, const nlohmann::json& capabilities);
  WebDriver(const WebDriver&) = delete;
  WebDriver& operator=(const WebDriver&) = delete;
  ~WebDriver();  // ends the browser

  // Whether a driver answers there.
  static bool Ready(const std::string& url, const std::string& netns);

  void Open(const std::string& page);
  // The value that the body of a function returns; `arguments` are its arguments[0], ...
  nlohmann::json Run(const std::string& script,
                     const nlohmann::json& arguments = nlohmann::json::array());
  // The text that is shown, of the first element that `css` finds; empty if there is none.
  std::string Text(const std::string& css);
  // Of the element that has the focus: one key after the other, with those of `held` down.
  void Press(const std::string& key, const std::string& held = "");
  // Puts text, or a file's path into an input for files.
  void Type(const std::string& css, const std::string& text);
  void Resize(int width, int height);
  void SaveScreenshot(const std::string& path);
  // What the page's console said since the last call, and what it could not load.
  std::vector<std::string> TakeLog();
  // A command of the DevTools protocol.
  nlohmann::json DevTools(const std::string& command,
                          const nlohmann::json& parameters = nlohmann::json::object());

 private:
  nlohmann::json Call(const std::string& method, const std::string& path,
                      const nlohmann::json& body = nullptr);

  const std::string url_, netns_;
  std::string session_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_WEBDRIVER_WEBDRIVER_H_
