// SPDX-License-Identifier: Apache-2.0
#include "control/dashboard/dashboard.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/dashboard/assets.h"
#include "control/dashboard/overview.h"
#include "control/dashboard/parameters.h"
#include "control/dashboard/past.h"
#include "control/json/revision.h"
#include "control/json/status.h"
#include "control/model/text.h"

namespace evenkeel::dashboard {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kReuseNs = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;
// RFC 9110, 15
constexpr int kBadRequest = 400, kNotFound = 404, kUnavailable = 503;

constexpr int64_t kMaxPools = 500, kDefaultPools = 50;
constexpr size_t kMaxOpen = 50, kMaxText = 128;
constexpr int64_t kMaxRevisions = 200, kDefaultRevisions = 50;
constexpr int64_t kMaxHealth = 500, kDefaultHealth = 100;
// Answers that are kept for a second.
constexpr size_t kMaxAnswers = 64;
constexpr size_t kMaxAnswerBytes = 32U << 20U;

web::Response Json(const ordered_json& document) {
  // Names come from configurations that were checked, but an answer must not fail on any byte.
  return {.type = "application/json",
          .body = document.dump(-1, ' ', false, ordered_json::error_handler_t::replace)};
}

web::Response Text(int status, std::string_view text) {
  return {.status = status, .body = std::string(text) + "\n"};
}

web::Response Bad(const Parameters& parameters) {
  return Text(kBadRequest, std::string(parameters.status().message()));
}

web::Response Failed(const absl::Status& status) {
  return Text(absl::IsNotFound(status) ? kNotFound : kUnavailable, std::string(status.message()));
}

std::optional<Sort> SortOf(const std::string& word) {
  if (word.empty() || word == "worst") return Sort::kWorst;
  if (word == "name") return Sort::kName;
  if (word == "flows") return Sort::kFlows;
  return std::nullopt;
}

ordered_json ToJson(const ShareRing::Segment& segment) {
  ordered_json samples = ordered_json::array();
  for (const ShareRing::Sample& sample : segment.samples) {
    ordered_json expected = ordered_json::array(), flows = ordered_json::array(),
                 packets = ordered_json::array();
    for (const SharePoint& point : sample.points) {
      constexpr double kPlaces = 1e5;
      expected.push_back(std::round(static_cast<double>(point.expected) * kPlaces) / kPlaces);
      flows.push_back(point.flows);
      packets.push_back(point.packets);
    }
    samples.push_back({{"t", sample.unix_ms},
                       {"ms", sample.lasted_ms},
                       {"revision", sample.revision},
                       {"expected", std::move(expected)},
                       {"flows", std::move(flows)},
                       {"packets", std::move(packets)}});
  }
  return {{"backends", segment.backends}, {"samples", std::move(samples)}};
}

}  // namespace

web::Pages Dashboard::Pages() {
  web::Pages pages;
  for (const Asset& asset : Assets()) {
    pages[std::string(asset.path)] = [&asset](const web::Request&) {
      return web::Response{.type = std::string(asset.type), .body = std::string(asset.body)};
    };
  }
  using Page = web::Response (Dashboard::*)(const web::Request&);
  const std::pair<const char*, Page> answers[] = {
      {"/api/overview", &Dashboard::Overview}, {"/api/status", &Dashboard::Status},
      {"/api/history", &Dashboard::History},   {"/api/revision", &Dashboard::Revision},
      {"/api/health", &Dashboard::Health},     {"/api/shares", &Dashboard::Shares}};
  for (const auto& [path, page] : answers) {
    pages[path] = [this, page = page](const web::Request& request) {
      return Cached(request, [&](const web::Request& r) { return (this->*page)(r); });
    };
  }
  return pages;
}

absl::StatusOr<std::shared_ptr<const Dashboard::Moment>> Dashboard::Now() {
  const std::lock_guard lock(moment_mutex_);
  const int64_t steady = sources_.steady_ns();
  if (moment_ != nullptr && steady - moment_->steady_ns < kReuseNs) return moment_;
  auto moment = std::make_shared<Moment>();
  auto status = sources_.engine->GetStatus(engine::StatusDepth::kQuick);
  if (!status.ok()) return status.status();
  moment->status = *std::move(status);
  moment->unix_ns = sources_.now_unix_ns();
  moment->steady_ns = steady;
  if (const auto newest = sources_.engine->ListRevisions(1); newest.ok() && !newest->empty()) {
    moment->mark = Mark(newest->front());
  }
  moment_ = std::move(moment);
  return moment_;
}

web::Response Dashboard::Cached(const web::Request& request,
                                const std::function<web::Response(const web::Request&)>& make) {
  std::string question = request.path;
  for (const auto& [key, value] : request.query) absl::StrAppend(&question, "\n", key, "=", value);
  {
    const std::lock_guard lock(answers_mutex_);
    const auto found = answers_.find(question);
    if (found != answers_.end() && sources_.steady_ns() - found->second.steady_ns < kReuseNs) {
      return found->second.response;
    }
  }
  const int64_t start = sources_.steady_ns();
  web::Response response = make(request);
  if (response.status != 200 || response.body.size() > kMaxAnswerBytes) return response;
  const std::lock_guard lock(answers_mutex_);
  std::erase_if(answers_, [&](const auto& entry) {
    const bool old = entry.first == question || start - entry.second.steady_ns >= kReuseNs;
    if (old) answers_bytes_ -= entry.second.response.body.size();
    return old;
  });
  if (answers_.size() >= kMaxAnswers || answers_bytes_ + response.body.size() > kMaxAnswerBytes) {
    answers_.clear();
    answers_bytes_ = 0;
  }
  answers_bytes_ += response.body.size();
  answers_[question] = {response, start};
  return response;
}

