// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/xml.h"

#include "control/cli/utf8.h"

namespace evenkeel::cli {
namespace {

constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

// XML 1.0, section 2.2.
bool IsXmlText(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = NextUtf8(text);
    const bool control = c.code < 0x20 && c.code != '\t' && c.code != '\n' && c.code != '\r';
    if (!c.valid || control || c.code == 0xfffe || c.code == 0xffff) return false;
    text.remove_prefix(c.size);
  }
  return true;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Element(XmlElement& out) {
    if (!Take("<") || !Name(out.name)) return false;
    while (Take(" ")) {
      std::string name, value;
      if (!Name(name) || !Take("=\"") || !Text("\"", value) || !Take("\"")) return false;
      if (!out.attributes.emplace(name, value).second) return false;
    }
    if (Take("/>")) return true;
    return Take(">") && Content(out);
  }

  bool AtEnd() {
    while (Take("\n")) {
    }
    return text_.empty();
  }

 private:
  bool Content(XmlElement& out) {
    while (true) {
      if (!Text("<", out.text)) return false;
      if (Take("</")) {
        std::string name;
        return Name(name) && name == out.name && Take(">");
      }
      out.children.emplace_back();
      if (!Element(out.children.back())) return false;
    }
  }

  bool Take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  bool Name(std::string& out) {
    const size_t end = text_.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
    out = text_.substr(0, end);
    text_.remove_prefix(out.size());
    return !out.empty();
  }

  // Up to `end`, references replaced.
  bool Text(std::string_view end, std::string& out) {
    static constexpr std::pair<std::string_view, char> kReferences[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    while (!text_.empty() && !text_.starts_with(end)) {
      if (text_[0] == '<') return false;
      if (text_[0] != '&') {
        out += text_[0];
        text_.remove_prefix(1);
        continue;
      }
      bool known = false;
      for (const auto& [reference, character] : kReferences) {
        if (known || !Take(reference)) continue;
        out += character;
        known = true;
      }
      if (!known) return false;
    }
    return !text_.empty();
  }

  std::string_view text_;
};

void Collect(const XmlElement& element, std::string_view wanted,
             std::vector<const XmlElement*>& out) {
  for (const XmlElement& child : element.children) {
    if (child.name == wanted) out.push_back(&child);
    Collect(child, wanted, out);
  }
}

}  // namespace

std::vector<const XmlElement*> XmlElement::All(std::string_view wanted) const {
  std::vector<const XmlElement*> out;
  Collect(*this, wanted, out);
  return out;
}

std::optional<XmlElement> ParseXml(std::string_view text) {
  if (!IsXmlText(text) || !text.starts_with(kDeclaration)) return std::nullopt;
  Parser parser(text.substr(kDeclaration.size()));
  XmlElement root;
  if (!parser.Element(root) || !parser.AtEnd()) return std::nullopt;
  return root;
}

}  // namespace evenkeel::cli
