// SPDX-License-Identifier: Apache-2.0
#include "control/model/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/text.h"
#include "control/model/utf8.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

// The schema is seven levels deep and a configuration of 1,000 pools of 100 backends has about
// 1.5 million nodes.
constexpr size_t kMaxDepth = 16;
constexpr size_t kMaxNodes = 4'000'000;

// Ends the parse: what follows cannot be trusted to be cheap.
struct Stop {};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  std::optional<YamlNode> Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Fail(mark, "starts a second document; a configuration is one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Open(mark, anchor, YamlNode::Kind::kNull);
    Close();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Fail(mark, "is an alias (*name); write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    YamlNode& node = Open(mark, anchor, YamlNode::Kind::kScalar);
    node.scalar = value;
    node.plain = tag == "?";
    Close();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    CheckTag(mark, tag);
    Open(mark, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  [[noreturn]] void Fail(const YAML::Mark& mark, std::string message) {
    diagnostics_.push_back({At(mark), "", std::move(message)});
    throw Stop{};
  }

  static SourceLocation At(const YAML::Mark& mark) {
    return {"", static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    // "?" is a node without a tag, "!" a quoted scalar.
    if (tag.empty() || tag == "?" || tag == "!") return;
    Fail(mark, absl::StrCat("has the tag ", Quoted(tag), "; write the value without a tag"));
  }

  YamlNode& Open(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (anchor != 0) Fail(mark, "has an anchor (&name); write the value out where it is used");
    if (open_.size() >= kMaxDepth) {
      Fail(mark, absl::StrCat("is nested deeper than ", kMaxDepth, " levels"));
    }
    if (++nodes_ > kMaxNodes) {
      Fail(mark, absl::StrCat("is beyond the limit of ", kMaxNodes, " values"));
    }
    YamlNode& node = open_.emplace_back();
    node.kind = kind;
    node.line = At(mark).line;
    node.column = At(mark).column;
    return node;
  }

  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().children.push_back(std::move(node));
    }
  }

  std::vector<Diagnostic>& diagnostics_;
  std::vector<YamlNode> open_;
  std::optional<YamlNode> root_;
  size_t documents_ = 0;
  size_t nodes_ = 0;
};

SourceLocation LocationOf(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  return {"", line, static_cast<uint32_t>(offset - line_start + 1)};
}

// Offset of the first control character that YAML does not allow. NUL among them: the parser
// would take such text for UTF-16.
std::optional<size_t> FindControl(std::string_view text) {
  const auto it = std::find_if(text.begin(), text.end(), [](unsigned char c) {
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  });
  if (it == text.end()) return std::nullopt;
  return static_cast<size_t>(it - text.begin());
}

bool CheckBytes(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  if (text.size() > kMaxConfigBytes) {
    diagnostics.push_back(
        {{}, "", absl::StrFormat("has %d bytes; at most %d", text.size(), kMaxConfigBytes)});
    return false;
  }
  if (const auto offset = FindInvalidUtf8(text)) {
    diagnostics.push_back({LocationOf(text, *offset), "",
                           absl::StrFormat("is not UTF-8: byte 0x%02x at offset %d; save the file "
                                           "as UTF-8",
                                           static_cast<uint8_t>(text[*offset]), *offset)});
    return false;
  }
  if (const auto offset = FindControl(text)) {
    diagnostics.push_back(
        {LocationOf(text, *offset), "",
         absl::StrFormat("has the control character 0x%02x at offset %d; remove it (UTF-16 has "
                         "them: save the file as UTF-8)",
                         static_cast<uint8_t>(text[*offset]), *offset)});
    return false;
  }
  return true;
}

}  // namespace

std::optional<YamlNode> ParseYamlTree(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  if (!CheckBytes(text, diagnostics)) return std::nullopt;
  TreeBuilder builder(diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    diagnostics.push_back(
        {{"", static_cast<uint32_t>(e.mark.line + 1), static_cast<uint32_t>(e.mark.column + 1)},
         "",
         absl::StrCat("is not valid YAML: ", e.msg)});
    return std::nullopt;
  } catch (const std::exception& e) {
    diagnostics.push_back({{}, "", absl::StrCat("cannot be read as YAML: ", e.what())});
    return std::nullopt;
  }
  return builder.Take();
}

}  // namespace evenkeel::model
