// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_PUBLISH_GENERATION_RECORD_H_
#define EVENKEEL_CONTROL_PUBLISH_GENERATION_RECORD_H_

#include <memory>
#include <vector>

#include "control/publish/ledger.h"

namespace evenkeel::publish {

// A generation in the kernel and the tables that it refers to.
struct GenerationRecord {
  uint32_t index = 0;
  uint64_t revision = 0;
  guard::Digest digest;
  std::shared_ptr<const guard::BuiltFleet> fleet;  // null: found in the kernel, not known to us
  std::vector<dataplane::VipImage> vips;           // by key
  std::vector<TableRef> tables;
  std::vector<guard::Digest> rules;  // sets of source rules, each once
  bool index_released = false;       // the kernel's generation is dropped, the rest not yet
};

}  // namespace evenkeel::publish

#endif  // EVENKEEL_CONTROL_PUBLISH_GENERATION_RECORD_H_
