// SPDX-License-Identifier: Apache-2.0
#include "control/model/config_file.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "control/model/bounded_file.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

constexpr char kTooLarge[] = "is it a configuration, or a list of prefixes? split it if it is";

}  // namespace

ListReader ListsBeside(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return
      [directory = std::move(directory)](const std::string& name) -> absl::StatusOr<std::string> {
        if (name.empty()) return absl::InvalidArgumentError("is empty; write the name of a file");
        const std::string file = name[0] == '/' ? name : directory + name;
        return ReadBounded(file, kMaxConfigBytes, kTooLarge);
      };
}

absl::StatusOr<std::string> ReadConfigText(const std::string& path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("no file name; write one, or - for standard input");
  }
  absl::StatusOr<std::string> text =
      ReadBounded(path, kMaxConfigBytes, kTooLarge, /*standard_input=*/true);
  if (text.ok() && text->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path == "-" ? "standard input" : path,
                     ": is empty; a configuration has vips and pools, and absent does not mean "
                     "delete"));
  }
  return text;
}

}  // namespace evenkeel::model
