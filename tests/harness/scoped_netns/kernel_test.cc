// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/scoped_netns/kernel_test.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace evenkeel::testing {

void KernelTest::SetUp() {
  const int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ek_privilege", 4, 4, 1, nullptr);
  if (map >= 0) {
    close(map);
    return;
  }
  const char* required = std::getenv("EVENKEEL_REQUIRE_KERNEL");
  ASSERT_TRUE(required == nullptr || *required == '\0')
      << "cannot create a BPF map (" << strerror(-map) << "): run as root";
  GTEST_SKIP() << "cannot create a BPF map (" << strerror(-map) << "): run as root";
}

}  // namespace evenkeel::testing
