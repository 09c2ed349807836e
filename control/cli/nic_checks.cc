// SPDX-License-Identifier: Apache-2.0
#include "control/cli/nic_checks.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "control/cli/cat.h"
#include "control/cli/text.h"
#include "control/nic/interface.h"

namespace evenkeel::cli {
namespace {

using engine::Finding;
using Level = Finding::Level;

// A queue that gets so many times its part is a fault.
constexpr double kUneven = 2.0;

// What keeps a driver that has XDP from its native mode.
struct Hint {
  const char* driver;
  const char* remedy;
};
constexpr Hint kHints[] = {
    {"virtio_net",
     "give the guest twice as many queues as processors (queues=), and turn off what the host "
     "merges: ethtool -K IF rx-gro-hw off"},
    {"ena", "use at most half of its queues: ethtool -L IF combined N"},
    {"veth", "give its peer an MTU that fits a page"},
    {"ixgbe", "turn LRO off: ethtool -K IF lro off; use an MTU that fits a page"},
    {"i40e", "use an MTU that fits a page"},
    {"ice", "use an MTU that fits a page"},
    {"mlx5_core", "turn LRO off: ethtool -K IF lro off"},
    {"bnxt_en", "turn merging off: ethtool -K IF lro off rx-gro-hw off; use combined channels"},
};

// Whether /sys shows that interface, and not one of that name in another network namespace.
bool ShownBySysfs(const HostFacts& facts, const std::string& interface) {
  if (facts.root != "/") return true;
  const auto found = nic::ReadInterface(interface);
  return found && facts.Read(Cat("sys/class/net/", interface, "/address")) == found->address;
}

std::string Name(const HostFacts& facts, const std::string& interface, const nic::Facts& nic) {
  if (!nic.driver.empty()) return nic.driver;
  if (!ShownBySysfs(facts, interface)) return "";
  std::error_code error;
  const auto link = std::filesystem::read_symlink(
      facts.Path(Cat("sys/class/net/", interface, "/device/driver")), error);
  return error ? "" : link.filename().string();
}

Finding CheckDriver(const HostFacts& facts, const engine::InterfaceStatus& interface,
                    const nic::Facts& nic) {
  const std::string driver = Name(facts, interface.name, nic);
  if (driver.empty()) {
    return {Level::kOk, "driver", interface.name, "cannot be told: it does not say its name", ""};
  }
  const std::string found =
      Cat(driver, nic.version.empty() ? "" : Cat(" ", nic.version), ", ", interface.mode, " XDP");
  if (interface.mode == "native") {
    const char* const peer =
        driver == "veth" ? "; what is sent back arrives only if its peer runs an XDP program, too"
                         : "";
    return {Level::kOk, "driver", interface.name, Cat(found, peer), ""};
  }
  const auto* const hint = std::find_if(std::begin(kHints), std::end(kHints),
                                        [&](const Hint& h) { return driver == h.driver; });
  // That it is slow is said by the daemon (check xdp); here, what this driver needs.
  if (hint == std::end(kHints)) return {Level::kOk, "driver", interface.name, found, ""};
  std::string remedy = hint->remedy;
  for (size_t at = 0; (at = remedy.find("IF", at)) != std::string::npos;) {
    remedy.replace(at, 2, interface.name);
    at += interface.name.size();
  }
  return {Level::kWarn, "driver", interface.name, Cat(found, ", and this driver has native XDP"),
          Cat(remedy, "; then restart evenkeeld")};
}

uint32_t CountQueues(const HostFacts& facts, const std::string& interface) {
  std::error_code error;
  const auto dir = facts.Path(Cat("sys/class/net/", interface, "/queues"));
  uint32_t queues = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    if (entry.path().filename().string().starts_with("rx-")) ++queues;
  }
  return queues;
}

Finding CheckQueues(const HostFacts& facts, const std::string& interface, const nic::Facts& nic) {
  const uint32_t queues = nic.channels != 0                ? nic.channels
                          : ShownBySysfs(facts, interface) ? CountQueues(facts, interface)
                                                           : 0;
  const std::string found =
      Cat(Plural(queues, "receive queue"), ", ", Plural(facts.processors, "processor"));
  if (queues == 0) {
    return {Level::kWarn, "queues", interface, "its receive queues cannot be counted",
            "is the interface in this network namespace?"};
  }
  const bool told = nic.max_channels != 0;
  const uint32_t useful = told ? std::min(nic.max_channels, facts.processors) : facts.processors;
  if (queues >= 2 && (!told || queues * 2 >= useful)) {
    return {Level::kOk, "queues", interface, found, ""};
  }
  if (facts.processors == 1) return {Level::kOk, "queues", interface, found, ""};
  const std::string detail = queues == 1 ? Cat(found, ": one processor carries every packet")
                                         : Cat(found, ": most processors carry no packet");
  if (told && nic.max_channels <= queues) {
    return {Level::kWarn, "queues", interface, detail,
            "this driver has no more here; a guest gets more from its host (queues=)"};
  }
  return {Level::kWarn, "queues", interface, detail,
          Cat("ethtool -L ", interface, " combined ", useful,
              told ? "" : ", where the driver has more")};
}

Finding CheckSpread(const std::string& interface, const nic::Facts& nic) {
  if (nic.channels == 1) return {Level::kOk, "rss", interface, "one queue gets all", ""};
  if (nic.indirection.empty()) {
    return {Level::kOk, "rss", interface, "cannot be told: its driver shows no table", ""};
  }
  std::map<uint32_t, size_t> entries;
  for (const uint32_t queue : nic.indirection) ++entries[queue];
  const size_t queues = std::max<size_t>(nic.channels, entries.size());
  const double even = static_cast<double>(nic.indirection.size()) / static_cast<double>(queues);
  const auto most =
      std::max_element(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto tenths = static_cast<uint64_t>(10 * static_cast<double>(most->second) / even);
  // A table of fewer entries than queues, or one that they do not divide, cannot be even.
  const bool uneven = static_cast<double>(most->second) > kUneven * even &&
                      static_cast<double>(most->second) >= even + 2;
  if (!uneven) {
    return {Level::kOk, "rss", interface,
            Cat(nic.indirection.size(), " hash values over ", entries.size(), " of ",
                Plural(queues, "queue")),
            ""};
  }
  return {Level::kWarn, "rss", interface,
          Cat("queue ", most->first, " gets ", most->second, " of ", nic.indirection.size(),
              " hash values, ", tenths / 10, ".", tenths % 10, " times its part of ", queues,
              " queues"),
          Cat("ethtool -X ", interface, " equal ", queues)};
}

// Where only addresses are hashed, all that one client sends by UDP is one queue's.
void CheckUdpHash(const std::string& interface, const nic::Facts& nic, const engine::Status& status,
                  std::vector<Finding>* findings) {
  bool needed[2] = {false, false};
  for (const engine::VipStatus& vip : status.vips) {
    if (vip.vip.protocol != model::Protocol::kTcp) needed[vip.vip.address.is_ipv6()] = true;
  }
  if (nic.channels == 1) return;
  const struct {
    bool needed;
    const std::optional<bool>& ports;
    const char* flow;
  } families[] = {{needed[0], nic.udp4_ports, "udp4"}, {needed[1], nic.udp6_ports, "udp6"}};
  for (const auto& family : families) {
    if (!family.needed) continue;
    const std::string what = Cat(interface, " ", family.flow);
    if (!family.ports) {
      findings->push_back({Level::kOk, "rss-udp", what,
                           "cannot be told: its driver does not say what it hashes", ""});
    } else if (*family.ports) {
      findings->push_back({Level::kOk, "rss-udp", what, "ports are hashed", ""});
    } else {
      findings->push_back(
          {Level::kWarn, "rss-udp", what,
           "only addresses are hashed: all that a client, or a NAT, sends is one queue's",
           Cat("ethtool -N ", interface, " rx-flow-hash ", family.flow, " sdfn")});
    }
  }
}

// The device's own, or that of the bus device it stands on (virtio).
std::vector<std::string> InterruptsOf(const HostFacts& facts, const std::string& interface) {
  std::vector<std::string> interrupts;
  for (const char* dir : {"device/msi_irqs", "device/../msi_irqs"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(
             facts.Path(Cat("sys/class/net/", interface, "/", dir)), error)) {
      interrupts.push_back(entry.path().filename().string());
    }
    if (!interrupts.empty()) break;
  }
  return interrupts;
}

void CheckInterrupts(const HostFacts& facts, const std::string& interface,
                     std::vector<Finding>* findings) {
  if (facts.processors < 2 || !ShownBySysfs(facts, interface)) return;
  std::set<std::string> processors;
  size_t counted = 0;
  for (const std::string& interrupt : InterruptsOf(facts, interface)) {
    const auto served = facts.Read(Cat("proc/irq/", interrupt, "/effective_affinity_list"));
    if (!served || served->empty()) continue;
    ++counted;
    processors.insert(*served);
  }
  // One is no choice; with two, the other one may be that of configuration changes.
  if (counted < 3) return;
  const std::string found = Cat(counted, " interrupts, served by ",
                                processors.size() == 1 ? Cat("processor ", *processors.begin())
                                                       : Plural(processors.size(), "processor"));
  if (processors.size() > 1) {
    findings->push_back({Level::kOk, "interrupts", interface, found, ""});
    return;
  }
  findings->push_back({Level::kWarn, "interrupts", interface, Cat(found, " alone"),
                       "run irqbalance, or write other processors to "
                       "/proc/irq/N/smp_affinity_list, one for each queue"});
}

}  // namespace

std::vector<Finding> CheckNic(const HostFacts& facts, const engine::InterfaceStatus& interface,
                              const engine::Status& status) {
  const nic::Facts nic = facts.nic ? facts.nic(interface.name) : nic::Facts{};
  std::vector<Finding> findings = {CheckDriver(facts, interface, nic),
                                   CheckQueues(facts, interface.name, nic),
                                   CheckSpread(interface.name, nic)};
  CheckUdpHash(interface.name, nic, status, &findings);
  CheckInterrupts(facts, interface.name, &findings);
  return findings;
}

}  // namespace evenkeel::cli
