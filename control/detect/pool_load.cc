// SPDX-License-Identifier: Apache-2.0
//
// Link 4: packets and bytes against new flows.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/detect/pool_watch.h"
#include "control/detect/words.h"

namespace evenkeel::detect {

void PoolWatch::JudgeLoad(Views& views, const Scene& scene) {
  At(views, Window::k1).Take(bytes_, Window::k60, shares_);
  At(views, Window::k3).Take(bytes_, Window::k300, shares_);
  At(views, Window::k60).Take(packets_, Window::k60, shares_);
  At(views, Window::k300).Take(packets_, Window::k300, shares_);
  std::erase_if(by_right_, [](const Fact& fact) { return fact.subject.kind == Kind::kLoad; });
  const bool suspicious = At(views, Window::k1).Suspicious(scene.thresholds, {}) ||
                          At(views, Window::k60).Suspicious(scene.thresholds, {});
  if (!suspicious && !std::exchange(load_suspicious_, false) && book_.empty()) return;
  load_suspicious_ = suspicious;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (shares_[i] > 0) JudgeLoadOf(i, views, scene);
  }
}

// Of each unit a minute, then five: bytes stand where 1 s and 3 s are else.
void PoolWatch::JudgeLoadOf(size_t i, const Views& views, const Scene& scene) {
  const Thresholds& t = scene.thresholds;
  const auto measure = [&](Window window) { return At(views, window).Of(i, t, {}); };
  const Measure packets = measure(Window::k300), bytes = measure(Window::k3);
  const bool enough = packets.expected >= t.min_expected * t.packets_per_flow;
  const auto by_packets = [&](double ratio) {
    return plan_->counts_flows && packets.ratio >= ratio && measure(Window::k60).ratio >= ratio;
  };
  const auto by_bytes = [&](double ratio) {
    return bytes.ratio >= ratio && measure(Window::k1).ratio >= ratio;
  };
  const auto note = [&](double ratio, int64_t* since) {
    if (!by_packets(ratio) && !by_bytes(ratio)) {
      *since = 0;
    } else if (*since == 0) {
      *since = scene.now.steady_ns;
    }
  };
  const Subject subject = SubjectOf(Kind::kLoad, i);
  Server& server = servers_[i];
  note(t.ticket_ratio, &server.load_over_since_ns);
  const int64_t since = server.load_over_since_ns;
  const bool lasts = since != 0 && Seconds(since, scene) >= t.ticket_s - SecondsOf(Window::k60);
  const bool settled = lasts && moving_ == 0 && Seconds(packets_since_ns_, scene) >= t.ticket_s;
  const bool same_fault = book_.Find(SubjectOf(Kind::kFlows, i)) != nullptr;
  if (enough && settled && !same_fault) {
    WantSample(scene);
    const bool shows_bytes =
        by_bytes(t.ticket_ratio) && (!by_packets(t.ticket_ratio) || bytes.ratio > packets.ratio);
    Finding finding{
        Severity::kTicket, Diagnosis::kElephant, "",
        ToEvidence(shows_bytes ? bytes : packets, Window::k300, shows_bytes ? "bytes" : "packets")};
    finding.evidence.z = finding.evidence.dispersion = 0;
    std::vector<Heavy> heavy =
        sample_.KnowsFlows() ? sample_.Flows(*subject.server) : std::vector<Heavy>{};
    finding.text = absl::StrCat(
        subject.name, " ", Describe(finding.evidence), ". New flows are even: ",
        heavy.empty() ? "some connections carry much more than others."
                      : absl::StrCat("single flows carry much: ", DescribeAll(heavy), "."));
    finding.evidence.heavy = std::move(heavy);
    if (book_.Find(subject) == nullptr && IsByRight(server.load_over_since_ns, scene)) {
      by_right_.push_back({subject, std::move(finding)});
      return;
    }
    return book_.Raise(subject, std::move(finding), scene);
  }
  const bool known = enough && moving_ == 0;
  const bool even =
      measure(Window::k60).ratio < t.clear_ratio && measure(Window::k1).ratio < t.clear_ratio;
  book_.Note(subject, !known ? Calm::kUnknown : (even ? Calm::kRecovered : Calm::kBetween), scene);
}

double PoolWatch::LargestFlow() const {
  const double share = sample_.LargestFlow();
  if (share == 0) return 0;
  WindowView view;
  view.Take(packets_, Window::k60, shares_);
  return share * view.total();
}

}  // namespace evenkeel::detect
