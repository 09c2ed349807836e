// SPDX-License-Identifier: Apache-2.0
#include "control/model/yaml_fields.h"

namespace evenkeel::model {

void YamlFields::Error(const YamlNode& node, const std::string& path, std::string message) {
  out_.diagnostics.push_back(
      {{std::string(file_), node.line, node.column}, path, std::move(message)});
}

void YamlFields::Remember(const YamlNode& node, const std::string& path) {
  out_.sources.Add(path, {std::string(file_), node.line, node.column});
}

void YamlFields::SetAddress(const YamlNode& node, const std::string& path, IpAddress& out) {
  const absl::StatusOr<std::string> text = ReadText(node);
  if (!text.ok()) return Error(node, path, "is not an address; write one such as 10.0.0.1");
  Set(node, path, IpAddress::Parse(*text), out);
}

std::string YamlFields::Printable(const std::string& field) {
  const std::string quoted = Quoted(field, 160);
  return quoted.substr(1, quoted.size() - 2);
}

std::string YamlFields::Listed(const Keys& keys) {
  std::string text;
  for (std::string_view key : keys) absl::StrAppend(&text, text.empty() ? "" : ", ", Av(key));
  return text;
}

std::string YamlFields::MissingText(std::string_view key) {
  if (key == "vips" || key == "pools" || key == "backends") {
    return "is missing; absent does not mean delete: write [] if it is meant to be empty";
  }
  if (key == "port") return "is missing; write 0 for every port";
  return "is missing";
}

}  // namespace evenkeel::model
