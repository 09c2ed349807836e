// SPDX-License-Identifier: Apache-2.0
//
// What readers of the schema's messages share: maps, lists and scalars of the tree, each fault with
// its place and path. One reader for each file that knows messages derives from it.
#ifndef EVENKEEL_CONTROL_MODEL_YAML_FIELDS_H_
#define EVENKEEL_CONTROL_MODEL_YAML_FIELDS_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "control/model/nearest.h"
#include "control/model/text.h"
#include "control/model/yaml.h"
#include "control/model/yaml_scalar.h"
#include "control/model/yaml_tree.h"

namespace evenkeel::model {

using Keys = std::vector<std::string_view>;

class YamlFields {
 public:
  YamlFields(std::string_view file, const ListReader& read_list, ParseResult& out)
      : file_(file), read_list_(read_list), out_(out) {}

 protected:
  void Error(const YamlNode& node, const std::string& path, std::string message);
  void Remember(const YamlNode& node, const std::string& path);

  template <typename V, typename T>
  void Set(const YamlNode& node, const std::string& path, const absl::StatusOr<V>& value, T& out) {
    if (!value.ok()) return Error(node, path, std::string(value.status().message()));
    if constexpr (std::is_arithmetic_v<T>) {
      out = static_cast<T>(*value);  // the reader of the scalar checked the range
    } else {
      out = *value;
    }
  }

  void SetAddress(const YamlNode& node, const std::string& path, IpAddress& out);

  template <typename E>
  void SetEnum(const YamlNode& node, const std::string& path,
               std::optional<E> (*parse)(std::string_view), const Keys& valid, E& out) {
    std::optional<E> value;
    if (node.kind == YamlNode::Kind::kScalar) value = parse(node.scalar);
    if (value) {
      out = *value;
      return;
    }
    const bool scalar = node.kind == YamlNode::Kind::kScalar;
    Error(node, path,
          absl::StrCat("is ", scalar ? Quoted(node.scalar) : std::string(DescribeKind(node)),
                       DidYouMean(scalar ? node.scalar : "", valid)));
  }

  template <typename Self, typename T>
  void ReadList(const YamlNode& node, const std::string& path, std::vector<T>& out,
                void (Self::*read)(const YamlNode&, const std::string&, T&)) {
    if (node.kind != YamlNode::Kind::kSequence) {
      return Error(node, path,
                   absl::StrCat("is ", Av(DescribeKind(node)),
                                "; write a list, [] if it is meant to be empty"));
    }
    out.reserve(node.children.size());
    for (size_t i = 0; i < node.children.size(); ++i) {
      const std::string element = absl::StrCat(path, "[", i, "]");
      Remember(node.children[i], element);
      (static_cast<Self*>(this)->*read)(node.children[i], element, out.emplace_back());
    }
  }

  // Calls `visit` with each key that is valid (all, without `valid`) and occurs for the first time.
  template <typename Visit>
  void ReadMap(const YamlNode& node, const std::string& path, const std::optional<Keys>& valid,
               const Keys& required, Visit visit) {
    if (node.kind != YamlNode::Kind::kMap) {
      return Error(node, path,
                   absl::StrCat("is ", Av(DescribeKind(node)), "; write a map",
                                valid ? absl::StrCat(" with ", Listed(*valid)) : ""));
    }
    std::map<std::string_view, const YamlNode*> seen;
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      const YamlNode& key = node.children[i];
      const YamlNode& value = node.children[i + 1];
      if (key.kind != YamlNode::Kind::kScalar) {
        Error(key, path, absl::StrCat("has a key that is ", Av(DescribeKind(key)), "; write text"));
        continue;
      }
      const std::string field = path.empty() ? key.scalar : absl::StrCat(path, ".", key.scalar);
      if (auto [it, fresh] = seen.emplace(key.scalar, &key); !fresh) {
        Error(key, Printable(field),
              absl::StrCat("is written twice, first in line ", it->second->line, "; remove one"));
        continue;
      }
      if (valid && std::find(valid->begin(), valid->end(), key.scalar) == valid->end()) {
        Error(key, Printable(field), "is not a key here" + DidYouMean(key.scalar, *valid));
        continue;
      }
      Remember(value, field);
      visit(std::string_view(key.scalar), value, field);
    }
    for (std::string_view key : required) {
      if (seen.contains(key)) continue;
      Error(node, path.empty() ? std::string(key) : absl::StrCat(path, ".", Av(key)),
            MissingText(key));
    }
  }

  // A key is input: it may be long and hold line breaks.
  static std::string Printable(const std::string& field);
  static std::string Listed(const Keys& keys);
  static std::string MissingText(std::string_view key);

  std::string_view file_;
  const ListReader& read_list_;
  ParseResult& out_;
};

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_YAML_FIELDS_H_
