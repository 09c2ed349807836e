// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/packet/reference_hash.h"

#include <bit>

namespace evenkeel::testing {
namespace {

struct State {
  uint64_t a, b, c, d;

  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  }
};

}  // namespace

uint64_t SipHash(int compression_rounds, int final_rounds, const HashKey& key,
                 std::span<const uint8_t> message) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  Bytes padded(message.begin(), message.end());
  padded.resize((message.size() / 8 + 1) * 8);
  padded.back() = static_cast<uint8_t>(message.size());
  for (size_t at = 0; at < padded.size(); at += 8) {
    uint64_t word = 0;
    for (size_t i = 8; i-- > 0;) word = word << 8 | padded[at + i];
    state.d ^= word;
    state.Rounds(compression_rounds);
    state.a ^= word;
  }
  state.c ^= 0xff;
  state.Rounds(final_rounds);
  return state.a ^ state.b ^ state.c ^ state.d;
}

uint64_t FlowHash(const HashKey& key, const Packet& packet) {
  Bytes message = AddressBytes(packet.src);
  Append(message, AddressBytes(packet.dst));
  Bytes ports(5);
  Put16(ports, 0, packet.sport);
  Put16(ports, 2, packet.dport);
  ports[4] = packet.proto;
  Append(message, ports);
  return SipHash(1, 3, key, message);
}

uint64_t SourceHash(const HashKey& key, const Packet& packet, unsigned prefix) {
  Bytes message = AddressBytes(packet.src);
  for (size_t bit = prefix; bit < 8 * message.size(); ++bit) {
    message[bit / 8] = static_cast<uint8_t>(message[bit / 8] & ~(0x80 >> bit % 8));
  }
  message.resize(2 * message.size() + 5);
  return SipHash(1, 3, key, message);
}

uint64_t PortHash(const HashKey& key, const Packet& packet) {
  Bytes message(13);
  Put16(message, 10, packet.dport);
  message[12] = packet.proto;
  return SipHash(1, 3, key, message);
}

uint64_t JoinedHash(uint64_t flow, uint64_t part) {
  return (flow >> 32 << 32) | (part & 0xffffffff);
}

}  // namespace evenkeel::testing
