// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/frames.h"

#include "tests/harness/packet/packet.h"

namespace evenkeel::cli {

FrameBytes TcpFrame(uint16_t source_port, uint16_t destination_port) {
  evenkeel::testing::Packet packet;
  packet.sport = source_port;
  packet.dport = destination_port;
  return evenkeel::testing::Build(packet);
}

}  // namespace evenkeel::cli
