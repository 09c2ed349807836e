// SPDX-License-Identifier: Apache-2.0
//
// The parser of configurations, with whatever bytes. It must not crash, must say where each fault
// is, and what it accepts must survive the round trip through the canonical text.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "control/model/yaml.h"

namespace {

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using evenkeel::model::ParseResult;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParseResult result = evenkeel::model::ParseYaml(text, "fuzz");
  for (const auto& diagnostic : result.diagnostics) {
    Check(!diagnostic.message.empty(), "every diagnostic has a message");
    Check(diagnostic.location.file == "fuzz", "every diagnostic names the file");
  }
  if (!result.ok()) return 0;
  Check(evenkeel::model::Validate(result.config).empty(), "what was accepted is valid");
  const std::string canonical = evenkeel::model::ToYaml(result.config);
  const ParseResult again = evenkeel::model::ParseYaml(canonical, "canonical");
  Check(again.ok(), "the canonical text is accepted");
  Check(again.config == result.config, "the canonical text means the same");
  Check(evenkeel::model::ToYaml(again.config) == canonical, "the canonical text is canonical");
  return 0;
}
