// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_
#define EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace evenkeel::model {

// A place in a configuration file. Line and column count from 1; 0 = unknown.
struct SourceLocation {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;

  // "file:line:column", without the parts that are unknown.
  std::string ToString() const;
};

// One thing wrong with the input. `field` is a path as in google.rpc.BadRequest:
// "pools[0].backends[2].weight".
struct Diagnostic {
  SourceLocation location;
  std::string field;
  std::string message;  // what is wrong and what to write instead

  std::string ToString() const;
};

// Where each field of a parsed configuration stands, by field path ("pools[0]", "vips[1].port").
class SourceMap {
 public:
  void Add(std::string field, SourceLocation location);
  // Elements of `list` from `first` on stand in these lines of `file`: "list[first]" and on. For
  // lists that are too long to name each element.
  void AddLines(const std::string& list, size_t first, std::string file,
                std::vector<uint32_t> lines);
  // The location of `field`, or of the nearest enclosing element that has one.
  SourceLocation Find(std::string_view field) const;

 private:
  struct Lines {
    size_t first = 0;
    std::string file;
    std::vector<uint32_t> lines;
  };
  std::optional<SourceLocation> FindLine(std::string_view element) const;

  std::map<std::string, SourceLocation, std::less<>> locations_;
  std::map<std::string, std::vector<Lines>, std::less<>> lines_;
};

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_
