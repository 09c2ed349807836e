// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/web_service.h"

#include <spdlog/spdlog.h>

#include "control/metrics/grafana.h"

namespace evenkeel::daemon {
namespace {

constexpr int kUnavailable = 503;  // RFC 9110, 15.6.4

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
  if (!settings.web_listen.empty()) spdlog::info("metrics on http at {}", settings.web_listen);
  return std::unique_ptr<WebService>(new WebService(*std::move(server)));
}

void WebService::Serve(metrics::Exposition::Sources sources) {
  exposition_ = std::make_unique<metrics::Exposition>(std::move(sources));
  exposition_->Text().IgnoreError();  // pools count from here on; asked again when somebody reads
  web::Pages pages;
  pages["/metrics"] = [this](const web::Request&) { return Metrics(exposition_.get()); };
  pages["/grafana.json"] = [](const web::Request&) {
    return web::Response{.type = "application/json", .body = metrics::GrafanaDashboard()};
  };
  server_->Serve(pages, pages);
}

void WebService::Stop() { server_->Stop(); }

}  // namespace evenkeel::daemon
