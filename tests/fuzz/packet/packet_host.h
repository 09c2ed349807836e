// SPDX-License-Identifier: Apache-2.0
//
// The packet code of bpf/lib as the host compiles it.
#ifndef EVENKEEL_TESTS_FUZZ_PACKET_PACKET_HOST_H_
#define EVENKEEL_TESTS_FUZZ_PACKET_PACKET_HOST_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "bpf/lib/parse.h"
#include "bpf/lib/quic.h"
#include "bpf/lib/quoted.h"

namespace evenkeel::testing {

struct HostParse {
  ek_verdict verdict = EK_PASS_NOT_IP;
  ek_packet packet{};
};

// What the programs do before they look at any map. `frame` is one linear buffer.
inline HostParse ParseOnHost(uint8_t* frame, size_t length) {
  HostParse parse;
  for (const bool with_tags : {false, true}) {  // the fast path, then the other
    ek_cursor cursor{frame, frame + length};
    parse.packet = {};
    parse.verdict = ek_parse(&cursor, &parse.packet, with_tags);
    if (parse.verdict == EK_FORWARD) break;
  }
  if (parse.verdict == EK_FORWARD &&
      !ek_frame_holds(&parse.packet, static_cast<uint32_t>(length))) {
    parse.verdict = EK_DROP_L3_LENGTH;
  }
  return parse;
}

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_FUZZ_PACKET_PACKET_HOST_H_
