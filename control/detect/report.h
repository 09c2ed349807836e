// SPDX-License-Identifier: Apache-2.0
//
// How a pool is distributed, and whether the balancer is to blame: for a person who is looking for
// the cause of an outage.
#ifndef EVENKEEL_CONTROL_DETECT_REPORT_H_
#define EVENKEEL_CONTROL_DETECT_REPORT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/detect/alarm.h"

namespace evenkeel::detect {

// The chain, from what was asked for to what is served.
enum class Link {
  kTable,   // intended shares - built table
  kKernel,  // built table - kernel, read back
  kFlows,   // kernel's table - new flows
  kLoad,    // new flows - packets and bytes
  kHealth,  // packets - servers that work
};
inline constexpr size_t kLinks = 5;

enum class LinkState { kUnknown, kInsufficient, kHolds, kBroken };

std::string_view ToString(Link link);
std::string_view ToString(LinkState state);

struct LinkReport {
  Link link = Link::kTable;
  LinkState state = LinkState::kUnknown;
  std::string detail;
};

struct ServerShares {
  model::IpAddress address;
  std::string name;
  double intended = 0, built = 0;
  std::optional<double> kernel;
  // Of the last minute; 0 where there was nothing.
  double flows = 0, packets = 0, bytes = 0;  // shares
  double ratio = 0, z = 0;                   // of new flows (plain UDP: packets)
  bool sufficient = false;
};

enum class Verdict { kInsufficient, kMatches, kBroken };
std::string_view ToString(Verdict verdict);

struct PoolReport {
  std::string pool;
  uint64_t revision = 0;
  uint32_t generation = 0;
  int64_t unchanged_since_unix_ns = 0;  // the shares, whatever else was changed
  Verdict verdict = Verdict::kInsufficient;
  std::optional<Diagnosis> diagnosis;  // of the first broken link
  std::string text;                    // a sentence or two, with the numbers
  std::array<LinkReport, kLinks> links;
  std::vector<ServerShares> servers;
};

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_REPORT_H_
