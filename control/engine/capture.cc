// SPDX-License-Identifier: Apache-2.0
#include "control/engine/capture.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "control/engine/local_engine.h"
#include "control/model/nearest.h"

namespace evenkeel::engine {
namespace {

constexpr size_t kNamed = 20;

absl::Status Unknown(const char* kind, const std::string& name,
                     std::vector<std::string_view> names) {
  if (model::Nearest(name, names).empty() && names.size() > kNamed) names.resize(kNamed);
  return absl::InvalidArgumentError(absl::StrCat(kind, ": there is no ", kind, " \"", name, "\"",
                                                 model::DidYouMean(name, names)));
}

absl::Status CheckVips(const CaptureRequest& request, const guard::BuiltFleet& fleet) {
  for (const std::string& name : request.vips) {
    const model::Vip* vip = fleet.FindVip(name);
    if (vip == nullptr) {
      std::vector<std::string_view> names;
      for (const model::Vip& one : fleet.vips) names.push_back(one.name);
      return Unknown("vip", name, std::move(names));
    }
    if (!request.pool.empty() && vip->pool != request.pool) {
      return absl::InvalidArgumentError(
          absl::StrCat("vip: ", name, " leads to pool ", vip->pool, ", not to ", request.pool));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckServers(const CaptureRequest& request, const guard::BuiltFleet& fleet) {
  if (!request.pool.empty() && fleet.FindPool(request.pool) == nullptr) {
    std::vector<std::string_view> names;
    for (const auto& pool : fleet.pools) names.push_back(pool->name());
    return Unknown("pool", request.pool, std::move(names));
  }
  if (request.backend.empty()) return absl::OkStatus();
  std::vector<std::string_view> names;
  for (const auto& pool : fleet.pools) {
    if (!request.pool.empty() && pool->name() != request.pool) continue;
    if (pool->config.FindBackend(request.backend) != nullptr) return absl::OkStatus();
    for (const model::Backend& backend : pool->config.backends) names.push_back(backend.name);
  }
  return Unknown("backend", request.backend, std::move(names));
}

absl::Status CheckRequest(const CaptureRequest& request) {
  const bool named = !request.vips.empty() || !request.pool.empty() || !request.backend.empty() ||
                     request.only_drops;
  if (named == request.all) {
    return absl::InvalidArgumentError(
        request.all ? "all packets, or those of a VIP, pool or backend, or drops: not both"
                    : "say what to capture: a VIP, a pool, a backend, drops, or all packets");
  }
  if (request.duration < std::chrono::seconds(1) || request.duration > kMaxCapture) {
    return absl::InvalidArgumentError(
        absl::StrCat("duration: 1 to ", kMaxCapture.count(), " s, not ", request.duration.count()));
  }
  return dataplane::CheckCaptureOptions({.snaplen = request.snaplen, .rate = request.rate});
}

}  // namespace

absl::StatusOr<CaptureReport> LocalEngine::Capture(const CaptureRequest& request,
                                                   const CaptureSink& sink) {
  if (auto status = CheckRequest(request); !status.ok()) return status;
  const std::shared_ptr<const State> state = Snapshot();
  if (auto status = CheckServers(request, *state->desired); !status.ok()) return status;
  if (auto status = CheckVips(request, *state->desired); !status.ok()) return status;
  return captures_.Run(request, sink);
}

}  // namespace evenkeel::engine
