// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_VALIDATE_HEALTH_H_
#define EVENKEEL_CONTROL_MODEL_VALIDATE_HEALTH_H_

#include <string_view>
#include <vector>

#include "control/model/config.h"
#include "control/model/diagnostic.h"

namespace evenkeel::model {

// The form of a health check: values in range, and only those that its type has. `path` is the
// check's own: "pools[0].health_check".
void CheckHealthCheck(const HealthCheck& check, std::string_view path,
                      std::vector<Diagnostic>& diagnostics);

// A host as in a Host header, without its port: "shop.example.com", "10.0.0.1", "[fd00::1]".
std::string_view HostWithoutPort(std::string_view host);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_VALIDATE_HEALTH_H_
