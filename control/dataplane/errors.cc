// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/errors.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace evenkeel::dataplane {
namespace {

// The kernel's internal ENOTSUPP, which some map operations return; no libc knows it.
constexpr int kKernelNotSupported = 524;

absl::string_view UsualRemedy(int err) {
  switch (err) {
    case EPERM:
    case EACCES:
      return "run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN";
    case ENOMEM:
      return "free memory, or lower the limits of the data plane";
    case E2BIG:
    case ENOSPC:
      return "a map is full: raise the limits of the data plane and create it anew";
    default:
      return {};
  }
}

}  // namespace

absl::Status KernelError(int err, absl::string_view what, absl::string_view remedy) {
  err = std::abs(err);
  if (err == kKernelNotSupported) err = EOPNOTSUPP;
  if (remedy.empty()) remedy = UsualRemedy(err);
  char buffer[128];
  std::string message = absl::StrCat(what, ": ", strerror_r(err, buffer, sizeof(buffer)));
  if (!remedy.empty()) absl::StrAppend(&message, "; ", remedy);
  return absl::Status(absl::ErrnoToStatusCode(err), message);
}

}  // namespace evenkeel::dataplane
