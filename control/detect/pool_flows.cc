// SPDX-License-Identifier: Apache-2.0
//
// Link 3: new flows against the table's shares.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/detect/pool_watch.h"
#include "control/detect/words.h"

namespace evenkeel::detect {
namespace {

constexpr double kSuspicious_z = 3;
constexpr int64_t kSampleEvery_s = 300, kSampleFor_s = 60;
constexpr double kSampleLasts_s = 30;  // twice an epoch of PoolSample

}  // namespace

void PoolWatch::LookAtSample() {
  knows_clients_ = sample_.KnowsClients();
  variation_.unit = plan_->counts_flows ? 1 : packets_per_flow_;
  variation_.bounded = plan_->counts_flows && plan_->spread == Spread::kConnection;
  variation_.clustering = knows_clients_ ? sample_.Clustering() : 0;
  variation_.largest = knows_clients_ && !variation_.bounded ? sample_.LargestClient() : 0;
}

// Whether chance is known well enough to wake somebody: where what comes to a server may be one
// client's, only a sample tells, and only one that is younger than what looks wrong.
bool PoolWatch::Trusted(size_t i, const Scene& scene) const {
  if (variation_.bounded) return true;
  const int64_t since = servers_[i].pages_since_ns;
  return since != 0 && Seconds(since, scene) >= kSampleLasts_s;
}

// Some pools look uneven for ever, by their clients: sampling has its pauses. Not where a page may
// go out meanwhile that a sample would prevent.
void PoolWatch::WantSample(const Scene& scene) {
  const int64_t now = scene.now.steady_ns;
  if (curious_since_ns_ == 0 || Seconds(curious_last_ns_, scene) > kSampleEvery_s) {
    curious_since_ns_ = now;
  }
  curious_last_ns_ = now;
  const auto waits = static_cast<int64_t>(Seconds(curious_since_ns_, scene));
  const bool may_pause = !variation_.bounded || book_.Worst(Kind::kFlows) != nullptr;
  wants_sample_ = !may_pause || waits % kSampleEvery_s < kSampleFor_s;
}

bool PoolWatch::Pages(size_t i, const WindowView& view, double z, const Scene& scene) const {
  const Thresholds& t = scene.thresholds;
  const Measure m = view.Of(i, t, variation_);
  const bool all = m.observed >= t.everything * m.total && m.ratio >= t.everything_ratio;
  return m.sufficient && (m.ratio >= t.page_ratio || all) && m.z > z;
}

std::optional<PoolWatch::Over> PoolWatch::OverOf(size_t i, const Views& views,
                                                 const Scene& scene) const {
  if (shares_[i] == 0) return StrayOf(i, views, scene);
  const Thresholds& t = scene.thresholds;
  if (Trusted(i, scene)) {
    for (const Window window : {Window::k1, Window::k3, Window::k10}) {
      const double z = window == Window::k1 ? t.page_z : t.fast_z;
      if (Pages(i, At(views, window), z, scene)) return Over{Severity::kPage, window};
    }
    if (Pages(i, At(views, Window::k10), t.page_z, scene) &&
        Pages(i, At(views, Window::k60), t.page_z, scene)) {
      return Over{Severity::kPage, Window::k60};
    }
  }
  const Server& server = servers_[i];
  // The minute that the window takes to fill counts.
  if (Seconds(windows_since_ns_, scene) < t.ticket_s || server.over_since_ns == 0 ||
      Seconds(server.over_since_ns, scene) < t.ticket_s - SecondsOf(Window::k60)) {
    return std::nullopt;
  }
  const Measure all = At(views, Window::k300).Of(i, t, variation_);
  const bool over = all.sufficient && all.ratio >= t.ticket_ratio && all.plain_z > t.ticket_z;
  return over ? std::optional(Over{Severity::kTicket, Window::k300}) : std::nullopt;
}

// Of an alarm that is open: uneven as before, whoever makes it. A sample may have explained it
// meanwhile.
std::optional<PoolWatch::Over> PoolWatch::StillOver(size_t i, const Views& views,
                                                    const Scene& scene) const {
  const Thresholds& t = scene.thresholds;
  const Measure m = At(views, Window::k10).Of(i, t, variation_);
  const bool over = m.sufficient && m.ratio >= t.ticket_ratio && m.plain_z > t.ticket_z;
  return over ? std::optional(Over{Severity::kTicket, Window::k10}) : std::nullopt;
}

// Where clients come in clusters one server may have much by right, and often has: the report says
// it at once, and how long it has to last until it is an alarm is for the operator to say. The
// minute that the window takes to fill counts.
bool PoolWatch::IsByRight(int64_t over_since_ns, const Scene& scene) const {
  return over_since_ns == 0 ||
         Seconds(over_since_ns, scene) + SecondsOf(Window::k60) < scene.thresholds.by_right_s;
}

// Of what nobody was told yet. A sample must show for as long as the minute that is looked at that
// its clients cannot make it: those of the minutes before may have gone.
bool PoolWatch::IsClientsOwn(size_t i, const Finding& finding, const Scene& scene) const {
  if (variation_.bounded || shares_[i] == 0) return false;
  const Server& server = servers_[i];
  if (finding.diagnosis == Diagnosis::kFewSources) return IsByRight(server.over_since_ns, scene);
  const int64_t since = server.beyond_clients_since_ns;
  const bool beyond = since != 0 && Seconds(since, scene) >= SecondsOf(Window::k60);
  return finding.severity == Severity::kTicket && finding.diagnosis == Diagnosis::kDataPath &&
         !beyond;
}

// Since when each minute, or five where a minute says nothing, had too much.
void PoolWatch::NoteOver(size_t i, const Views& views, const Scene& scene) {
  const Thresholds& t = scene.thresholds;
  const Measure minute = At(views, Window::k60).Of(i, t, variation_);
  const Measure recent = minute.sufficient ? minute : At(views, Window::k300).Of(i, t, variation_);
  const auto note = [&](double from, double until, int64_t* since) {
    if (!recent.sufficient || recent.ratio < until) {
      *since = 0;
    } else if (*since == 0 && recent.ratio >= from) {
      *since = scene.now.steady_ns;
    }
  };
  // Chance takes a minute of what is 1.5 times below that, again and again.
  note(t.ticket_ratio, t.clear_ratio, &servers_[i].over_since_ns);
  int64_t& beyond = servers_[i].beyond_clients_since_ns;
  if (variation_.bounded || !knows_clients_ || !minute.sufficient ||
      minute.ratio < t.ticket_ratio || minute.z <= t.page_z) {
    beyond = 0;
  } else if (beyond == 0) {
    beyond = scene.now.steady_ns;
  }
  int64_t& pages = servers_[i].pages_since_ns;
  const double z = t.page_z;
  if (variation_.bounded || !knows_clients_ || !Pages(i, At(views, Window::k10), z, scene) ||
      !Pages(i, At(views, Window::k60), z, scene)) {
    pages = 0;
  } else if (pages == 0) {
    pages = scene.now.steady_ns;
  }
}

// Who is to have no new flows gets some: clients cannot make that.
std::optional<PoolWatch::Over> PoolWatch::StrayOf(size_t i, const Views& views,
                                                  const Scene& scene) const {
  const Thresholds& t = scene.thresholds;
  const auto serving = std::count_if(shares_.begin(), shares_.end(), [](float s) { return s > 0; });
  bool page = true;
  for (const Window window : {Window::k10, Window::k60}) {
    const Measure m = At(views, window).Of(i, t, variation_);
    const bool enough = m.observed >= t.min_expected * variation_.unit;
    if (!enough || m.observed < t.stray_share * m.total) return std::nullopt;
    page = page && m.observed * static_cast<double>(serving) >= m.total;
  }
  return Over{page ? Severity::kPage : Severity::kTicket, Window::k60};
}

void PoolWatch::JudgeFlows(const Lanes& lanes, Views& views, const Scene& scene) {
  bool suspicious = false;
  std::erase_if(by_right_, [](const Fact& fact) { return fact.subject.kind == Kind::kFlows; });
  LookAtSample();
  for (const Window window : {Window::k1, Window::k3, Window::k10, Window::k60, Window::k300}) {
    At(views, window).Take(witness(), window, shares_);
    suspicious = At(views, window).Suspicious(scene.thresholds, variation_) || suspicious;
  }
  if (!suspicious && !std::exchange(suspicious_, false) && book_.empty()) return;
  suspicious_ = suspicious;
  for (size_t i = 0; i < servers_.size(); ++i) {
    NoteOver(i, views, scene);
    JudgeFlowsOf(i, lanes, views, scene);
    suspicious_ = suspicious_ || servers_[i].over_since_ns != 0;
  }
  // What one has too much, others have too little: that is one fault, not many.
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (shares_[i] > 0) JudgeStarvedOf(i, lanes, views, scene);
  }
}

