// SPDX-License-Identifier: Apache-2.0
//
// packet_corpus DIR: writes the fuzzer's first inputs, one well-formed frame of each kind.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/harness/packet/mutate.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: packet_corpus DIR\n", stderr);
    return 1;
  }
  const std::filesystem::path dir = argv[1];
  std::filesystem::create_directories(dir);
  int number = 0;
  for (const evenkeel::testing::Packet& packet : evenkeel::testing::SeedPackets()) {
    const evenkeel::testing::Bytes frame = Build(packet);
    std::ofstream file(dir / ("seed-" + std::to_string(number++)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(frame.data()), static_cast<long>(frame.size()));
    if (!file) {
      std::fprintf(stderr, "cannot write into %s\n", dir.c_str());
      return 1;
    }
  }
  return 0;
}
