// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/web_service.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "control/metrics/grafana.h"

namespace evenkeel::daemon {
namespace {

constexpr int kUnavailable = 503;  // RFC 9110, 15.6.4
constexpr std::chrono::seconds kSampling{1};

web::Response Metrics(metrics::Exposition* exposition) {
  absl::StatusOr<std::string> text = exposition->Text();
  if (!text.ok()) {
    return {.status = kUnavailable, .body = std::string(text.status().message()) + "\n"};
  }
  return {.type = metrics::kTextFormat, .body = *std::move(text)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<WebService>> WebService::Listen(const Settings& settings) {
  auto server = web::Server::Listen(settings.Web());
  if (!server.ok()) return server.status();
  if (!settings.web_listen.empty()) {
    spdlog::info("{} on {} at {}", settings.web_dashboard ? "metrics and dashboard" : "metrics",
                 settings.web_cert_file.empty() ? "http" : "https", settings.web_listen);
  }
  return std::unique_ptr<WebService>(new WebService(*std::move(server), settings.web_dashboard));
}

void WebService::Serve(engine::Engine* engine, metrics::Exposition::Sources sources) {
  if (with_dashboard_) {
    dashboard_ = std::make_unique<dashboard::Dashboard>(dashboard::Dashboard::Sources{
        .engine = engine, .now_unix_ns = sources.now_unix_ns, .steady_ns = sources.steady_ns});
    sampling_.Start(kSampling, [this] { dashboard_->Step(); });
  }
  exposition_ = std::make_unique<metrics::Exposition>(std::move(sources));
  exposition_->Text().IgnoreError();  // pools count from here on; asked again when somebody reads
  web::Pages pages;
  pages["/metrics"] = [this](const web::Request&) { return Metrics(exposition_.get()); };
  pages["/grafana.json"] = [](const web::Request&) {
    return web::Response{.type = "application/json", .body = metrics::GrafanaDashboard()};
  };
  web::Pages tcp = pages;
  if (dashboard_ != nullptr) tcp.merge(dashboard_->Pages());
  server_->Serve(std::move(pages), std::move(tcp));
}

void WebService::Stop() {
  server_->Stop();
  sampling_.Stop();
}

}  // namespace evenkeel::daemon
