// SPDX-License-Identifier: Apache-2.0
//
// Decapsulation on a backend host: the XDP program of bpf/decap.bpf.c on one interface. Its link is
// pinned, so it goes on after the process that attached it.
#ifndef EVENKEEL_CONTROL_DECAP_DECAP_H_
#define EVENKEEL_CONTROL_DECAP_DECAP_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/model/ip_address.h"

namespace evenkeel::decap {

inline constexpr uint16_t kDefaultGuePort = 6080;
inline constexpr char kDefaultPinDir[] = "/sys/fs/bpf/evenkeel-decap";

enum class Mode { kAuto, kNative, kGeneric };

struct Prefix {
  model::IpAddress address;
  uint32_t length = 0;

  // "10.0.0.0/8", "fd00::/8", or an address alone. Host bits must be 0.
  static absl::StatusOr<Prefix> Parse(const std::string& text);
  std::string ToString() const;
};

struct Target {
  std::string interface;
  std::string pin_dir = kDefaultPinDir;
};

struct Options {
  Target target;
  std::vector<model::IpAddress> addresses;  // outer destinations; empty: those of the interface
  std::vector<Prefix> sources;              // allowed outer sources; empty: every one
  Mode mode = Mode::kAuto;
  uint16_t gue_port = kDefaultGuePort;  // UDP port of GUE; 0: only bare IP in IP
};

struct Attached {
  std::vector<model::IpAddress> addresses;
  Mode mode = Mode::kNative;    // as attached: kNative or kGeneric
  bool replaced = false;        // an earlier program of ours, in place and without a gap
  std::string fallback_reason;  // why auto chose generic; else empty
};

struct Report {
  Mode mode = Mode::kNative;
  std::vector<model::IpAddress> addresses;
  std::vector<Prefix> sources;                             // empty: every source is allowed
  uint16_t gue_port = 0;                                   // 0: none
  std::vector<std::pair<std::string, uint64_t>> verdicts;  // by name of bpf/abi/decap.h, all
};

// Attaches, or replaces the program of an earlier call atomically; its counters go on.
absl::StatusOr<Attached> Attach(const Options& options);

// NotFound: nothing of ours is attached there.
absl::Status Detach(const Target& target);
absl::StatusOr<Report> ReadReport(const Target& target);

const char* ModeName(Mode mode);

}  // namespace evenkeel::decap

#endif  // EVENKEEL_CONTROL_DECAP_DECAP_H_
