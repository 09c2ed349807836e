// SPDX-License-Identifier: Apache-2.0
#include "control/cli/host_facts.h"

#include <fstream>
#include <sstream>

namespace evenkeel::cli {

std::filesystem::path HostFacts::Path(const std::string& path) const {
  return std::filesystem::path(root) / path;
}

bool HostFacts::Exists(const std::string& path) const {
  std::error_code error;
  return std::filesystem::exists(Path(path), error);
}

std::optional<std::string> HostFacts::Read(const std::string& path) const {
  std::ifstream file(Path(path));
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  std::string result = text.str();
  while (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

}  // namespace evenkeel::cli
