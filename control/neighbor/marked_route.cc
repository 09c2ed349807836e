// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/marked_route.h"

#include <linux/fib_rules.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "absl/strings/str_cat.h"
#include "control/neighbor/libnl.h"

namespace evenkeel::neighbor {
namespace {

constexpr uint32_t kMetric = 1;
constexpr uint32_t kLastMetric = 0xffffffff;
constexpr timeval kAnswerTimeout{.tv_sec = 5, .tv_usec = 0};
constexpr uint8_t kFamilies[] = {AF_INET, AF_INET6};
constexpr const char* kProgramName = "ek_probe";

bool PutProgram(nl_msg* message, const MarkedRouteOptions& options, int program_fd) {
  nlattr* const encap = nla_nest_start(message, RTA_ENCAP);
  nlattr* const xmit = encap == nullptr ? nullptr : nla_nest_start(message, LWT_BPF_XMIT);
  if (xmit == nullptr || nla_put_u32(message, LWT_BPF_PROG_FD, static_cast<uint32_t>(program_fd)) ||
      nla_put_string(message, LWT_BPF_PROG_NAME, kProgramName)) {
    return false;
  }
  nla_nest_end(message, xmit);
  if (nla_put_u32(message, LWT_BPF_XMIT_HEADROOM, options.headroom)) return false;
  nla_nest_end(message, encap);
  return nla_put_u16(message, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_BPF) == 0;
}

// Locked: no ICMP of the network makes it larger or smaller.
bool PutMtu(nl_msg* message, uint32_t mtu) {
  nlattr* const metrics = nla_nest_start(message, RTA_METRICS);
  if (metrics == nullptr || nla_put_u32(message, RTAX_LOCK, 1u << RTAX_MTU) ||
      nla_put_u32(message, RTAX_MTU, mtu)) {
    return false;
  }
  nla_nest_end(message, metrics);
  return true;
}

bool IsNoFamily(int err) { return err == -NLE_AF_NOSUPPORT || err == -NLE_OPNOTSUPP; }

}  // namespace

void MarkedRoute::SocketDeleter::operator()(nl_sock* socket) const { nl_socket_free(socket); }

absl::StatusOr<std::unique_ptr<MarkedRoute>> MarkedRoute::Open(const MarkedRouteOptions& options) {
  Socket socket(nl_socket_alloc());
  if (socket == nullptr) return absl::ResourceExhaustedError("no memory for a netlink socket");
  if (const int err = nl_connect(socket.get(), NETLINK_ROUTE); err != 0) {
    return NetlinkError(err, "a netlink socket for routes cannot be opened");
  }
  ::setsockopt(nl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout,
               sizeof(kAnswerTimeout));
  return std::unique_ptr<MarkedRoute>(new MarkedRoute(std::move(socket), options));
}

int MarkedRoute::ChangeRule(int type, int flags, uint8_t family) {
  Message message(nlmsg_alloc_simple(type, flags));
  fib_rule_hdr header{};
  header.family = family;
  header.action = FR_ACT_TO_TBL;
  if (message == nullptr ||
      nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put_u32(message.get(), FRA_PRIORITY, options_.priority) != 0 ||
      nla_put_u32(message.get(), FRA_FWMARK, options_.mark) != 0 ||
      nla_put_u32(message.get(), FRA_FWMASK, options_.mask) != 0 ||
      nla_put_u32(message.get(), FRA_TABLE, options_.table) != 0 ||
      nla_put_u8(message.get(), FRA_PROTOCOL, options_.protocol) != 0) {
    return -NLE_NOMEM;
  }
  return nl_send_sync(socket_.get(), message.release());  // which frees it
}

int MarkedRoute::ChangeBackstop(int type, int flags, uint8_t family) {
  Message message(nlmsg_alloc_simple(type, flags));
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_type = RTN_UNREACHABLE;
  header.rtm_protocol = options_.protocol;
  if (message == nullptr ||
      nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put_u32(message.get(), RTA_TABLE, options_.table) != 0 ||
      nla_put_u32(message.get(), RTA_PRIORITY, kLastMetric) != 0) {
    return -NLE_NOMEM;
  }
  return nl_send_sync(socket_.get(), message.release());  // which frees it
}

int MarkedRoute::ChangeRoute(int type, int flags, uint8_t family, int program_fd,
                             uint32_t ifindex) {
  Message message(nlmsg_alloc_simple(type, flags));
  rtmsg header{};
  header.rtm_family = family;
  header.rtm_type = RTN_UNICAST;
  header.rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_protocol = options_.protocol;
  if (message == nullptr ||
      nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put_u32(message.get(), RTA_TABLE, options_.table) != 0 ||
      nla_put_u32(message.get(), RTA_PRIORITY, kMetric) != 0) {
    return -NLE_NOMEM;
  }
  const bool whole = ifindex != 0;
  if (whole &&
      (nla_put_u32(message.get(), RTA_OIF, ifindex) != 0 || !PutMtu(message.get(), options_.mtu) ||
       !PutProgram(message.get(), options_, program_fd))) {
    return -NLE_NOMEM;
  }
  return nl_send_sync(socket_.get(), message.release());
}

absl::Status MarkedRoute::Ensure(int program_fd, uint32_t ifindex) {
  const std::string routes = absl::StrCat("the routes of probes cannot be made in table ",
                                          options_.table, "; the kernel needs CONFIG_LWTUNNEL_BPF");
  const bool same = program_fd == program_fd_ && ifindex == ifindex_;
  const int flags = NLM_F_CREATE | (same ? NLM_F_EXCL : NLM_F_REPLACE);
  const auto failed = [](int err) { return err < 0 && err != -NLE_EXIST; };
  for (const uint8_t family : kFamilies) {
    int err = ChangeBackstop(RTM_NEWROUTE, flags, family);
    if (family == AF_INET6 && IsNoFamily(err)) continue;
    if (failed(err)) return NetlinkError(err, routes);
    if (ifindex != 0) err = ChangeRoute(RTM_NEWROUTE, flags, family, program_fd, ifindex);
    if (failed(err)) return NetlinkError(err, routes);
    err = ChangeRule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family);
    if (failed(err)) {
      return NetlinkError(
          err, absl::StrCat("the rule of probes cannot be made with priority ", options_.priority));
    }
  }
  program_fd_ = program_fd;
  ifindex_ = ifindex;
  return absl::OkStatus();
}

absl::Status MarkedRoute::Remove() {
  for (const uint8_t family : kFamilies) {
    // The rule first: packets that it finds must not meet an empty table, which others follow.
    for (const int err :
         {ChangeRule(RTM_DELRULE, 0, family), ChangeRoute(RTM_DELROUTE, 0, family, -1, 0),
          ChangeBackstop(RTM_DELROUTE, 0, family)}) {
      if (err >= 0 || err == -NLE_OBJ_NOTFOUND || IsNoFamily(err)) continue;
      return NetlinkError(err, "rule and routes of probes cannot be removed");
    }
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::neighbor
