// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_CAPTURE_FILE_H_
#define EVENKEEL_CONTROL_CLI_CAPTURE_FILE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/cli/pcapng.h"
#include "control/engine/capture.h"

namespace evenkeel::cli {

// What a capture brings, as pcapng: each interface twice, "eth0 in" and "eth0 out".
class CaptureFile {
 public:
  explicit CaptureFile(uint32_t snaplen);

  void Add(const engine::CaptureNews& news);
  void End(const engine::CaptureReport& report);

  // What was not taken yet.
  std::string Take() { return std::exchange(bytes_, {}); }
  uint64_t packets() const { return packets_; }
  uint64_t frames() const { return frames_; }

 private:
  struct Interface {
    uint32_t id = 0;
    uint64_t frames = 0;
  };
  using Direction = PcapngWriter::Direction;
  using Key = std::pair<std::string, Direction>;

  Interface& Find(const std::string& name, Direction direction);
  void AddFrame(const engine::CapturePacket& packet, Direction direction,
                const std::string& comment);

  const uint32_t snaplen_;
  std::string bytes_;
  PcapngWriter writer_;
  std::map<Key, Interface> interfaces_;
  uint64_t packets_ = 0, frames_ = 0;
};

// "verdict forward, vip web, pool web, backend web-1 (10.0.1.11), slot 4711, generation 3,
// revision 41": as far as it is known.
std::string CommentOf(const engine::CapturePacket& packet);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_CAPTURE_FILE_H_
