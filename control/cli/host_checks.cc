// SPDX-License-Identifier: Apache-2.0
#include "control/cli/host_checks.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>

#include "absl/strings/numbers.h"
#include "control/cli/cat.h"
#include "control/cli/nic_checks.h"
#include "control/cli/text.h"
#include "control/nic/interface.h"

namespace evenkeel::cli {
namespace {

using engine::Finding;
using Level = Finding::Level;

constexpr uint64_t kLowMemoryKib = 256 << 10;
constexpr uint32_t kUsualMtu = 1500;
// The smallest MTU that IPv6 guarantees: what a client may send whatever lies in between.
constexpr uint32_t kLeastMtu = 1280;

Finding CheckKernel(const HostFacts& facts) {
  const std::string release = facts.Read("proc/sys/kernel/osrelease").value_or("");
  unsigned major = 0, minor = 0;
  if (std::sscanf(release.c_str(), "%u.%u", &major, &minor) != 2) {
    return {Level::kWarn, "kernel", "", Cat("its version cannot be read: \"", release, "\""),
            "Linux 6.1 or newer is needed"};
  }
  if (major < 6 || (major == 6 && minor < 1)) {
    return {Level::kFail, "kernel", "", Cat("Linux ", release), "run Linux 6.1 or newer"};
  }
  return {Level::kOk, "kernel", "", Cat("Linux ", release), ""};
}

Finding CheckBtf(const HostFacts& facts) {
  if (facts.Exists("sys/kernel/btf/vmlinux")) {
    return {Level::kOk, "btf", "", "the kernel describes its types", ""};
  }
  return {Level::kFail, "btf", "", "/sys/kernel/btf/vmlinux is missing",
          "run a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian's are"};
}

// A kernel that always compiles has no switch.
Finding CheckJit(const HostFacts& facts) {
  if (facts.Read("proc/sys/net/core/bpf_jit_enable").value_or("1") != "0") {
    return {Level::kOk, "jit", "", "BPF programs are compiled", ""};
  }
  return {Level::kFail, "jit", "", "BPF programs are interpreted, many times slower",
          "sysctl -w net.core.bpf_jit_enable=1"};
}

Finding CheckBpfFs(const HostFacts& facts) {
  std::istringstream mounts(facts.Read("proc/mounts").value_or(""));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device, where, type;
    fields >> device >> where >> type;
    if (where == "/sys/fs/bpf" && type == "bpf") {
      return {Level::kOk, "bpf-fs", where, "mounted", ""};
    }
  }
  return {Level::kFail, "bpf-fs", "/sys/fs/bpf", "no BPF file system is mounted",
          "mount -t bpf bpf /sys/fs/bpf"};
}

Finding CheckMemory(const HostFacts& facts) {
  std::istringstream lines(facts.Read("proc/meminfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    uint64_t kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lu kB", &kib) != 1) continue;
    const std::string free = Cat(kib >> 10, " MiB available");
    if (kib >= kLowMemoryKib) return {Level::kOk, "memory", "", free, ""};
    return {Level::kWarn, "memory", "", free,
            "an update stages new tables beside the old ones: 256 KiB for each pool of 65537 "
            "slots; leave room for them"};
  }
  return {Level::kWarn, "memory", "", "/proc/meminfo says nothing of it", "look at free(1)"};
}

Finding CheckClock(const HostFacts& facts) {
  if (facts.clock_synchronised) return {Level::kOk, "clock", "", "synchronised", ""};
  return {Level::kWarn, "clock", "", "not synchronised",
          "run chrony or systemd-timesyncd: the history's times, freezes, and windows across a "
          "restart go by it"};
}

// What the pools' encapsulations add at most.
uint32_t LargestOverhead(const engine::Status& status) {
  constexpr uint32_t kIpv4 = 20, kIpv6 = 40, kGue = 8;
  uint32_t largest = 0;
  for (const engine::PoolStatus& pool : status.pools) {
    if (pool.forwarding == model::Forwarding::kL2) continue;
    const uint32_t gue = pool.forwarding == model::Forwarding::kGue ? kGue : 0;
    for (const engine::BackendStatus& backend : pool.backends) {
      largest = std::max(largest, gue + (backend.address.is_ipv6() ? kIpv6 : kIpv4));
    }
  }
  return largest;
}

// The kernel is asked, since /sys may show another network namespace.
std::optional<uint32_t> ReadMtu(const HostFacts& facts, const std::string& interface) {
  if (facts.root == "/") {
    const auto found = nic::ReadInterface(interface);
    return found ? std::optional(found->mtu) : std::nullopt;
  }
  uint32_t mtu = 0;
  const std::string text = facts.Read(Cat("sys/class/net/", interface, "/mtu")).value_or("");
  return absl::SimpleAtoi(text, &mtu) ? std::optional(mtu) : std::nullopt;
}

Finding CheckMtu(const HostFacts& facts, const std::string& interface, uint32_t overhead) {
  const std::optional<uint32_t> read = ReadMtu(facts, interface);
  if (!read) {
    return {Level::kWarn, "mtu", interface, "its MTU cannot be read",
            "is the interface in this network namespace?"};
  }
  const uint32_t mtu = *read;
  const std::string found = Cat("MTU ", mtu, ", encapsulation adds up to ", overhead, " bytes");
  if (overhead == 0 || mtu >= kUsualMtu + overhead)
    return {Level::kOk, "mtu", interface, found, ""};
  const std::string remedy =
      Cat("raise the MTU between balancer and backends to ", kUsualMtu + overhead,
          ", or clamp the MSS of the backends to ", mtu > overhead + 40 ? mtu - overhead - 40 : 0);
  if (mtu < kLeastMtu + overhead) {
    return {Level::kFail, "mtu", interface, Cat(found, ": too little for IPv6"), remedy};
  }
  return {
      Level::kWarn, "mtu", interface,
      Cat(found, ": packets of more than ", mtu - overhead, " bytes are answered with \"too big\""),
      remedy};
}

}  // namespace

std::vector<Finding> CheckHost(const HostFacts& facts) {
  return {CheckKernel(facts), CheckBtf(facts),    CheckJit(facts),
          CheckBpfFs(facts),  CheckMemory(facts), CheckClock(facts)};
}

std::vector<Finding> CheckInterfaces(const HostFacts& facts, const engine::Status& status) {
  std::vector<Finding> findings;
  const uint32_t overhead = LargestOverhead(status);
  for (const engine::InterfaceStatus& interface : status.interfaces) {
    std::vector<Finding> nic = CheckNic(facts, interface, status);
    findings.insert(findings.end(), std::make_move_iterator(nic.begin()),
                    std::make_move_iterator(nic.end()));
    findings.push_back(CheckMtu(facts, interface.name, overhead));
  }
  return findings;
}

}  // namespace evenkeel::cli
