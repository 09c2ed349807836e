// SPDX-License-Identifier: Apache-2.0
#include "control/nic/interface.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace evenkeel::nic {

std::optional<Interface> ReadInterface(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  ifreq mtu{}, address{};
  name.copy(mtu.ifr_name, IFNAMSIZ - 1);
  name.copy(address.ifr_name, IFNAMSIZ - 1);
  const bool found =
      ::ioctl(fd, SIOCGIFMTU, &mtu) == 0 && ::ioctl(fd, SIOCGIFHWADDR, &address) == 0;
  ::close(fd);
  if (!found) return std::nullopt;
  std::array<unsigned, 6> b{};
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<uint8_t>(address.ifr_hwaddr.sa_data[i]);
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
                b[4], b[5]);
  return Interface{.mtu = static_cast<uint32_t>(mtu.ifr_mtu), .address = text.data()};
}

}  // namespace evenkeel::nic
