// SPDX-License-Identifier: Apache-2.0
//
// What a request asks for, checked: whatever is wrong is told with what is valid.
#ifndef EVENKEEL_CONTROL_DASHBOARD_PARAMETERS_H_
#define EVENKEEL_CONTROL_DASHBOARD_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "control/web/server.h"

namespace evenkeel::dashboard {

class Parameters {
 public:
  // `known`: what the page takes.
  Parameters(const web::Request& request, std::initializer_list<std::string_view> known);

  // `absent` where it is not there.
  int64_t Number(const std::string& name, int64_t absent, int64_t min, int64_t max);
  std::string Text(const std::string& name, size_t max_bytes);
  // Separated by commas; empty ones are left out.
  std::vector<std::string> List(const std::string& name, size_t max_entries);
  bool Has(const std::string& name) const { return request_.query.contains(name); }
  void Refuse(const std::string& problem);

  // The first that was wrong.
  const absl::Status& status() const { return status_; }

 private:
  const web::Request& request_;
  absl::Status status_;
};

}  // namespace evenkeel::dashboard

#endif  // EVENKEEL_CONTROL_DASHBOARD_PARAMETERS_H_
