// SPDX-License-Identifier: Apache-2.0
//
// The one path of every change: plan, judge, record, publish. What the API serves and the daemon
// wires together; knows neither gRPC nor libbpf.
#ifndef EVENKEEL_CONTROL_ENGINE_ENGINE_H_
#define EVENKEEL_CONTROL_ENGINE_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/detect/report.h"
#include "control/engine/capture.h"
#include "control/engine/drain.h"
#include "control/engine/explain.h"
#include "control/engine/finding.h"
#include "control/engine/watched.h"
#include "control/guard/guard.h"
#include "control/history/history.h"
#include "control/model/config.h"
#include "control/model/diagnostic.h"
#include "control/neighbor/neighbor.h"
#include "control/publish/publisher.h"
#include "control/traffic/live_traffic.h"
#include "control/traffic/load.h"

namespace evenkeel::engine {

struct Applied {
  uint64_t revision = 0;  // 0: nothing applied yet
  std::string etag;       // opaque; changes with every applied revision, never empty
  guard::Digest digest;
  model::Config config;  // filled by Get(); elsewhere left empty, it can be megabytes
  std::string author, reason, ticket;
  int64_t applied_unix_ns = 0;
  history::Standing standing = history::Standing::kConfirmed;
  int64_t deadline_unix_ns = 0;  // of the confirmation that it awaits
  bool auto_confirm = false;     // at the deadline: confirmed if nothing speaks against it
  uint64_t restores = 0;         // of a rollback: the revision whose state this is

  bool awaits() const { return standing == history::Standing::kAwaiting; }
};

// Of one backend of the state in force, whatever that is when the change is made: no etag is
// needed.
struct Edit {
  std::string pool;  // empty: the one pool that has the backend
  std::string backend;
  std::optional<model::AdminState> state{};
  std::optional<int64_t> weight{};
};

// Replace the whole state, or one pool of the running state (`pool` set: every other pool and all
// VIPs stay as they are), or edit one backend. Exactly one of them.
struct Change {
  std::optional<model::Config> config;
  std::optional<model::Pool> pool;
  std::optional<Edit> edit{};
};

// The time in which a change must be confirmed; the daemon rolls it back otherwise.
struct Window {
  std::chrono::seconds length{0};  // 10 s .. 24 h; 0: it is confirmed at once
  bool auto_confirm = false;       // by the daemon, at the end, if nothing speaks against it
};
inline constexpr std::chrono::seconds kMinWindow{10};
inline constexpr std::chrono::seconds kMaxWindow{24 * 3600};

// What the request says about its own danger.
struct Consent {
  bool allow_live = false;  // LB015
  // Rules that this change may break, by id; for its reason, and for so long.
  std::vector<std::string> overrides{};
  std::chrono::seconds expires{0};  // 1 minute .. 7 days, required with overrides
};
inline constexpr std::chrono::seconds kMinOverride{60};
inline constexpr std::chrono::seconds kMaxOverride{7 * 24 * 3600};

struct Request {
  Change change;
  std::string etag;    // of the state that the change was made against; required by Apply, but
                       // for an edit
  std::string reason;  // required by Apply
  std::string ticket;  // optional, at most 128 bytes
  std::string author;
  std::string source = "api";
  bool validate_only = false;
  bool record_refusal = false;  // also with validate_only
  Window window;
  Consent consent;
  // Plan: how long to look at real packets, at most kMaxSample; 0: not at all. Longer is cut short.
  std::chrono::milliseconds sample_for{0};
};
inline constexpr std::chrono::milliseconds kMaxSample{2000};

// To confirm or cancel what awaits its confirmation.
struct Settlement {
  uint64_t revision = 0;  // must be the one that awaits; 0: whichever does
  std::string reason{};   // optional
  std::string author{};
};

// Back to an earlier state. No etag: the way out must not fail because something else changed.
struct Rollback {
  uint64_t target = 0;     // 0: the newest confirmed revision before the one in force
  bool last_good = false;  // the last one known as good, instead
  // What the caller saw in force; kStale if another is by now, so that two people who roll back the
  // same revision do not go back two. 0: whatever is in force.
  uint64_t from = 0;
  std::string reason{}, ticket{}, author{};
  bool purge_pinned = false;  // let go of the flows that the revision in force attracted
};

// To keep VIPs from the routers, or to end that.
struct WithdrawalRequest {
  std::vector<std::string> vips{};  // names; an address stands for all VIPs that have it
  bool all = false;                 // instead: all, also those that come later
  std::string reason{};             // required by Withdraw
  std::string author{};
};

// Why a request did not end in an applied state. Exactly one of the causes.
struct Outcome {
  enum class Kind {
    kApplied,
    kNoChange,
    kValidated,  // validate_only (or Plan), would be accepted
    kConfirmed,  // of Confirm
    kInvalid,    // `diagnostics`
    kRefused,    // `verdict`
    kStale,      // etag is not the current one, or the revision does not await a confirmation
    kFailed,     // `status`: publishing or recording failed, nothing changed
  } kind = Kind::kFailed;
  std::vector<model::Diagnostic> diagnostics;
  guard::Verdict verdict;  // over the socket, of an accepted Apply: violations and changes only
  absl::Status status;
  Applied applied;           // the state in force after the request (kStale: the current one)
  bool rolled_back = false;  // kStale of Confirm and Cancel: what it was about was rolled back
  std::optional<publish::PublishResult> publish;
  // Of Plan, where something runs and the change could be built.
  std::optional<traffic::LiveTraffic> live_traffic{};
};

struct InterfaceStatus {
  std::string name;
  std::string mode;             // "native" or "generic"
  std::string fallback_reason;  // why not native
  bool adopted = false;         // attached by an earlier daemon
  bool shared = false;          // beside other XDP programs, through libxdp's dispatcher
  uint32_t priority = 0;        // shared: lower ones run first
};

// How a VIP stands to the routers. Routes lead to addresses, which several VIPs may share.
struct Advertisement {
  bool routed = false;     // its address has a route now
  std::string why{};       // this host does not serve it: why; empty: it does
  bool withdrawn = false;  // by an operator: who, why and since when
  std::string withdrawn_by{}, reason{};
  int64_t since_unix_ns = 0;

