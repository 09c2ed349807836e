// SPDX-License-Identifier: Apache-2.0
//
// The only file pair of this module that knows libbpf: load, attach, find and read the program.
#ifndef EVENKEEL_CONTROL_DECAP_PROGRAM_H_
#define EVENKEEL_CONTROL_DECAP_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/decap/decap.h"
#include "control/decap/unique_fd.h"

struct ek_decap;  // libbpf's skeleton

namespace evenkeel::decap {

// An XDP link, pinned or about to be.
struct Link {
  UniqueFd fd;
  uint32_t ifindex = 0;  // 0: its interface is gone
  uint32_t program_id = 0;
};

// The link pinned at `path`. NotFound: no such pin.
absl::StatusOr<Link> OpenLink(const std::string& path);

// A map of the program by its name.
absl::StatusOr<UniqueFd> OpenMap(uint32_t program_id, const std::string& name);

// How an XDP program is attached to the interface at this moment.
absl::StatusOr<Mode> AttachedMode(uint32_t ifindex);

// Loaded, with its addresses and sources filled in.
class Program {
 public:
  // `stats_fd`: counters to go on with; negative: new ones.
  static absl::StatusOr<Program> Load(const std::vector<model::IpAddress>& addresses,
                                      const std::vector<Prefix>& sources, uint16_t gue_port,
                                      int stats_fd);

  absl::Status ReplaceIn(const Link& link) const;
  // `mode` is kNative or kGeneric. AlreadyExists: another program is attached. Unimplemented: the
  // driver cannot do it.
  absl::StatusOr<UniqueFd> AttachTo(const Target& target, uint32_t ifindex, Mode mode) const;

 private:
  struct Closer {
    void operator()(ek_decap* skeleton) const;
  };
  explicit Program(ek_decap* skeleton) : skeleton_(skeleton) {}
  absl::Status Fill(const std::vector<model::IpAddress>& addresses,
                    const std::vector<Prefix>& sources) const;
  int fd() const;

  std::unique_ptr<ek_decap, Closer> skeleton_;
};

absl::Status PinLink(const UniqueFd& link, const std::string& path);
// Takes the program off its interface.
absl::Status DetachLink(const Link& link);

// What the maps of a running program hold.
absl::StatusOr<std::vector<model::IpAddress>> ReadAddresses(uint32_t program_id);
absl::StatusOr<std::vector<Prefix>> ReadSources(uint32_t program_id);
absl::StatusOr<uint16_t> ReadGuePort(uint32_t program_id);
// Packets by enum ek_decap_verdict, summed over CPUs.
absl::StatusOr<std::vector<uint64_t>> ReadCounts(uint32_t program_id);

}  // namespace evenkeel::decap

#endif  // EVENKEEL_CONTROL_DECAP_PROGRAM_H_
