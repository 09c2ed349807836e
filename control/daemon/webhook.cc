// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/webhook.h"

#include <curl/curl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/daemon/secret_file.h"
#include "control/engine/alarm_text.h"

namespace evenkeel::daemon {
namespace {

constexpr long kTimeoutMs = 10'000;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// What a server answers beside its status is of no interest.
size_t Ignore(char* /*data*/, size_t size, size_t count, void* /*unused*/) { return size * count; }

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string result(text);
  curl_free(text);
  return result;
}

absl::Status CheckUrl(const std::string& text) {
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (url == nullptr) return absl::ResourceExhaustedError("no memory for a URL");
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return absl::InvalidArgumentError(
        absl::StrCat("webhook.url is \"", text, "\", which is no URL; write https://HOST/PATH"));
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME);
  const std::string host = Part(url.get(), CURLUPART_HOST);
  const bool here = host == "localhost" || host == "[::1]" || absl::StartsWith(host, "127.");
  if (scheme == "https" || (scheme == "http" && here)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("webhook.url is \"", text,
                   "\"; write https://, for alarms tell about your servers (http:// only to "
                   "this host)"));
}

}  // namespace

Webhook::Webhook(Options options)
    : options_(std::move(options)), escalations_(options_.escalate_ns) {}

absl::StatusOr<std::unique_ptr<Webhook>> Webhook::Start(Options options) {
  if (auto status = CheckUrl(options.url); !status.ok()) return status;
  if (options.secret.size() < kMinSecret) {
    return absl::InvalidArgumentError(
        absl::StrCat("the webhook's secret has ", options.secret.size(), " bytes; write at least ",
                     kMinSecret, " into webhook.secret_file (openssl rand -hex 32)"));
  }
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) return absl::InternalError(curl_easy_strerror(global));
  std::unique_ptr<Webhook> webhook(new Webhook(std::move(options)));
  webhook->thread_ = std::thread([self = webhook.get()] { self->Run(); });
  return webhook;
}

Webhook::~Webhook() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Webhook::Push(std::string event, const detect::Alarm& alarm) {
  const std::lock_guard lock(mutex_);
  const nlohmann::ordered_json body = {
      {"schema", "evenkeel.alarm/v1"}, {"event", std::move(event)},
      {"number", ++number_},           {"time", engine::UtcText(options_.now_unix_ns())},
      {"host", options_.host},         {"instance", options_.instance},
      {"alarm", engine::ToJson(alarm)}};
  queue_.Push(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
              options_.steady_ns());
  changed_.notify_all();
}

void Webhook::Tell(const detect::AlarmEvent& event) {
  Push(std::string(engine::ToString(event.what)), event.alarm);
}

void Webhook::Escalate(const std::vector<detect::Alarm>& alarms) {
  std::vector<detect::Alarm> due;
  {
    const std::lock_guard lock(mutex_);
    due = escalations_.Due(alarms, options_.now_unix_ns());
  }
  for (const detect::Alarm& alarm : due) Push("unacknowledged", alarm);
}

std::string Webhook::Problem() const {
  const std::lock_guard lock(mutex_);
  if (problem_.empty() && queue_.lost() == 0) return "";
  std::string text = problem_.empty()
                         ? ""
                         : absl::StrCat("alarms do not reach the webhook: ", problem_, "; ",
                                        queue_.waiting(), " wait and are tried again");
  if (queue_.lost() > 0) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", queue_.lost(),
                    " alarms were never delivered to the webhook since the daemon began");
  }
  return text;
}

absl::Status Webhook::Post(const std::string& body) const {
  const std::unique_ptr<CURL, EasyDeleter> easy(curl_easy_init());
  const std::string signature =
      absl::StrCat("Evenkeel-Signature: ",
                   SignMessage(options_.secret, options_.now_unix_ns() / 1'000'000'000, body));
  std::unique_ptr<curl_slist, ListDeleter> headers;
  for (const std::string& line : {std::string("Content-Type: application/json"), signature}) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return absl::ResourceExhaustedError("no memory left");
    headers.release();
    headers.reset(longer);
  }
  bool ok = easy != nullptr;
  const auto set = [&](CURLoption option, auto value) {
    ok = ok && curl_easy_setopt(easy.get(), option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, options_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_POSTFIELDS, body.data());
  set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  set(CURLOPT_TIMEOUT_MS, kTimeoutMs);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "evenkeel/" EK_VERSION);
  set(CURLOPT_WRITEFUNCTION, &Ignore);
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!ok) return absl::ResourceExhaustedError("no memory left");
  if (const CURLcode code = curl_easy_perform(easy.get()); code != CURLE_OK) {
    return absl::UnavailableError(curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("HTTP status ", status));
}

void Webhook::Run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const int64_t now = options_.steady_ns();
    const std::string* const next = queue_.Next(now);
    if (next == nullptr) {
      const auto at = queue_.next_ns();
      if (at) {
        changed_.wait_for(lock, std::chrono::nanoseconds(std::max<int64_t>(*at - now, 1'000'000)));
      } else {
        changed_.wait(lock);
      }
      continue;
    }
    const std::string body = *next;
    lock.unlock();
    const absl::Status status = Post(body);
    lock.lock();
    if (status.ok()) {
      // It may have given way to newer ones meanwhile.
      if (const std::string* still = queue_.Next(now); still != nullptr && *still == body) {
        queue_.Delivered();
      }
      problem_.clear();
      continue;
    }
    if (problem_ != status.message()) {
      problem_ = std::string(status.message());
      spdlog::error("alarms do not reach the webhook: {}", problem_);
    }
    queue_.Failed(options_.steady_ns());
  }
}

absl::StatusOr<std::unique_ptr<Webhook>> StartWebhook(const Settings& settings,
                                                      std::function<int64_t()> now_unix_ns,
                                                      std::function<int64_t()> steady_ns) {
  constexpr int64_t kMinuteNs = 60'000'000'000;
  if (settings.webhook_url.empty()) return std::unique_ptr<Webhook>();
  if (settings.webhook_secret_file.empty()) {
    return absl::InvalidArgumentError(
        "webhook.url is set and webhook.secret_file is not; name a file with the secret that "
        "messages are signed with");
  }
  auto secret = ReadSecretFile("webhook.secret_file", settings.webhook_secret_file);
  if (!secret.ok()) return secret.status();
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return Webhook::Start({.url = settings.webhook_url,
                         .secret = *std::move(secret),
                         .ca_file = settings.webhook_ca_file,
                         .escalate_ns = settings.webhook_escalate_minutes * kMinuteNs,
                         .instance = settings.instance,
                         .host = host.data(),
                         .now_unix_ns = std::move(now_unix_ns),
                         .steady_ns = std::move(steady_ns)});
}

}  // namespace evenkeel::daemon