  bool missing() const { return !routed && why.empty(); }
};

struct VipStatus {
  model::Vip vip;
  dataplane::Counter counter;
  std::optional<Advertisement> advertised{};  // nothing: VIPs are not advertised
};

// All VIPs after a Withdraw or Announce, without counters.
struct WithdrawalReport {
  std::vector<VipStatus> vips;
  std::string problem;  // it is so, but could not be recorded; empty: it was
};

struct BackendStatus {
  std::string name;
  model::IpAddress address;
  model::AdminState state = model::AdminState::kEnabled;
  double share = 0;  // of the pool's slots on the built table, 0..1
  dataplane::Counter counter;
  std::string problem;  // why it cannot be reached; empty if it can
  // As the probes say: "up", "down", "unknown" (nothing is known yet); empty: it is not probed.
  std::string health;
  bool held = false;         // down, and in the table all the same
  std::string health_cause;  // since when and why it is so; why it is held
  // Of the share that its weight asks for, 0..1: 0 while it is out, less than 1 while it starts
  // slowly.
  double admitted = 1;
  // Where the pool has a capacity unit: what it carries per second in that, and what it would carry
  // after the loss that gives it most.
  double load = 0;
  double load_after = 0;
  std::string worst_loss{};  // "web-1", "rack r7", "zone a"; empty: there is nothing else to lose
  std::optional<double> capacity{};
  int64_t health_since_unix_ns = 0;  // since when its probes say so; 0: they say nothing yet
};

struct PoolStatus {
  std::string name;
  model::Forwarding forwarding = model::Forwarding::kIpip;
  uint32_t table_size = 0;
  std::string table_digest;  // hex
  std::vector<BackendStatus> backends;
  uint32_t moving_slots = 0;  // that change hands (docs/dataplane.md)
  uint32_t moving_s = 0;      // seconds since the first of them began to
  std::string panic;          // why health does not decide here (LB011); empty: it does
  model::CapacityUnit capacity_unit = model::CapacityUnit::kNone;
  std::vector<traffic::DomainLoad> domains;  // racks and zones, with a capacity unit
  // Since when and why the pool could not lose a server, rack or zone; empty: it could, or that is
  // not known.
  std::string no_spare;
  // How its traffic is distributed; nothing: not looked at, as without VIPs or just after a start.
  std::optional<detect::PoolReport> distribution{};
};

struct SourceRulesStatus {
  std::string name;
  model::SourceAction fallback = model::SourceAction::kAllow;
  uint64_t denied = 0, allowed = 0;  // prefixes
  std::string digest;                // hex; empty where no VIP has it: then the kernel has it not
  bool global = false;
  std::vector<std::string> vips;  // whose own it is
};

struct Status {
  std::string version;
  std::string instance;
  int64_t started_unix_ns = 0;
  Applied applied;
  uint64_t last_good = 0;                    // the newest revision known as good; 0: none yet
  std::vector<history::Override> overrides;  // that have not expired
  std::string kernel_digest;                 // hex, read back now; empty: nothing published
  bool digest_matches = false;
  std::string adoption;  // what the daemon found at its start
  std::vector<InterfaceStatus> interfaces;
  std::vector<VipStatus> vips;
  std::vector<PoolStatus> pools;
  std::vector<SourceRulesStatus> source_rules;
  uint64_t pinned_flows = 0;
  std::vector<std::pair<std::string, uint64_t>> verdicts;  // packets, by bpf/abi/verdict.h's names
  std::vector<std::string> notices;   // "the config file differs from revision 7: ..."
  std::optional<Watched> watched;     // nothing: no file is watched
  std::vector<detect::Alarm> alarms;  // that are open: pages first
  uint32_t generation = 0;            // of the kernel's tables, that packets see; 0: none
};

// kQuick leaves out what costs the more, the larger the tables are: the kernel's digest is that of
// the last time that it was read.
enum class StatusDepth { kFull, kQuick };

// Somebody is at it: an alarm is not escalated any more.
struct Acknowledgement {
  std::string id;  // of an open alarm; empty: of all
  std::string author{};
};

struct Event {
  int64_t unix_ns = 0;
  enum class Kind {
    kApplied,
    kRefused,
    kFailed,
    kUnreachable,
    kReachable,
    kConfirmed,
    kRolledBack,  // `revision` is in force now
    kDown,        // a server, by its health
    kUp,          // ... again
    kHeld,        // the watched file is not applied
    kFollowing,   // ... and is again
    kNoSpare,     // a pool could not lose what it may have to lose
    kSpare,       // ... and could again
    kWithdrawn,   // a VIP or address, from the routers
    kAnnounced,   // ... to them
    kAlarm,       // of the detector: raised, or changed
    kAlarmOver,
  } kind = Kind::kApplied;
  uint64_t revision = 0;
  std::string subject;
  std::string message;
};
using EventSink = std::function<void(const Event&)>;

// The daemon's engine, and equally the gRPC client (control/rpc/client.h): who holds an Engine does
// not know on which side of the socket it stands. Over the socket, a daemon that cannot be reached
// is Outcome kFailed with status Unavailable, or that status.
// Thread-safe. Changes are serial; Plan, Get and Status do not wait for them longer than needed.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual Outcome Plan(const Request& request) = 0;  // never changes anything
  virtual Outcome Apply(const Request& request) = 0;
  virtual Outcome Confirm(const Settlement& settlement) = 0;
  virtual Outcome Cancel(const Settlement& settlement) = 0;  // rolls back what awaits
  virtual Outcome RollBack(const Rollback& rollback) = 0;
  virtual absl::StatusOr<Applied> Get() = 0;
  virtual absl::StatusOr<history::Revision> GetRevision(uint64_t number) = 0;
  // Newest first; those before `before_unix_ns`, 0: all.
  virtual absl::StatusOr<std::vector<history::Revision>> ListRevisions(
      uint32_t limit, int64_t before_unix_ns = 0) = 0;
  virtual absl::StatusOr<Status> GetStatus(StatusDepth depth = StatusDepth::kFull) = 0;
  // Looks at what the status takes for granted, too: reads the whole record, and writes to it.
  virtual absl::StatusOr<std::vector<Finding>> Diagnose(const DiagnoseOptions& options = {}) = 0;
  // The alarms that are acknowledged by it, now or before. NotFound: no such alarm is open.
  virtual absl::StatusOr<std::vector<detect::Alarm>> Acknowledge(
      const Acknowledgement& request) = 0;
  // When they return, the routes are as they are to be. They have no rule to pass.
  virtual absl::StatusOr<WithdrawalReport> Withdraw(const WithdrawalRequest& request) = 0;
  virtual absl::StatusOr<WithdrawalReport> Announce(const WithdrawalRequest& request) = 0;
  // Events from now on, until Unsubscribe. The sink must not block.
  virtual uint64_t Subscribe(EventSink sink) = 0;
  virtual void Unsubscribe(uint64_t id) = 0;
  // Who went out of the tables by its health, and came back; newest first. Of `pool`, "": of all.
  virtual absl::StatusOr<std::vector<history::HealthChange>> ListHealth(
      uint32_t limit, const std::string& pool = "", int64_t before_unix_ns = 0) = 0;
  // Returns when nothing more is to be waited for, or `sink` wants no more. NotFound: no such
  // backend, or no longer. Changes nothing.
  virtual absl::Status WatchDrain(const DrainQuery& query, const DrainSink& sink) = 0;
  // What becomes of packets, of the kernel's maps and by its program. Changes nothing.
  virtual absl::StatusOr<ExplainReport> Explain(const ExplainRequest& request) = 0;
  // Returns when the capture has ended, by its limits or because `sink` wants no more; over the
  // socket, the counts of what `sink` ended are those that it got last. ResourceExhausted: somebody
  // else captures.
  virtual absl::StatusOr<CaptureReport> Capture(const CaptureRequest& request,
                                                const CaptureSink& sink) = 0;
};

}  // namespace evenkeel::engine

#endif  // EVENKEEL_CONTROL_ENGINE_ENGINE_H_
