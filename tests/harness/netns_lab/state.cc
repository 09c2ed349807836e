// SPDX-License-Identifier: Apache-2.0
#include "state.h"

#include <sstream>

namespace evenkeel::testing {
namespace {

void PutPool(std::ostream& out, const State& state, const std::string& name, bool v6) {
  const bool flat = state.layout == "flat";
  const std::string net = v6 ? (flat ? "fd77::" : "fd77:1::") : (flat ? "10.77.0." : "10.77.1.");
  out << "  - name: " << name << "\n    forwarding: " << state.forwarding << "\n    backends:\n";
  for (int i = 1; i <= state.backends; ++i) {
    out << "      - {name: b" << i << ", address: \"" << net << i + 10 << "\"";
    if (const auto extra = state.extra.find(i); extra != state.extra.end()) {
      out << ", " << extra->second;
    }
    out << "}\n";
  }
}

}  // namespace

std::string State::ToYaml() const {
  std::ostringstream out;
  out << "vips:\n"
         "  - {name: web, address: 192.0.2.10, port: 80, protocol: tcp, pool: four}\n"
         "  - {name: web6, address: \"2001:db8::10\", port: 80, protocol: tcp, pool: six}\n";
  if (forwarding != "l2") {
    out << "  - {name: web46, address: 192.0.2.10, port: 8080, protocol: tcp, pool: six}\n";
  }
  out << "pools:\n";
  PutPool(out, *this, "four", false);
  PutPool(out, *this, "six", true);
  return out.str();
}

}  // namespace evenkeel::testing