void PoolWatch::JudgeFlowsOf(size_t i, const Lanes& lanes, const Views& views, const Scene& scene) {
  const Thresholds& t = scene.thresholds;
  const Subject subject = SubjectOf(Kind::kFlows, i);
  for (const Window window : {Window::k10, Window::k60}) {
    const Measure m = At(views, window).Of(i, t, variation_);
    if (m.sufficient && m.ratio >= t.ticket_ratio && m.plain_z > kSuspicious_z) WantSample(scene);
  }
  std::optional<Over> over = OverOf(i, views, scene);
  if (!over && book_.Find(subject) != nullptr) over = StillOver(i, views, scene);
  if (over) {
    WantSample(scene);
    const Measure measure = At(views, over->window).Of(i, t, variation_);
    Cause cause = KeepKnown(subject, CauseOf(i, measure, lanes), scene);
    Severity severity = over->severity;
    // It is so, but by right: clients come and go.
    if (cause.diagnosis == Diagnosis::kFewSources) severity = Severity::kTicket;
    Server& server = servers_[i];
    if (cause.diagnosis != Diagnosis::kBackend) {
      server.unanswered_since_ns = 0;
    } else {
      if (server.unanswered_since_ns == 0) server.unanswered_since_ns = scene.now.steady_ns;
      const bool waits = Seconds(server.unanswered_since_ns, scene) < t.unanswered_s;
      if (server.last.health == Health::kDown || waits) severity = Severity::kTicket;
    }
    Finding finding{severity, cause.diagnosis, "", ToEvidence(measure, over->window, unit())};
    finding.text = absl::StrCat(subject.name, " ", Describe(finding.evidence), ". ", cause.text);
    finding.evidence.heavy = std::move(cause.heavy);
    if (book_.Find(subject) == nullptr && IsClientsOwn(i, finding, scene)) {
      if (finding.diagnosis == Diagnosis::kFewSources) {
        by_right_.push_back({subject, std::move(finding)});
      }
      return;
    }
    return book_.Raise(subject, std::move(finding), scene);
  }
  if (book_.Find(subject) == nullptr) return;
  const Measure now = At(views, Window::k10).Of(i, t, variation_);
  Measure past = At(views, Window::k60).Of(i, t, variation_);
  if (!past.sufficient) past = At(views, Window::k300).Of(i, t, variation_);
  const double enough = t.min_expected * variation_.unit;
  if (shares_[i] == 0) {
    const bool stray = past.observed >= t.stray_share / 2 * past.total;
    book_.Note(subject,
               past.total < enough ? Calm::kUnknown : (stray ? Calm::kBetween : Calm::kRecovered),
               scene);
    return;
  }
  const bool recovered =
      past.ratio < t.clear_ratio && !(now.sufficient && now.ratio >= t.ticket_ratio);
  book_.Note(subject,
             !past.sufficient ? Calm::kUnknown : (recovered ? Calm::kRecovered : Calm::kBetween),
             scene);
}