web::Response Dashboard::Overview(const web::Request& request) {
  Parameters parameters(request, {"limit", "filter", "sort", "open"});
  OverviewQuery query;
  query.limit = static_cast<size_t>(parameters.Number("limit", kDefaultPools, 1, kMaxPools));
  query.filter = parameters.Text("filter", kMaxText);
  query.open = parameters.List("open", kMaxOpen);
  const std::string sort = parameters.Text("sort", kMaxText);
  const std::optional<Sort> order = SortOf(sort);
  if (!order) {
    parameters.Refuse(
        absl::StrCat("sort is ", model::Quoted(sort), "; write worst, name or flows"));
  }
  if (!parameters.status().ok()) return Bad(parameters);
  query.sort = *order;
  const auto moment = Now();
  if (!moment.ok()) return Failed(moment.status());
  ordered_json document = dashboard::Overview((*moment)->status, (*moment)->unix_ns, query);
  document["history_mark"] = (*moment)->mark;
  return Json(document);
}

web::Response Dashboard::Status(const web::Request& request) {
  const Parameters parameters(request, {});
  if (!parameters.status().ok()) return Bad(parameters);
  const auto moment = Now();
  if (!moment.ok()) return Failed(moment.status());
  return Json(json::ToJson((*moment)->status));
}

web::Response Dashboard::History(const web::Request& request) {
  Parameters parameters(request, {"limit", "before"});
  const int64_t limit = parameters.Number("limit", kDefaultRevisions, 1, kMaxRevisions);
  const int64_t before = parameters.Number("before", 0, 1, INT64_MAX);
  if (!parameters.status().ok()) return Bad(parameters);
  const auto revisions = sources_.engine->ListRevisions(static_cast<uint32_t>(limit), before);
  if (!revisions.ok()) return Failed(revisions.status());
  ordered_json list = ordered_json::array();
  for (const history::Revision& revision : *revisions) list.push_back(Brief(revision));
  return Json({{"schema", "evenkeel.past/v1"},
               {"revisions", std::move(list)},
               {"more", revisions->size() == static_cast<size_t>(limit)}});
}

web::Response Dashboard::Revision(const web::Request& request) {
  Parameters parameters(request, {"number", "created"});
  if (parameters.Has("number") == parameters.Has("created")) {
    parameters.Refuse(
        "name one of number, a revision's, and created, the created_unix_ns of an entry without a "
        "number");
  }
  const int64_t number = parameters.Number("number", 0, 1, INT64_MAX);
  const int64_t created = parameters.Number("created", 0, 1, INT64_MAX - 1);
  if (!parameters.status().ok()) return Bad(parameters);
  if (number != 0) {
    const auto revision = sources_.engine->GetRevision(static_cast<uint64_t>(number));
    if (!revision.ok()) return Failed(revision.status());
    return Json(json::ToJson(*revision));
  }
  const auto revisions = sources_.engine->ListRevisions(1, created + 1);
  if (!revisions.ok()) return Failed(revisions.status());
  if (revisions->empty() || revisions->front().created_unix_ns != created) {
    return Text(kNotFound, "the record has no entry of that time");
  }
  return Json(json::ToJson(revisions->front()));
}

web::Response Dashboard::Health(const web::Request& request) {
  Parameters parameters(request, {"limit", "pool"});
  const int64_t limit = parameters.Number("limit", kDefaultHealth, 1, kMaxHealth);
  const std::string pool = parameters.Text("pool", kMaxText);
  if (!parameters.status().ok()) return Bad(parameters);
  const auto changes = sources_.engine->ListHealth(static_cast<uint32_t>(limit), pool);
  if (!changes.ok()) return Failed(changes.status());
  ordered_json list = ordered_json::array();
  for (const history::HealthChange& change : *changes) list.push_back(json::ToJson(change));
  return Json({{"schema", "evenkeel.health/v1"}, {"changes", std::move(list)}});
}

web::Response Dashboard::Shares(const web::Request& request) {
  Parameters parameters(request, {"pool", "since"});
  const std::string pool = parameters.Text("pool", kMaxText);
  if (pool.empty()) parameters.Refuse("name a pool: /api/shares?pool=NAME");
  const int64_t since = parameters.Number("since", 0, 0, INT64_MAX);  // ms since 1970
  if (!parameters.status().ok()) return Bad(parameters);
  ordered_json segments = ordered_json::array();
  const std::lock_guard lock(ring_mutex_);
  for (const ShareRing::Segment& segment : ring_.Read(pool, since)) {
    segments.push_back(ToJson(segment));
  }
  return Json({{"schema", "evenkeel.shares/v1"},
               {"pool", pool},
               {"interval_ms", ring_.interval_ms()},
               {"segments", std::move(segments)}});
}

void Dashboard::Step() {
  const int64_t unix_ms = sources_.now_unix_ns() / kNsPerMs;
  {
    const std::lock_guard lock(ring_mutex_);
    if (!ring_.Due(unix_ms)) return;
  }
  const auto moment = Now();
  if (!moment.ok()) return;
  const std::lock_guard lock(ring_mutex_);
  ring_.Add((*moment)->status, (*moment)->unix_ns / kNsPerMs);
}

}  // namespace evenkeel::dashboard
