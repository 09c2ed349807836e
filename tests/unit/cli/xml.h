// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_XML_H_
#define EVENKEEL_TESTS_UNIT_CLI_XML_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel::cli {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // of this element alone
  std::vector<XmlElement> children;

  // All below this one with that name, in the document's order.
  std::vector<const XmlElement*> All(std::string_view wanted) const;
};

// A document of XML 1.0 without DTD, comments and CDATA. nullopt: not well-formed, or with
// characters that XML cannot have.
std::optional<XmlElement> ParseXml(std::string_view text);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_XML_H_
