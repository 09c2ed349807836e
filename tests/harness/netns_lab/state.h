// SPDX-License-Identifier: Apache-2.0
//
// Configurations for the lab's addresses, as YAML.
#ifndef EVENKEEL_TESTS_HARNESS_NETNS_LAB_STATE_H_
#define EVENKEEL_TESTS_HARNESS_NETNS_LAB_STATE_H_

#include <map>
#include <string>

namespace evenkeel::testing {

// Services for every kind of encapsulation:
//   web    192.0.2.10:80       to the IPv4 addresses of the backends (4in4)
//   web6   [2001:db8::10]:80   to their IPv6 addresses (6in6)
//   web46  192.0.2.10:8080     to their IPv6 addresses (4in6); not with l2, which keeps the packet
struct State {
  std::string forwarding = "ipip";
  std::string layout = "flat";
  int backends = 4;
  // What else a backend's entry says, by its number: "weight: 250" or "state: draining".
  std::map<int, std::string> extra;

  std::string ToYaml() const;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_HARNESS_NETNS_LAB_STATE_H_
