// SPDX-License-Identifier: Apache-2.0
#include "control/nic/queue_counters.h"

#include <linux/ethtool.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace evenkeel::nic {
namespace {

// Of no driver known; what claims more is not believed.
constexpr uint32_t kMaxStatistics = 1u << 16;

// Behind the queue's number.
constexpr std::string_view kCounts[] = {"packets", "cnt",          "ucast_packets", "xdp_packets",
                                        "xdp_tx",  "xdp_redirect", "xdp_drop"};

struct Form {
  std::string_view before, behind;  // the queue's number
};
constexpr Form kForms[] = {
    {"rx_queue_", "_"},  // igb, ixgbe, ice, virtio_net, veth
    {"rx-", "."},        // i40e
    {"queue_", "_rx_"},  // ena
    {"[", "]: rx_"},     // bnxt_en
    {"rx", "_"},         // mlx5_core, virtio_net since Linux 6.11
};

// Takes a number off the front; nullopt: there is none that a queue could have.
std::optional<uint32_t> TakeNumber(std::string_view* text) {
  size_t digits = 0;
  uint32_t number = 0;
  while (digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9') {
    number = number * 10 + static_cast<uint32_t>((*text)[digits] - '0');
    if (++digits > 5) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text->remove_prefix(digits);
  return number;
}

// A header, and room behind it, as the ioctls want it. The kernel writes as much as the driver has
// by then, which may be more than it had: whoever adds queues meanwhile must find room.
template <typename Header>
std::vector<uint64_t> MakeBuffer(const Header& header, size_t bytes) {
  constexpr size_t kMore = 1u << 20;
  std::vector<uint64_t> buffer((sizeof(header) + bytes + kMore) / sizeof(uint64_t));
  std::memcpy(buffer.data(), &header, sizeof(header));
  return buffer;
}

uint32_t CountStatistics(const std::string& interface, const Ethtool& ask) {
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  return ask(interface, &driver) == 0 ? driver.n_stats : 0;
}

}  // namespace

std::optional<uint32_t> RxQueueOf(std::string_view statistic) {
  for (const Form& form : kForms) {
    std::string_view rest = statistic;
    if (!rest.starts_with(form.before)) continue;
    rest.remove_prefix(form.before.size());
    const std::optional<uint32_t> queue = TakeNumber(&rest);
    if (!queue || !rest.starts_with(form.behind)) continue;
    rest.remove_prefix(form.behind.size());
    if (std::find(std::begin(kCounts), std::end(kCounts), rest) != std::end(kCounts)) return queue;
  }
  return std::nullopt;
}

std::map<uint32_t, uint64_t> ReadQueueCounters(const std::string& interface, const Ethtool& ask) {
  const uint32_t count = CountStatistics(interface, ask);
  if (count == 0 || count > kMaxStatistics) return {};
  ethtool_gstrings names_header{};
  names_header.cmd = ETHTOOL_GSTRINGS;
  names_header.string_set = ETH_SS_STATS;
  names_header.len = count;
  std::vector<uint64_t> names = MakeBuffer(names_header, size_t{count} * ETH_GSTRING_LEN);
  ethtool_stats values_header{};
  values_header.cmd = ETHTOOL_GSTATS;
  values_header.n_stats = count;
  std::vector<uint64_t> values = MakeBuffer(values_header, size_t{count} * sizeof(uint64_t));
  if (ask(interface, names.data()) != 0 || ask(interface, values.data()) != 0) return {};
  // Another number of them by now: names and values do not fit each other.
  std::memcpy(&names_header, names.data(), sizeof(names_header));
  std::memcpy(&values_header, values.data(), sizeof(values_header));
  if (names_header.len != count || values_header.n_stats != count) return {};
  const char* const name = reinterpret_cast<const char*>(names.data()) + sizeof(names_header);
  std::map<uint32_t, uint64_t> packets;
  for (uint32_t i = 0; i < count; ++i) {
    const char* const text = name + size_t{i} * ETH_GSTRING_LEN;
    const auto queue = RxQueueOf({text, strnlen(text, ETH_GSTRING_LEN)});
    if (queue) packets[*queue] += values[sizeof(values_header) / sizeof(uint64_t) + i];
  }
  return packets;
}

}  // namespace evenkeel::nic
