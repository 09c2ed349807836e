// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/xdp_interface.h"

#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/dataplane/errors.h"
#include "control/dataplane/unique_fd.h"

namespace evenkeel::dataplane {
namespace {

// A page, less the headroom and the bookkeeping behind the packet: what one buffer of most drivers
// holds. The exact figure is each driver's own.
constexpr uint32_t kOneBufferMtu = 3498;

// True: `request.data` or its flags were filled in.
bool Ask(int socket, const std::string& interface, unsigned long command, ifreq* request) {
  std::strncpy(request->ifr_name, interface.c_str(), IFNAMSIZ - 1);
  return ioctl(socket, command, request) == 0;
}

}  // namespace

absl::StatusOr<Interface> FindInterface(const std::string& name) {
  const uint32_t index = if_nametoindex(name.c_str());
  if (index != 0) return Interface{name, index};
  return KernelError(ENODEV, absl::StrCat("no interface ", name, " in this network namespace"),
                     "see `ip link` for the names");
}

absl::StatusOr<std::vector<Interface>> ListInterfaces() {
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> all(if_nameindex(),
                                                                                 if_freenameindex);
  if (all == nullptr) return KernelError(errno, "cannot list the interfaces");
  std::vector<Interface> interfaces;
  for (const struct if_nameindex* one = all.get(); one->if_index != 0; ++one) {
    interfaces.push_back({one->if_name, one->if_index});
  }
  return interfaces;
}

absl::StatusOr<std::optional<AttachedProgram>> QueryXdp(const Interface& interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  const int err = bpf_xdp_query(static_cast<int>(interface.index), 0, &query);
  if (err != 0) return KernelError(err, absl::StrCat("cannot query XDP on ", interface.name));
  // With more than one, and a card's own is the other: the driver's.
  const uint32_t id = query.prog_id != 0       ? query.prog_id
                      : query.drv_prog_id != 0 ? query.drv_prog_id
                                               : query.skb_prog_id;
  if (id == 0) return std::nullopt;
  return AttachedProgram{
      .id = id,
      .mode = query.attach_mode == XDP_ATTACHED_SKB ? XdpMode::kGeneric : XdpMode::kNative};
}

absl::string_view NameOf(XdpMode mode) { return mode == XdpMode::kGeneric ? "generic" : "native"; }

absl::Status Occupied(const Interface& interface, uint32_t program, bool shared) {
  return absl::AlreadyExistsError(absl::StrCat(
      "interface ", interface.name, " already has XDP program id ", program,
      shared ? ", which was not attached through libxdp and so cannot be shared with" : "",
      " (`bpftool prog show id ", program,
      "`); if nothing needs it, remove it with `ip link set dev ", interface.name,
      " xdp off` or stop the program that attached it",
      shared ? "; if it is to stay, attach it with `xdp-loader load`" : ""));
}

LinkFacts ReadLinkFacts(const std::string& interface) {
  LinkFacts facts;
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return facts;
  ifreq mtu{};
  if (Ask(socket.get(), interface, SIOCGIFMTU, &mtu)) facts.mtu = mtu.ifr_mtu;
  ifreq ask_driver{};
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  ask_driver.ifr_data = reinterpret_cast<char*>(&driver);
  if (Ask(socket.get(), interface, SIOCETHTOOL, &ask_driver)) facts.driver = driver.driver;
  ifreq ask_flags{};
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  ask_flags.ifr_data = reinterpret_cast<char*>(&flags);
  if (Ask(socket.get(), interface, SIOCETHTOOL, &ask_flags)) {
    facts.lro = (flags.data & ETH_FLAG_LRO) != 0;
  }
  return facts;
}

absl::Status ModeRefused(const std::string& interface, const LinkFacts& facts, XdpMode mode,
                         int err, absl::string_view words) {
  std::string what = absl::StrCat("cannot attach to ", interface, " in ", NameOf(mode), " mode");
  if (!words.empty()) absl::StrAppend(&what, " (", words, ")");
  if (mode == XdpMode::kGeneric) return KernelError(err, what);
  std::vector<std::string> causes;
  if (!facts.driver.empty()) causes.push_back(absl::StrCat("its driver is ", facts.driver));
  // Nothing about the interface helps where the driver has no XDP.
  const bool has_xdp = !absl::StrContains(words, "does not support XDP");
  if (facts.lro && has_xdp) {
    causes.push_back(absl::StrCat("LRO is on, which few drivers combine with XDP (`ethtool -K ",
                                  interface, " lro off`)"));
  }
  if (facts.mtu > kOneBufferMtu && has_xdp) {
    causes.push_back(absl::StrCat("its MTU of ", facts.mtu,
                                  " is more than a driver without multi-buffer XDP takes, about ",
                                  kOneBufferMtu));
  }
  return KernelError(err, what, absl::StrJoin(causes, ", "));
}

}  // namespace evenkeel::dataplane
