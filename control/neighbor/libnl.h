// SPDX-License-Identifier: Apache-2.0
//
// What all who speak netlink by libnl need.
#ifndef EVENKEEL_CONTROL_NEIGHBOR_LIBNL_H_
#define EVENKEEL_CONTROL_NEIGHBOR_LIBNL_H_

#include <netlink/errno.h>
#include <netlink/msg.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::neighbor {

// `err`: libnl's, below 0. `what`: what was tried.
inline absl::Status NetlinkError(int err, absl::string_view what) {
  const std::string message = absl::StrCat(what, ": ", nl_geterror(err));
  if (err == -NLE_PERM) {
    return absl::PermissionDeniedError(absl::StrCat(message, "; CAP_NET_ADMIN is needed"));
  }
  return absl::InternalError(message);
}

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, MessageDeleter>;

}  // namespace evenkeel::neighbor

#endif  // EVENKEEL_CONTROL_NEIGHBOR_LIBNL_H_
