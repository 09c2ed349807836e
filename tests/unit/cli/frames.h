// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_FRAMES_H_
#define EVENKEEL_TESTS_UNIT_CLI_FRAMES_H_

#include <cstdint>
#include <vector>

namespace evenkeel::cli {

using FrameBytes = std::vector<uint8_t>;

// A TCP packet from 198.51.100.7 to 192.0.2.10, on Ethernet.
FrameBytes TcpFrame(uint16_t source_port, uint16_t destination_port = 443);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_FRAMES_H_
