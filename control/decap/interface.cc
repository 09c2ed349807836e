// SPDX-License-Identifier: Apache-2.0
#include "control/decap/interface.h"

#include <ifaddrs.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace evenkeel::decap {
namespace {

constexpr char kBpffs[] = "/sys/fs/bpf";

std::optional<model::IpAddress> FromSockaddr(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    std::array<uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return model::IpAddress::FromIpv4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    std::array<uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    return model::IpAddress::FromIpv6(bytes);
  }
  return std::nullopt;
}

bool OnBpffs(const std::string& path) {
  struct statfs fs {};
  return statfs(path.c_str(), &fs) == 0 && static_cast<uint32_t>(fs.f_type) == BPF_FS_MAGIC;
}

}  // namespace

absl::StatusOr<uint32_t> FindInterface(const std::string& interface) {
  const uint32_t ifindex = if_nametoindex(interface.c_str());
  if (ifindex != 0) return ifindex;
  return absl::NotFoundError(absl::StrCat("interface ", interface,
                                          " is not in this network namespace; `ip link` lists "
                                          "those that are"));
}

absl::StatusOr<std::vector<model::IpAddress>> GlobalAddresses(const std::string& interface) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("reading the addresses of ", interface));
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  std::vector<model::IpAddress> addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const auto address = FromSockaddr(entry->ifa_addr);
    if (!address || interface != entry->ifa_name) continue;
    if (!address->IsLinkLocal() && !address->IsLoopback()) addresses.push_back(*address);
  }
  return addresses;
}

absl::Status PreparePinDir(const std::string& pin_dir) {
  if (pin_dir.starts_with(kBpffs) && !OnBpffs(kBpffs)) {
    if (mount("bpf", kBpffs, "bpf", 0, "mode=0700") != 0) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat("mounting a bpffs on ", kBpffs,
                              " (run as root, or mount it first: mount -t bpf bpf ", kBpffs, ")"));
    }
  }
  std::error_code error;
  std::filesystem::create_directories(pin_dir, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("making the pin directory ", pin_dir));
  }
  if (!OnBpffs(pin_dir)) {
    return absl::FailedPreconditionError(
        absl::StrCat("pin directory ", pin_dir, " is not on a bpffs; choose one below ", kBpffs));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> LinkPinPath(const std::string& pin_dir, uint32_t ifindex) {
  struct stat ns {};
  if (stat("/proc/self/ns/net", &ns) != 0) {
    return absl::ErrnoToStatus(errno, "reading /proc/self/ns/net (is /proc mounted?)");
  }
  return absl::StrCat(pin_dir, "/net", ns.st_ino, "-if", ifindex);
}

}  // namespace evenkeel::decap
