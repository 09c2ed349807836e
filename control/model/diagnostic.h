// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_
#define EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_

#include <cstdint>
#include <map>
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
  // The location of `field`, or of the nearest enclosing element that has one.
  SourceLocation Find(std::string_view field) const;

 private:
  std::map<std::string, SourceLocation, std::less<>> locations_;
};

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_DIAGNOSTIC_H_
