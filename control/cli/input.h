// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_CLI_INPUT_H_
#define EVENKEEL_CONTROL_CLI_INPUT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/engine/engine.h"
#include "control/guard/guard.h"
#include "control/maglev/maglev.h"
#include "control/model/config.h"
#include "control/model/diagnostic.h"
#include "control/model/yaml.h"

namespace evenkeel::cli {

// A configuration file as read. What is wrong with it, down to the file that is not there, is in
// `errors`; then `config` is of no use.
struct ConfigFile {
  std::string path;
  model::Config config;
  model::SourceMap sources;
  std::vector<model::Diagnostic> errors;

  bool ok() const { return errors.empty(); }
};
ConfigFile ReadConfigFile(const std::string& path);

// What to send to the daemon: the whole file, or only the pool named `pool` (if not empty).
// NotFound: the file has no such pool.
absl::StatusOr<engine::Change> MakeChange(const ConfigFile& file, const std::string& pool);

// Where in the file the object of a violation stands. Fields of a verdict count pools as the judged
// state does; where that is not the file's own order (one pool sent alone), the pool's name
// decides. Unknown (line 0) if the file does not have the object.
model::SourceLocation Locate(const ConfigFile& file, const guard::Violation& violation);
// The same for what the daemon found invalid. `pool` as in MakeChange.
model::SourceLocation Locate(const ConfigFile& file, const model::Diagnostic& diagnostic,
                             const std::string& pool);

// The fleet's hash key from a file: 16 bytes, or 32 hexadecimal digits. Errors name the path.
absl::StatusOr<maglev::HashKey> ReadHashKey(const std::string& path);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_INPUT_H_
