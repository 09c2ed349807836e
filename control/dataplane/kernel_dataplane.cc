// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/kernel_dataplane.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>

#include "absl/strings/str_cat.h"
#include "control/dataplane/attachments.h"
#include "control/dataplane/counter_store.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/flow_pins.h"
#include "control/dataplane/generation_store.h"
#include "control/dataplane/kernel_capture.h"
#include "control/dataplane/kernel_lookups.h"
#include "control/dataplane/kernel_objects.h"
#include "control/dataplane/mapped_memory.h"
#include "control/dataplane/nexthop_writer.h"
#include "control/dataplane/pin_dir.h"
#include "control/dataplane/rule_store.h"
#include "control/dataplane/table_store.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {
namespace {

// Kernels before 5.11 charge map memory to this limit.
void RaiseMemlockLimit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  // Without the privilege, creating maps fails with an error of its own on those kernels.
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

// membarrier's global command is synchronize_rcu(): XDP programs run inside an RCU read-side
// section, so all that were running when it was called have left.
absl::Status SynchronizeRcu() {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0) return absl::OkStatus();
  return KernelError(errno, "cannot wait for a grace period (membarrier)");
}

absl::Status CheckLimits(const Limits& limits) {
  if (limits.max_tables == 0 || limits.max_vips == 0 || limits.max_backends == 0 ||
      limits.max_pins == 0) {
    return absl::InvalidArgumentError("the data plane's limits must be at least 1");
  }
  return absl::OkStatus();
}

}  // namespace

struct KernelDataPlane::Impl {
  Impl(PinDir dir_in, KernelObjects objects_in, TableStore tables_in,
       std::unique_ptr<RuleStore> rules_in, const KernelOptions& options_in)
      : dir(std::move(dir_in)),
        objects(std::move(objects_in)),
        tables(std::move(tables_in)),
        rules(std::move(rules_in)),
        options(options_in),
        generations(&objects, options.limits.max_vips),
        attachments(&dir, &options, &objects),
        lookups(&objects, &control, &generations, &tables, rules.get()) {}

  std::atomic_ref<uint32_t> active() const {
    return std::atomic_ref<uint32_t>(control.get()[0].active);
  }
  std::atomic_ref<uint32_t> staged() const {
    return std::atomic_ref<uint32_t>(control.get()[0].staged);
  }

  bool IsActive(uint32_t generation) const {
    const uint32_t word = active().load(std::memory_order_acquire);
    return word != EK_ACTIVE_NONE && (word & EK_ACTIVE_GENERATION_MASK) == generation;
  }

  absl::Status RefuseActive(uint32_t generation) const {
    if (!IsActive(generation)) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", generation, " is the active one"));
  }

  void RememberUsed(const GenerationImage& image) {
    active_tables.clear();
    std::set<uint32_t> sets;
    for (const VipImage& vip : image.vips) {
      active_tables.insert(vip.table);
      sets.insert({vip.global_rules, vip.rules});
    }
    rules->SetActive(std::move(sets));
  }

  PinDir dir;
  KernelObjects objects;
  TableStore tables;
  std::unique_ptr<RuleStore> rules;
  KernelOptions options;
  GenerationStore generations;
  Attachments attachments;
  MappedMemory<ek_control> control;
  NextHopWriter next_hops{SynchronizeRcu};
  std::set<uint32_t> active_tables;
  KernelLookups lookups;
};

