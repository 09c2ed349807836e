// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little endian, times in nanoseconds. What is
// written is a file at any moment; the statistics at its end are a courtesy.
#ifndef EVENKEEL_CONTROL_CLI_PCAPNG_H_
#define EVENKEEL_CONTROL_CLI_PCAPNG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evenkeel::cli {

class PcapngWriter {
 public:
  // Everything is appended to `out`, which must outlive the object; who owns it may take it away
  // between calls. Begins with the section header.
  PcapngWriter(std::string_view application, std::string* out);

  // An Ethernet interface; the id that packets name it by. `snaplen` 0: no limit.
  uint32_t AddInterface(std::string_view name, std::string_view description, uint32_t snaplen);

  enum class Direction { kIn, kOut };
  // `bytes`: the first ones of a frame of `length`.
  void AddPacket(uint32_t interface, int64_t unix_ns, Direction direction, uint32_t length,
                 std::string_view bytes, std::string_view comment);

  struct Statistics {
    int64_t began_unix_ns = 0, ended_unix_ns = 0;
    std::optional<uint64_t> received{};   // that the filter accepted
    std::optional<uint64_t> dropped{};    // of these, not in the file for lack of room or time
    std::optional<uint64_t> delivered{};  // in the file
  };
  void AddStatistics(uint32_t interface, const Statistics& statistics);

 private:
  std::string* const out_;
  uint32_t interfaces_ = 0;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_PCAPNG_H_
