// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/peer.h"

#include <pwd.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace evenkeel::rpc {
namespace {

constexpr std::string_view kFdPrefix = "fd:";

std::string UserName(uid_t uid) {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return "";
  }
  return found->pw_name;
}

}  // namespace

std::string DescribePeer(const std::string& peer) {
  int fd = -1;
  if (!peer.starts_with(kFdPrefix) || !absl::SimpleAtoi(peer.substr(kFdPrefix.size()), &fd)) {
    return "unknown";
  }
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      size != sizeof(credentials) || credentials.pid == 0) {
    return "unknown";
  }
  const std::string name = UserName(credentials.uid);
  return name.empty() ? absl::StrCat("uid ", credentials.uid)
                      : absl::StrCat("uid ", credentials.uid, " (", name, ")");
}

}  // namespace evenkeel::rpc
