// SPDX-License-Identifier: Apache-2.0
#include "webdriver.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace evenkeel::testing {
namespace {

using nlohmann::json;

constexpr long kTimeoutS = 30;

size_t Append(char* data, size_t size, size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

// A socket belongs to the namespace that it was made in. `path`: a const std::string of that one.
curl_socket_t OpenIn(void* path, curlsocktype /*purpose*/, curl_sockaddr* address) {
  const std::string& netns = *static_cast<const std::string*>(path);
  const int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int there = open(netns.c_str(), O_RDONLY | O_CLOEXEC);
  int fd = -1;
  if (own >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (setns(own, CLONE_NEWNET) != 0) std::abort();  // everything else would go astray
  }
  if (there >= 0) close(there);
  if (own >= 0) close(own);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

// The whole answer; empty if nobody answered.
std::string Http(const std::string& netns, const std::string& method, const std::string& url,
                 const std::string& body) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETFUNCTION, OpenIn);
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETDATA, &netns);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutS);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  if (method == "POST") curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  return curl_easy_perform(curl.get()) == CURLE_OK ? answer : "";
}

// RFC 4648.
std::string FromBase64(const std::string& text) {
  static const std::string kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

}  // namespace

WebDriver::WebDriver(std::string url, std::string netns, const json& capabilities)
    : url_(std::move(url)), netns_(std::move(netns)) {
  const json made = Call("POST", "/session", {{"capabilities", {{"alwaysMatch", capabilities}}}});
  session_ = "/session/" + made.at("sessionId").get<std::string>();
}

WebDriver::~WebDriver() {
  if (!session_.empty()) Http(netns_, "DELETE", url_ + session_, "");
}

bool WebDriver::Ready(const std::string& url, const std::string& netns) {
  const json answer = json::parse(Http(netns, "GET", url + "/status", ""), nullptr, false);
  return answer.is_object() && answer.contains("value") && answer["value"].value("ready", false);
}

json WebDriver::Call(const std::string& method, const std::string& path, const json& body) {
  const std::string text = Http(netns_, method, url_ + path, body.is_null() ? "{}" : body.dump());
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains("value")) {
    throw std::runtime_error("the browser's driver does not answer " + method + " " + path + ": " +
                             text);
  }
  const json& value = answer["value"];
  if (value.is_object() && value.contains("error")) {
    throw std::runtime_error(method + " " + path + ": " + value["error"].get<std::string>() + ": " +
                             value.value("message", ""));
  }
  return value;
}

void WebDriver::Open(const std::string& page) { Call("POST", session_ + "/url", {{"url", page}}); }

json WebDriver::Run(const std::string& script, const json& arguments) {
  return Call("POST", session_ + "/execute/sync", {{"script", script}, {"args", arguments}});
}

std::string WebDriver::Text(const std::string& css) {
  const json text =
      Run("return document.querySelector(arguments[0])?.innerText ?? ''", json::array({css}));
  return text.get<std::string>();
}

void WebDriver::Press(const std::string& key, const std::string& held) {
  json actions = json::array();
  const auto act = [&](const char* type, const std::string& value) {
    actions.push_back({{"type", type}, {"value", value}});
  };
  if (!held.empty()) act("keyDown", held);
  act("keyDown", key);
  act("keyUp", key);
  if (!held.empty()) act("keyUp", held);
  Call("POST", session_ + "/actions",
       {{"actions", json::array({{{"type", "key"}, {"id", "keyboard"}, {"actions", actions}}})}});
}

void WebDriver::Type(const std::string& css, const std::string& text) {
  const json found =
      Call("POST", session_ + "/element", {{"using", "css selector"}, {"value", css}});
  const std::string id = found.begin().value().get<std::string>();
  Call("POST", session_ + "/element/" + id + "/value", {{"text", text}});
}

void WebDriver::Resize(int width, int height) {
  // A window has a least width of its own; what is emulated has none.
  DevTools("Emulation.setDeviceMetricsOverride",
           {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void WebDriver::SaveScreenshot(const std::string& path) {
  const json picture = Call("GET", session_ + "/screenshot");
  std::ofstream(path, std::ios::binary) << FromBase64(picture.get<std::string>());
}

std::vector<std::string> WebDriver::TakeLog() {
  std::vector<std::string> lines;
  for (const json& entry : Call("POST", session_ + "/se/log", {{"type", "browser"}})) {
    lines.push_back(entry.value("level", "") + ": " + entry.value("message", ""));
  }
  return lines;
}

json WebDriver::DevTools(const std::string& command, const json& parameters) {
  return Call("POST", session_ + "/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

}  // namespace evenkeel::testing
