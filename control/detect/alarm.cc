// SPDX-License-Identifier: Apache-2.0
#include "control/detect/alarm.h"

namespace evenkeel::detect {

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kConcentration:
      return "concentration";
    case Kind::kTable:
      return "table";
    case Kind::kKernel:
      return "kernel";
    case Kind::kFlows:
      return "flows";
    case Kind::kStarved:
      return "starved";
    case Kind::kLoad:
      return "load";
    case Kind::kBackend:
      return "backend";
    case Kind::kUpstream:
      return "upstream";
  }
  return "";
}

std::string_view ToString(Diagnosis diagnosis) {
  switch (diagnosis) {
    case Diagnosis::kWeights:
      return "weights";
    case Diagnosis::kBuilder:
      return "builder";
    case Diagnosis::kMaps:
      return "maps";
    case Diagnosis::kFewSources:
      return "few-sources";
    case Diagnosis::kUpstream:
      return "upstream";
    case Diagnosis::kElephant:
      return "elephant";
    case Diagnosis::kBackend:
      return "backend";
    case Diagnosis::kDataPath:
      return "data-path";
    case Diagnosis::kUnexplained:
      return "unexplained";
  }
  return "";
}

std::string_view ToString(Severity severity) {
  return severity == Severity::kPage ? "page" : "ticket";
}

bool IsBalancer(Diagnosis diagnosis) {
  switch (diagnosis) {
    case Diagnosis::kWeights:
    case Diagnosis::kBuilder:
    case Diagnosis::kMaps:
    case Diagnosis::kDataPath:
    case Diagnosis::kUnexplained:
      return true;
    default:
      return false;
  }
}

}  // namespace evenkeel::detect
