// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "control/daemon/daemon.h"
#include "control/daemon/flags.h"
#include "control/daemon/logging.h"

namespace {

// By default each of the many threads has an arena of its own, and keeps there what the largest
// answer that it ever gave took: with 1,000 pools half a gigabyte. Nothing here is so fast that it
// would notice having to share two.
void BoundTheHeap() {
  constexpr int kArenas = 2, kOwnMapping = 1 << 20;  // bytes; given back when it is freed
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMapping);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace evenkeel::daemon;
  BoundTheHeap();
  const Parsed parsed = ParseFlags(argc, argv);
  if (!parsed.settings.has_value()) return parsed.exit_code;
  SetUpLogging(parsed.settings->log_level, parsed.settings->log_format);
  const int code = Run(*parsed.settings);
  // Not exit(): gRPC's threads may be there still, and use what it would destroy.
  spdlog::default_logger()->flush();
  ::_exit(code);
}