void PoolWatch::JudgeStarvedOf(size_t i, const Lanes& lanes, const Views& views,
                               const Scene& scene) {
  const Thresholds& t = scene.thresholds;
  const Subject subject = SubjectOf(Kind::kStarved, i);
  const auto starves = [&](Window window) {
    const Measure m = At(views, window).Of(i, t, variation_);
    return m.sufficient && m.ratio <= t.starved_ratio && m.z < -t.page_z;
  };
  const bool minute = starves(Window::k60);
  const bool enough = (starves(Window::k10) && minute) || (minute && starves(Window::k300));
  if (enough && variation_.bounded && book_.Worst(Kind::kFlows) == nullptr) {
    const Measure measure = At(views, Window::k60).Of(i, t, variation_);
    Cause cause = CauseOf(i, measure, lanes);
    Finding finding{Severity::kTicket, cause.diagnosis, "",
                    ToEvidence(measure, Window::k60, unit())};
    finding.text = absl::StrCat(subject.name, " ", Describe(finding.evidence), ". ", cause.text);
    WantSample(scene);
    return book_.Raise(subject, std::move(finding), scene);
  }
  if (book_.Find(subject) == nullptr) return;
  Measure past = At(views, Window::k60).Of(i, t, variation_);
  if (!past.sufficient) past = At(views, Window::k300).Of(i, t, variation_);
  const bool recovered = past.ratio > t.clear_starved_ratio;
  book_.Note(subject,
             !past.sufficient ? Calm::kUnknown : (recovered ? Calm::kRecovered : Calm::kBetween),
             scene);
}

}  // namespace evenkeel::detect
