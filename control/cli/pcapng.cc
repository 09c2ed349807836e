// SPDX-License-Identifier: Apache-2.0
#include "control/cli/pcapng.h"

#include <algorithm>
#include <limits>

namespace evenkeel::cli {
namespace {

// Numbers are those of draft-ietf-opsawg-pcapng, sections 3 and 4.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kInterfaceStatistics = 5;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint64_t kUnknownLength = ~uint64_t{0};
constexpr uint16_t kEthernet = 1;  // LINKTYPE_ETHERNET
constexpr uint32_t kAlignment = 4;

enum Option : uint16_t {
  kEnd = 0,
  kComment = 1,
  kApplication = 4,  // of a section
  kName = 2,         // of an interface
  kDescription = 3,
  kResolution = 9,
  kFlags = 2,  // of a packet
  kStart = 2,  // of statistics
  kStop = 3,
  kReceived = 4,
  kDropped = 5,
  kDelivered = 8,
};
constexpr char kNanoseconds = 9;  // 10^-9 s

class Block {
 public:
  explicit Block(uint32_t type) {
    Put32(type);
    Put32(0);  // the length, in Close
  }

  void Put16(uint16_t value) { Put(value, 2); }
  void Put32(uint32_t value) { Put(value, 4); }
  void Put64(uint64_t value) { Put(value, 8); }
  // The upper half first, whatever the byte order.
  void PutTime(int64_t unix_ns) {
    Put32(static_cast<uint32_t>(static_cast<uint64_t>(unix_ns) >> 32));
    Put32(static_cast<uint32_t>(unix_ns));
  }
  void PutPadded(std::string_view bytes) {
    bytes_.append(bytes);
    bytes_.append((kAlignment - bytes.size() % kAlignment) % kAlignment, '\0');
  }
  void PutOption(Option code, std::string_view value) {
    value = value.substr(0, std::numeric_limits<uint16_t>::max());
    Put16(code);
    Put16(static_cast<uint16_t>(value.size()));
    PutPadded(value);
  }
  void PutOption64(Option code, uint64_t value) {
    Put16(code);
    Put16(8);
    Put64(value);
  }
  void PutTimeOption(Option code, int64_t unix_ns) {
    Put16(code);
    Put16(8);
    PutTime(unix_ns);
  }

  void Close(std::string* out) {
    Put16(kEnd);
    Put16(0);
    const auto length = static_cast<uint32_t>(bytes_.size()) + 4;
    for (uint32_t i = 0; i < 4; ++i) bytes_[4 + i] = static_cast<char>(length >> 8 * i);
    Put32(length);
    out->append(bytes_);
  }

 private:
  void Put(uint64_t value, uint32_t size) {
    for (uint32_t i = 0; i < size; ++i) bytes_.push_back(static_cast<char>(value >> 8 * i));
  }

  std::string bytes_;
};

}  // namespace

PcapngWriter::PcapngWriter(std::string_view application, std::string* out) : out_(out) {
  Block block(kSectionHeader);
  block.Put32(kByteOrderMagic);
  block.Put16(1);  // version 1.0
  block.Put16(0);
  block.Put64(kUnknownLength);
  block.PutOption(kApplication, application);
  block.Close(out_);
}

uint32_t PcapngWriter::AddInterface(std::string_view name, std::string_view description,
                                    uint32_t snaplen) {
  Block block(kInterfaceDescription);
  block.Put16(kEthernet);
  block.Put16(0);
  block.Put32(snaplen);
  block.PutOption(kName, name);
  block.PutOption(kDescription, description);
  block.PutOption(kResolution, std::string_view(&kNanoseconds, 1));
  block.Close(out_);
  return interfaces_++;
}

void PcapngWriter::AddPacket(uint32_t interface, int64_t unix_ns, Direction direction,
                             uint32_t length, std::string_view bytes, std::string_view comment) {
  Block block(kEnhancedPacket);
  block.Put32(interface);
  block.PutTime(unix_ns);
  block.Put32(static_cast<uint32_t>(bytes.size()));
  block.Put32(std::max(length, static_cast<uint32_t>(bytes.size())));
  block.PutPadded(bytes);
  block.PutOption(kComment, comment);
  block.Put16(kFlags);
  block.Put16(4);
  block.Put32(direction == Direction::kIn ? 1 : 2);
  block.Close(out_);
}

void PcapngWriter::AddStatistics(uint32_t interface, const Statistics& statistics) {
  Block block(kInterfaceStatistics);
  block.Put32(interface);
  block.PutTime(statistics.ended_unix_ns);
  block.PutTimeOption(kStart, statistics.began_unix_ns);
  block.PutTimeOption(kStop, statistics.ended_unix_ns);
  if (statistics.received) block.PutOption64(kReceived, *statistics.received);
  if (statistics.dropped) block.PutOption64(kDropped, *statistics.dropped);
  if (statistics.delivered) block.PutOption64(kDelivered, *statistics.delivered);
  block.Close(out_);
}

}  // namespace evenkeel::cli
