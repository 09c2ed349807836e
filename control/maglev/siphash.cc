// SPDX-License-Identifier: Apache-2.0
#include "control/maglev/siphash.h"

#include <bit>

namespace evenkeel::maglev {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void Absorb(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }

  uint64_t Finish() {
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

// Up to 8 bytes, little-endian.
template <typename Bytes>
uint64_t LoadLittleEndian(const Bytes& bytes, size_t begin, size_t count) {
  uint64_t word = 0;
  for (size_t i = 0; i < count; ++i) {
    word |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[begin + i])) << (8 * i);
  }
  return word;
}

}  // namespace

uint64_t SipHash24(const std::array<uint8_t, 16>& key, std::string_view message) {
  const uint64_t k0 = LoadLittleEndian(key, 0, 8);
  const uint64_t k1 = LoadLittleEndian(key, 8, 8);
  // "somepseudorandomlygeneratedbytes", the paper's initial state.
  State state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
              k1 ^ 0x7465646279746573};
  const size_t whole = message.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) state.Absorb(LoadLittleEndian(message, i, 8));
  const uint64_t tail = LoadLittleEndian(message, whole, message.size() - whole);
  state.Absorb(tail | static_cast<uint64_t>(message.size()) << 56);
  return state.Finish();
}

}  // namespace evenkeel::maglev
