// SPDX-License-Identifier: Apache-2.0
//
// Why new flows do not follow the table: the chain of docs/detector.md#causes, the first link that
// is broken.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/detect/pool_watch.h"
#include "control/detect/words.h"

namespace evenkeel::detect {
namespace {

constexpr double kExplains = 0.5;  // of what is too much
constexpr double kSilentPackets = 2, kSilentPart = 0.5;
constexpr int64_t kFirstImpressionNs = 10'000'000'000;
constexpr float kEnoughFlows = 25, kEnoughOfOthers = 10;

}  // namespace

// A client repeats the SYN that nobody answers: the flows that are counted are more than there are,
// and have no other packets. The other servers tell what is usual.
bool PoolWatch::IsUnanswered(size_t i) const {
  if (!plan_->counts_flows) return false;
  std::vector<float> flows, packets;
  for (const Window window : {Window::k1, Window::k3, Window::k10}) {
    flows_.Sum(window, flows);
    packets_.Sum(window, packets);
    if (flows[i] >= kEnoughFlows) break;
  }
  if (flows[i] < kEnoughFlows || packets[i] < flows[i]) return false;
  std::vector<float> usual;
  for (size_t other = 0; other < flows.size(); ++other) {
    if (other != i && flows[other] >= kEnoughOfOthers) {
      usual.push_back(packets[other] / flows[other]);
    }
  }
  if (usual.empty()) return false;
  const auto middle = usual.begin() + static_cast<ptrdiff_t>(usual.size() / 2);
  std::nth_element(usual.begin(), middle, usual.end());
  const auto here = static_cast<double>(packets[i] / flows[i]);
  return here <= kSilentPackets && here <= kSilentPart * static_cast<double>(*middle);
}

std::string PoolWatch::KnownGood() const {
  return readback_ == Readback::kMatches ? "Table and kernel are right"
                                         : "The table is right, the kernel's was not read back";
}

PoolWatch::Cause PoolWatch::CauseOf(size_t i, const Measure& measure, const Lanes& lanes) const {
  if (readback_ == Readback::kDiffers) {
    return {Diagnosis::kMaps,
            "The kernel's table is not the one that was published: a write failed, or another "
            "program writes to the maps."};
  }
  const Server& server = servers_[i];
  if (server.last.health == Health::kDown) {
    return {Diagnosis::kBackend, "It is down: clients repeat their SYNs."};
  }
  if (IsUnanswered(i)) {
    return {Diagnosis::kBackend,
            "It does not answer, and clients repeat their SYNs: nearly every packet that it gets "
            "opens a flow."};
  }
  const double observed = measure.total > 0 ? measure.observed / measure.total : 0;
  const bool known = knows_clients_;
  if (known) {
    std::vector<Heavy> heavy = sample_.Clients(plan_->servers[i].address);
    double share = 0;
    for (const Heavy& client : heavy) share += client.share;
    if (share > 0 && share >= kExplains * (observed - measure.share)) {
      std::string text = absl::StrCat("Few clients make it: ", DescribeAll(heavy), ".");
      return {Diagnosis::kFewSources, std::move(text), std::move(heavy)};
    }
    if (!variation_.bounded && measure.z <= page_z_) {
      return {Diagnosis::kFewSources,
              absl::StrCat(KnownGood(), ", and clients differ so much that some server has that."),
              std::move(heavy)};
    }
  } else if (!variation_.bounded) {
    return {Diagnosis::kFewSources,
            absl::StrCat(KnownGood(), ", and what decides the server is ",
                         plan_->spread == Spread::kSource ? "the client's address"
                         : plan_->spread == Spread::kPort ? "the port"
                                                          : "the flow",
                         " alone: presumably few of them make most of the traffic. No sample "
                         "tells.")};
  }
  if (!lanes.uneven().empty()) {
    return {Diagnosis::kUpstream,
            absl::StrCat(KnownGood(), ", but packets come in unevenly: ", lanes.uneven(), ".")};
  }
  if (known) {
    return {Diagnosis::kDataPath,
            absl::StrCat(KnownGood(),
                         ", and there are many clients: packets do not follow the "
                         "table.")};
  }
  return {Diagnosis::kUnexplained,
          absl::StrCat(KnownGood(),
                       "; nothing is known of the clients, for no packets were "
                       "sampled.")};
}

// What was known before, where less is now.
PoolWatch::Cause PoolWatch::KeepKnown(const Subject& subject, Cause cause,
                                      const Scene& scene) const {
  const Alarm* open = book_.Find(subject);
  if (open == nullptr) return cause;
  // A server with three times its share may well stop to answer. Not at once: a dead one shows
  // itself by its SYNs within seconds, an overloaded one later.
  if (cause.diagnosis == Diagnosis::kBackend && open->severity == Severity::kPage &&
      IsBalancer(open->diagnosis) &&
      scene.now.unix_ns - open->page_since_unix_ns >= kFirstImpressionNs) {
    return {open->diagnosis, absl::StrCat("It answers no more. ", KnownGood(), ".")};
  }
  if (knows_clients_ || cause.diagnosis != Diagnosis::kUnexplained) return cause;
  const std::string when = "when packets were last sampled";
  if (open->diagnosis == Diagnosis::kFewSources) {
    const std::vector<Heavy>& heavy = open->evidence.heavy;
    return {open->diagnosis,
            absl::StrCat("Few clients made it ", when, ": ", DescribeAll(heavy), "."), heavy};
  }
  if (open->diagnosis == Diagnosis::kDataPath) {
    return {open->diagnosis, absl::StrCat(KnownGood(), ", and there were many clients ", when,
                                          ": packets do not follow the table.")};
  }
  return cause;
}

}  // namespace evenkeel::detect