KernelDataPlane::KernelDataPlane(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KernelDataPlane::~KernelDataPlane() = default;

absl::StatusOr<std::unique_ptr<KernelDataPlane>> KernelDataPlane::Open(
    const KernelOptions& options) {
  if (auto status = CheckLimits(options.limits); !status.ok()) return status;
  RaiseMemlockLimit();
  auto dir = PinDir::OpenOrCreate(options.pin_dir);
  if (!dir.ok()) return dir.status();
  auto objects = OpenKernelObjects(*dir, options);
  if (!objects.ok()) return objects.status();
  auto tables = TableStore::Open(objects->map(MapId::kTables), options.limits.max_tables,
                                 options.encapsulation);
  if (!tables.ok()) return tables.status();
  auto control =
      MappedMemory<ek_control>::Map(objects->map(MapId::kControl), 1, "cannot map ek_control");
  if (!control.ok()) return control.status();
  auto rules = RuleStore::Open(objects->map(MapId::kRules4), objects->map(MapId::kRules6));
  if (!rules.ok()) return rules.status();
  auto impl = std::make_unique<Impl>(*std::move(dir), *std::move(objects), *std::move(tables),
                                     *std::move(rules), options);
  impl->control = *std::move(control);
  if (auto status = impl->generations.Prepare(); !status.ok()) return status;
  if (auto status = impl->attachments.Refresh(); !status.ok()) return status;
  std::unique_ptr<KernelDataPlane> dataplane(new KernelDataPlane(std::move(impl)));
  auto active = dataplane->ReadActive();
  if (!active.ok()) return active.status();
  dataplane->impl_->RememberUsed(active->image);
  return dataplane;
}

absl::Status KernelDataPlane::Remove(const std::string& pin_dir) {
  auto dir = PinDir::OpenExisting(pin_dir);
  if (absl::IsNotFound(dir.status())) return absl::OkStatus();
  if (!dir.ok()) return dir.status();
  if (auto status = Attachments::DetachAll(*dir); !status.ok()) return status;
  return dir->Remove();
}

bool KernelDataPlane::adopted() const { return impl_->objects.adopted; }
const Limits& KernelDataPlane::limits() const { return impl_->options.limits; }
const Encapsulation& KernelDataPlane::encapsulation() const { return impl_->options.encapsulation; }

absl::StatusOr<Attachment> KernelDataPlane::Attach(const std::string& interface,
                                                   const AttachOptions& options) {
  return impl_->attachments.Attach(interface, options);
}

const std::vector<Attachment>& KernelDataPlane::attachments() const {
  return impl_->attachments.list();
}

absl::Status KernelDataPlane::DetachOthers(const std::vector<std::string>& keep) {
  return impl_->attachments.DetachOthers(keep);
}

absl::StatusOr<Sample> KernelDataPlane::TakeSample(const SampleOptions& options) {
  auto programs = impl_->attachments.Programs();
  if (!programs.ok()) return programs.status();
  if (programs->empty()) {
    return absl::FailedPreconditionError("the balancer is attached to no interface");
  }
  std::vector<int> fds;
  for (const UniqueFd& program : *programs) fds.push_back(program.get());
  return dataplane::TakeSample(fds, options);
}

absl::StatusOr<std::unique_ptr<Capture>> KernelDataPlane::StartCapture(
    const CaptureOptions& options) {
  return StartKernelCapture(impl_->options, impl_->objects, &impl_->attachments, options);
}

int KernelDataPlane::ended_captures() const { return impl_->attachments.put_back(); }

absl::StatusOr<Snapshot> KernelDataPlane::ReadActive() {
  Snapshot snapshot;
  snapshot.active_word = impl_->active().load(std::memory_order_acquire);
  snapshot.published = snapshot.active_word != EK_ACTIVE_NONE;
  if (!snapshot.published) return snapshot;
  snapshot.generation = snapshot.active_word & EK_ACTIVE_GENERATION_MASK;
  auto image = impl_->generations.Read(snapshot.generation);
  if (!image.ok()) return image.status();
  snapshot.image = *std::move(image);
  return snapshot;
}

absl::Status KernelDataPlane::StageTables(std::span<const StagedTable> tables) {
  return impl_->tables.Stage(tables);
}

absl::StatusOr<TableImage> KernelDataPlane::ReadTable(uint32_t id, uint32_t table_size) {
  return impl_->tables.Read(id, table_size);
}

absl::Status KernelDataPlane::DropTables(std::span<const uint32_t> ids) {
  for (const uint32_t id : ids) {
    if (impl_->active_tables.contains(id)) {
      return absl::FailedPreconditionError(
          absl::StrCat("table ", id, " is used by the active generation"));
    }
  }
  return impl_->tables.Drop(ids);
}

absl::StatusOr<std::vector<uint32_t>> KernelDataPlane::ListTables() { return impl_->tables.List(); }

absl::Status KernelDataPlane::StageRules(uint32_t id, std::span<const guard::SourceRule> rules) {
  return impl_->rules->Stage(id, rules);
}

absl::StatusOr<guard::Digest> KernelDataPlane::RulesDigest(uint32_t id) {
  return impl_->rules->ReadDigest(id);
}

absl::Status KernelDataPlane::DropRules(std::span<const uint32_t> ids) {
  return impl_->rules->Drop(ids);
}

absl::StatusOr<std::vector<uint32_t>> KernelDataPlane::ListRules() { return impl_->rules->List(); }

absl::StatusOr<std::vector<uint32_t>> KernelDataPlane::TakeSlots(uint32_t id, uint32_t table_size) {
  return impl_->tables.TakeSlots(id, table_size);
}

absl::Status KernelDataPlane::SetPrevious(uint32_t id, uint32_t table_size,
                                          std::span<const PreviousOwner> changes) {
  return impl_->tables.SetPrevious(id, table_size, changes);
}

absl::StatusOr<std::vector<Pin>> KernelDataPlane::ReadPins() { return ReadAllPins(impl_->objects); }

absl::Status KernelDataPlane::DropPins(std::span<const Pin> pins) {
  return DeletePins(impl_->objects, pins);
}

uint32_t KernelDataPlane::Now() { return PinClock(); }

absl::Status KernelDataPlane::StageGeneration(uint32_t generation, const GenerationImage& image) {
  if (auto status = impl_->RefuseActive(generation); !status.ok()) return status;
  return impl_->generations.Stage(generation, image);
}

absl::StatusOr<GenerationImage> KernelDataPlane::ReadGeneration(uint32_t generation) {
  return impl_->generations.Read(generation);
}

absl::Status KernelDataPlane::DropGeneration(uint32_t generation) {
  if (auto status = impl_->RefuseActive(generation); !status.ok()) return status;
  return impl_->generations.Drop(generation);
}

absl::StatusOr<ProbeResult> KernelDataPlane::Probe(uint32_t generation,
                                                   std::span<const uint8_t> packet) {
  auto info = impl_->generations.ReadInfo(generation);
  if (!info.ok()) return info.status();
  if (info->abi_version == 0) {
    return absl::FailedPreconditionError(absl::StrCat("generation ", generation, " is unused"));
  }
  impl_->staged().store(info->active_word, std::memory_order_release);
  ProbeResult result;
  result.packet.resize(packet.size() + 256);  // room for the outer headers
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet.data(), .data_out = result.packet.data(),
              .data_size_in = static_cast<uint32_t>(packet.size()),
              .data_size_out = static_cast<uint32_t>(result.packet.size()), .repeat = 1);
  const int err = bpf_prog_test_run_opts(impl_->objects.verify.get(), &run);
  impl_->staged().store(EK_ACTIVE_NONE, std::memory_order_release);
  if (err != 0) return KernelError(err, "cannot run a packet through the program");
  result.verdict = run.retval;
  result.packet.resize(run.data_size_out);
  return result;
}

