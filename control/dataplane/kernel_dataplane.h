// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_DATAPLANE_KERNEL_DATAPLANE_H_
#define EVENKEEL_CONTROL_DATAPLANE_KERNEL_DATAPLANE_H_

#include <memory>
#include <string>
#include <vector>

#include "control/dataplane/capture.h"
#include "control/dataplane/dataplane.h"
#include "control/dataplane/sampler.h"
#include "control/maglev/maglev.h"

namespace evenkeel::dataplane {

enum class XdpMode { kAuto, kNative, kGeneric };

// Exclusive: by a link of ours; nobody else can attach. Shared: beside other programs, through
// libxdp's dispatcher, which calls them in the order of their priorities.
enum class AttachKind { kExclusive, kShared };

struct AttachOptions {
  XdpMode mode = XdpMode::kAuto;
  AttachKind kind = AttachKind::kExclusive;
  uint32_t priority = 50;  // shared: lower ones run first; 50 is libxdp's default
};

struct Attachment {
  std::string interface;
  uint32_t ifindex = 0;
  XdpMode mode = XdpMode::kNative;  // as attached: kNative or kGeneric
  std::string fallback_reason;      // why auto chose generic; else empty
  bool adopted = false;             // of an earlier daemon
  AttachKind kind = AttachKind::kExclusive;
  uint32_t priority = 0;            // shared only
  std::vector<std::string> beside;  // "name (priority 10)": what shared it when this was attached
};

struct KernelOptions {
  std::string pin_dir;  // on a bpffs, e.g. /sys/fs/bpf/evenkeel/default; mounted if need be
  maglev::HashKey hash_key{};
  Limits limits;
  Encapsulation encapsulation;
};

// Owns nothing that packets need: programs, maps and links are pinned and outlive it.
class KernelDataPlane final : public DataPlane {
 public:
  // Opens the pinned data plane in `pin_dir`, or creates it. An existing one of another ABI
  // version, or with another hash key or other limits, is FailedPrecondition and left untouched;
  // one whose program is another build has its program replaced atomically under its links. A
  // half-made one, of a daemon that was killed while it made it, is made anew.
  // FailedPrecondition also while another process has `pin_dir` open. Interfaces are those of the
  // calling thread's network namespace.
  static absl::StatusOr<std::unique_ptr<KernelDataPlane>> Open(const KernelOptions& options);
  ~KernelDataPlane() override;

  bool adopted() const;  // maps were there already

  // Attaches to `interface`, or adopts what is there of ours. AlreadyExists: another XDP program is
  // attached, with which the interface cannot be shared, or is not to be; says which and the
  // remedy. What was attached before stays where the new attachment fails.
  absl::StatusOr<Attachment> Attach(const std::string& interface, const AttachOptions& options);
  const std::vector<Attachment>& attachments() const;
  // Detaches from interfaces of this network namespace that are not in `keep`, and drops links
  // pinned for others.
  absl::Status DetachOthers(const std::vector<std::string>& keep);

  // Real packets, on their way in over all of `attachments()`; see TakeSample. At the same time as
  // any other call, but not twice. FailedPrecondition: attached to nothing.
  absl::StatusOr<Sample> TakeSample(const SampleOptions& options);

  // Packets for VIPs by CPU, from 0, since the data plane was made; see ReadCpuPackets in
  // counter_store.h. At the same time as any other call.
  absl::StatusOr<std::vector<uint64_t>> ReadCpuPackets() const;

  // Packets before and after the balancer, by another build of it that takes its place on all of
  // `attachments()` until the result is ended or destroyed, which must be before this is. At the
  // same time as any other call; one at a time. FailedPrecondition: attached to nothing, or shared.
  // A process that dies meanwhile leaves the other build there, which forwards the same; the next
  // Open puts the balancer back.
  absl::StatusOr<std::unique_ptr<Capture>> StartCapture(const CaptureOptions& options);
  // Open did so, for so many interfaces.
  int ended_captures() const;

  // Removes links, programs, maps and pins: packets are no longer balanced. FailedPrecondition
  // while a KernelDataPlane, of this process too, has `pin_dir` open. OK where there is nothing.
  static absl::Status Remove(const std::string& pin_dir);

  // DataPlane
  const Limits& limits() const override;
  const Encapsulation& encapsulation() const override;
  absl::StatusOr<Snapshot> ReadActive() override;
  absl::Status StageTables(std::span<const StagedTable> tables) override;
  absl::StatusOr<TableImage> ReadTable(uint32_t id, uint32_t table_size) override;
  absl::Status DropTables(std::span<const uint32_t> ids) override;
  absl::StatusOr<std::vector<uint32_t>> ListTables() override;
  absl::Status StageRules(uint32_t id, std::span<const guard::SourceRule> rules) override;
  absl::StatusOr<guard::Digest> RulesDigest(uint32_t id) override;
  absl::Status DropRules(std::span<const uint32_t> ids) override;
  absl::StatusOr<std::vector<uint32_t>> ListRules() override;
  absl::StatusOr<std::vector<uint32_t>> TakeSlots(uint32_t id, uint32_t table_size) override;
  absl::Status SetPrevious(uint32_t id, uint32_t table_size,
                           std::span<const PreviousOwner> changes) override;
  absl::StatusOr<std::vector<Pin>> ReadPins() override;
  absl::Status DropPins(std::span<const Pin> pins) override;
  uint32_t Now() override;
  absl::Status StageGeneration(uint32_t generation, const GenerationImage& image) override;
  absl::StatusOr<GenerationImage> ReadGeneration(uint32_t generation) override;
  absl::Status DropGeneration(uint32_t generation) override;
  absl::StatusOr<ProbeResult> Probe(uint32_t generation, std::span<const uint8_t> packet) override;
  absl::Status Activate(uint32_t generation, const guard::Approval& approval) override;
  absl::Status WaitGracePeriod() override;
  absl::Status SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                          const std::optional<NextHop>& next_hop) override;
  absl::StatusOr<Counters> ReadCounters() override;
  absl::Status ClearVipCounter(uint32_t id) override;
  absl::Status ClearBackendCounter(uint32_t id) override;
  Lookups& lookups() override;

 private:
  struct Impl;
  explicit KernelDataPlane(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace evenkeel::dataplane

#endif  // EVENKEEL_CONTROL_DATAPLANE_KERNEL_DATAPLANE_H_
