// SPDX-License-Identifier: Apache-2.0
#include "control/nic/nic.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace evenkeel::nic {
namespace {

// Of no driver known; what claims more is not believed.
constexpr uint32_t kMaxIndirection = 1u << 16;

// The text of a field of fixed size, which need not end.
template <size_t kSize>
std::string Text(const char (&field)[kSize]) {
  return {field, strnlen(field, kSize)};
}

std::vector<uint32_t> ReadIndirection(const std::string& interface, const Ethtool& ask) {
  ethtool_rxfh_indir size{};
  size.cmd = ETHTOOL_GRXFHINDIR;
  if (ask(interface, &size) != 0 || size.size == 0 || size.size > kMaxIndirection) return {};
  // The header is two words, and the table follows it.
  constexpr size_t kHeader = sizeof(ethtool_rxfh_indir) / sizeof(uint32_t);
  std::vector<uint32_t> buffer(kHeader + size.size);
  buffer[0] = ETHTOOL_GRXFHINDIR;
  buffer[1] = size.size;
  if (ask(interface, buffer.data()) != 0) return {};
  return {buffer.begin() + kHeader, buffer.end()};
}

std::optional<bool> HashesPorts(const std::string& interface, const Ethtool& ask, uint32_t flow) {
  ethtool_rxnfc fields{};
  fields.cmd = ETHTOOL_GRXFH;
  fields.flow_type = flow;
  if (ask(interface, &fields) != 0) return std::nullopt;
  // No field at all is what drivers say that do not hash this kind of packet, or do not know.
  if (fields.data == 0) return std::nullopt;
  constexpr uint64_t kPorts = RXH_L4_B_0_1 | RXH_L4_B_2_3;
  return (fields.data & kPorts) == kPorts;
}

}  // namespace

int AskKernel(const std::string& interface, void* command) {
  if (interface.empty() || interface.size() >= IFNAMSIZ) return -ENODEV;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = static_cast<char*>(command);
  const int result = ::ioctl(fd, SIOCETHTOOL, &request) == 0 ? 0 : -errno;
  ::close(fd);
  return result;
}

Facts Read(const std::string& interface, const Ethtool& ask) {
  Facts facts;
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  if (ask(interface, &driver) == 0) {
    facts.driver = Text(driver.driver);
    facts.version = Text(driver.version);
  }
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (ask(interface, &channels) == 0) {
    facts.channels = channels.rx_count + channels.combined_count;
    facts.max_channels = std::max({channels.max_rx, channels.max_combined, facts.channels});
  }
  facts.indirection = ReadIndirection(interface, ask);
  facts.udp4_ports = HashesPorts(interface, ask, UDP_V4_FLOW);
  facts.udp6_ports = HashesPorts(interface, ask, UDP_V6_FLOW);
  return facts;
}

}  // namespace evenkeel::nic