absl::Status KernelDataPlane::Activate(uint32_t generation, const guard::Approval& approval) {
  if (auto status = impl_->RefuseActive(generation); !status.ok()) return status;
  auto image = impl_->generations.Read(generation);
  if (!image.ok()) return image.status();
  const guard::Digest& approved = approval.digest();
  if (!std::equal(approved.bytes.begin(), approved.bytes.end(), image->info.digest)) {
    return absl::FailedPreconditionError(absl::StrCat("generation ", generation,
                                                      " is not what digest ", approved.ToShort(),
                                                      " was approved for"));
  }
  const uint32_t word = MakeActiveWord(generation, image->vips);
  if (image->info.abi_version != EK_ABI_VERSION || image->info.active_word != word) {
    return absl::DataLossError(absl::StrCat("info of generation ", generation, " is damaged"));
  }
  // The swap. Everything staged was written by system calls or to memory shared with the kernel
  // before it; release keeps it so for the programs' CPUs.
  impl_->active().store(word, std::memory_order_release);
  impl_->RememberUsed(*image);
  return absl::OkStatus();
}

Lookups& KernelDataPlane::lookups() { return impl_->lookups; }

absl::Status KernelDataPlane::WaitGracePeriod() { return SynchronizeRcu(); }

absl::Status KernelDataPlane::SetNextHop(uint32_t table, uint32_t table_size, uint16_t backend_id,
                                         const std::optional<NextHop>& next_hop) {
  auto lines = impl_->tables.MapLines(table);
  if (!lines.ok()) return lines.status();
  const size_t line = EK_BACKEND_LINE(table_size, backend_id);
  if (backend_id == 0 || line >= lines->get().size() ||
      lines->get()[line].backend.method == EK_METHOD_NONE) {
    return absl::NotFoundError(absl::StrCat("table ", table, " has no backend ", backend_id));
  }
  return impl_->next_hops.Write(table, backend_id, next_hop, lines->get()[line].backend);
}

absl::StatusOr<Counters> KernelDataPlane::ReadCounters() {
  return ReadAllCounters(impl_->objects, impl_->options.limits);
}

absl::StatusOr<std::vector<uint64_t>> KernelDataPlane::ReadCpuPackets() const {
  return dataplane::ReadCpuPackets(impl_->objects, impl_->options.limits);
}

absl::Status KernelDataPlane::ClearVipCounter(uint32_t id) {
  if (auto status = ClearFlowLimit(impl_->objects, id); !status.ok()) return status;
  return ClearCounter(impl_->objects, MapId::kVipStats, id);
}

absl::Status KernelDataPlane::ClearBackendCounter(uint32_t id) {
  return ClearCounter(impl_->objects, MapId::kBackendStats, id);
}

}  // namespace evenkeel::dataplane
