// SPDX-License-Identifier: Apache-2.0
//
// Packets of a file, pcap or pcapng, by libpcap.
#ifndef EVENKEEL_CONTROL_CLI_FRAME_FILE_H_
#define EVENKEEL_CONTROL_CLI_FRAME_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace evenkeel::cli {

struct Frame {
  std::vector<uint8_t> head;  // from an Ethernet header on, as much as was captured
  uint32_t length = 0;        // of the whole frame
};

class FrameFile {
 public:
  // "-": standard input. InvalidArgument: no such format, or a link layer that is not known.
  static absl::StatusOr<FrameFile> Open(const std::string& path);

  // False at the end. DataLoss: the file is broken there; what came before is good.
  absl::StatusOr<bool> Next(Frame* frame);

 private:
  struct Close {
    void operator()(void* capture) const;
  };

  FrameFile(void* capture, int link_type, std::string name)
      : capture_(capture), link_type_(link_type), name_(std::move(name)) {}

  std::unique_ptr<void, Close> capture_;  // pcap_t
  int link_type_;
  std::string name_;
  uint64_t packets_ = 0;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_FRAME_FILE_H_
