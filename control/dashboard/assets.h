// SPDX-License-Identifier: Apache-2.0
//
// The files of control/dashboard/assets, which the build puts into the binary.
#ifndef EVENKEEL_CONTROL_DASHBOARD_ASSETS_H_
#define EVENKEEL_CONTROL_DASHBOARD_ASSETS_H_

#include <string_view>
#include <vector>

namespace evenkeel::dashboard {

struct Asset {
  std::string_view path;  // "/app.js"; the page itself is "/"
  std::string_view type;  // of its content
  std::string_view body;
};
const std::vector<Asset>& Assets();

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_ASSETS_H_
