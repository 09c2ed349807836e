// SPDX-License-Identifier: Apache-2.0
#include "control/neighbor/netlink_session.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "absl/strings/str_cat.h"
#include "control/neighbor/libnl.h"
#include "control/neighbor/netlink_parse.h"

namespace evenkeel::neighbor {
namespace {

// An interface that goes down under 10,000 neighbours makes as many events at once.
constexpr int kEventBuffer = 4 << 20;

struct CacheDeleter {
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
};
using Cache = std::unique_ptr<nl_cache, CacheDeleter>;

int FamilyOf(const model::IpAddress& address) { return address.is_ipv4() ? AF_INET : AF_INET6; }
int LengthOf(const model::IpAddress& address) { return address.is_ipv4() ? 4 : 16; }

template <typename Function>
absl::Status ForEach(nl_cache* raw, Function function) {
  const Cache cache(raw);
  for (nl_object* object = nl_cache_get_first(raw); object; object = nl_cache_get_next(object)) {
    function(object);
  }
  return absl::OkStatus();
}

struct EventSink {
  Host* host;
  Changes* changes;
};

void ApplyLink(const EventSink& sink, int type, rtnl_link* link) {
  const auto ifindex = static_cast<uint32_t>(rtnl_link_get_ifindex(link));
  // Bridges report their ports' state under AF_BRIDGE: not the link itself.
  if (rtnl_link_get_family(link) == AF_BRIDGE) return;
  if (type == RTM_DELLINK) {
    sink.changes->links |= sink.host->links.erase(ifindex) > 0;
    return;
  }
  const Link fresh = ToLink(link);
  Link& known = sink.host->links[ifindex];
  sink.changes->links |= known != fresh;
  known = fresh;
}

void ApplyNeighbor(const EventSink& sink, int type, rtnl_neigh* neighbor) {
  const auto parsed = ToNeighbor(neighbor);
  if (!parsed) return;
  if (type == RTM_DELNEIGH) {
    sink.host->neighbors.erase(parsed->first);
  } else {
    sink.host->neighbors[parsed->first] = parsed->second;
  }
  sink.changes->neighbors.push_back(parsed->first);
}

int OnEvent(nl_msg* message, void* argument) {
  auto& sink = *static_cast<EventSink*>(argument);
  const int type = nlmsg_hdr(message)->nlmsg_type;
  switch (type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWADDR:
    case RTM_DELADDR:
      sink.changes->routes = true;
      return NL_OK;
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      break;
    default:
      return NL_OK;
  }
  struct Context {
    const EventSink* sink;
    int type;
  } context{&sink, type};
  nl_msg_parse(
      message,
      [](nl_object* object, void* raw) {
        const auto& c = *static_cast<Context*>(raw);
        if (c.type == RTM_NEWLINK || c.type == RTM_DELLINK) {
          ApplyLink(*c.sink, c.type, reinterpret_cast<rtnl_link*>(object));
        } else {
          ApplyNeighbor(*c.sink, c.type, reinterpret_cast<rtnl_neigh*>(object));
        }
      },
      &context);
  return NL_OK;
}

struct RouteAnswer {
  model::IpAddress address;
  std::optional<Route> route;
};

int OnRoute(nl_msg* message, void* argument) {
  auto& answer = *static_cast<RouteAnswer*>(argument);
  rtnl_route* route = nullptr;
  if (rtnl_route_parse(nlmsg_hdr(message), &route) == 0) {
    if (ToAddress(rtnl_route_get_dst(route)) == answer.address) answer.route = ToRoute(route);
    rtnl_route_put(route);
  }
  return NL_OK;
}

}  // namespace

void NetlinkSession::SocketDeleter::operator()(nl_sock* socket) const { nl_socket_free(socket); }
NetlinkSession::NetlinkSession(NetlinkSession&&) noexcept = default;
NetlinkSession::~NetlinkSession() = default;

absl::StatusOr<NetlinkSession> NetlinkSession::Open() {
  Socket questions(nl_socket_alloc());
  Socket events(nl_socket_alloc());
  if (!questions || !events) return absl::ResourceExhaustedError("cannot allocate netlink sockets");
  if (const int err = nl_connect(questions.get(), NETLINK_ROUTE); err < 0) {
    return NetlinkError(err, "cannot open a netlink socket");
  }
  nl_socket_disable_seq_check(events.get());
  // Each question below has exactly one answer, and takes it.
  nl_socket_disable_auto_ack(questions.get());
  nl_socket_disable_seq_check(questions.get());
  if (const int err = nl_connect(events.get(), NETLINK_ROUTE); err < 0) {
    return NetlinkError(err, "cannot open a netlink socket");
  }
  // The kernel answers at once. Should it ever not, whoever asks must not wait for ever.
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  if (::setsockopt(nl_socket_get_fd(questions.get()), SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof(patience)) != 0) {
    return absl::ErrnoToStatus(errno, "cannot limit the time of a netlink question");
  }
  const int err = nl_socket_add_memberships(events.get(), RTNLGRP_LINK, RTNLGRP_NEIGH,
                                            RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                            RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NONE);
  if (err < 0) return NetlinkError(err, "cannot subscribe to netlink events");
  if (const int e = nl_socket_set_nonblocking(events.get()); e < 0) {
    return NetlinkError(e, "cannot make the netlink socket non-blocking");
  }
  // A smaller buffer loses events sooner; that is noticed (ENOBUFS) and made good.
  (void)nl_socket_set_buffer_size(events.get(), kEventBuffer, 0);
  return NetlinkSession(std::move(questions), std::move(events));
}

int NetlinkSession::event_fd() const { return nl_socket_get_fd(events_.get()); }

Changes NetlinkSession::ReadEvents(Host& host) {
  Changes changes;
  EventSink sink{&host, &changes};
  nl_socket_modify_cb(events_.get(), NL_CB_VALID, NL_CB_CUSTOM, OnEvent, &sink);
  while (true) {
    const int err = nl_recvmsgs_default(events_.get());
    if (err == 0) continue;
    // NLE_NOMEM is ENOBUFS here. Other errors leave the view in doubt just as well.
    if (err < 0 && err != -NLE_AGAIN) changes.lost = true;
    break;
  }
  nl_socket_modify_cb(events_.get(), NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  return changes;
}

absl::StatusOr<Host> NetlinkSession::ReadHost() {
  Host host;
  nl_cache* cache = nullptr;
  if (const int err = rtnl_link_alloc_cache(questions_.get(), AF_UNSPEC, &cache); err < 0) {
    return NetlinkError(err, "cannot list interfaces");
  }
  auto links = ForEach(cache, [&](nl_object* object) {
    auto* link = reinterpret_cast<rtnl_link*>(object);
    host.links[static_cast<uint32_t>(rtnl_link_get_ifindex(link))] = ToLink(link);
  });
  if (!links.ok()) return links;
  if (const int err = rtnl_neigh_alloc_cache(questions_.get(), &cache); err < 0) {
    return NetlinkError(err, "cannot list neighbours");
  }
  auto neighbors = ForEach(cache, [&](nl_object* object) {
    const auto parsed = ToNeighbor(reinterpret_cast<rtnl_neigh*>(object));
    if (parsed) host.neighbors.insert(*parsed);
  });
  if (!neighbors.ok()) return neighbors;
  return host;
}

absl::StatusOr<Route> NetlinkSession::LookUp(const model::IpAddress& address) {
  Message message(nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST));
  if (!message) return absl::ResourceExhaustedError("cannot allocate a netlink message");
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(FamilyOf(address));
  header.rtm_dst_len = static_cast<unsigned char>(LengthOf(address) * 8);
  if (nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put(message.get(), RTA_DST, LengthOf(address), address.bytes().data()) < 0) {
    return absl::InternalError("cannot build a netlink message");
  }
  RouteAnswer answer{.address = address, .route = std::nullopt};
  nl_socket_modify_cb(questions_.get(), NL_CB_VALID, NL_CB_CUSTOM, OnRoute, &answer);
  int err = nl_send_auto(questions_.get(), message.get());
  if (err >= 0) err = nl_recvmsgs_default(questions_.get());
  nl_socket_modify_cb(questions_.get(), NL_CB_VALID, NL_CB_DEFAULT, nullptr, nullptr);
  if (answer.route) return *answer.route;
  // The kernel's refusals (ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL) all mean "no route".
  // No answer in time, or none that could be taken, says nothing.
  const bool refused = err < 0 && err != -NLE_NOMEM && err != -NLE_BAD_SOCK &&
                       err != -NLE_MSG_TRUNC && err != -NLE_AGAIN;
  if (refused) return Route{};
  return NetlinkError(err, absl::StrCat("cannot look up the route to ", address.ToString()));
}

absl::Status NetlinkSession::Solicit(const NeighborKey& neighbor) {
  const auto& [ifindex, address] = neighbor;
  Message message(nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK));
  if (!message) return absl::ResourceExhaustedError("cannot allocate a netlink message");
  ndmsg header{};
  header.ndm_family = static_cast<__u8>(FamilyOf(address));
  header.ndm_ifindex = static_cast<__s32>(ifindex);
  header.ndm_state = NUD_NONE;
  header.ndm_flags = NTF_USE;
  if (nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put(message.get(), NDA_DST, LengthOf(address), address.bytes().data()) < 0) {
    return absl::InternalError("cannot build a netlink message");
  }
  int err = nl_send_auto(questions_.get(), message.get());
  if (err >= 0) err = nl_recvmsgs_default(questions_.get());
  if (err >= 0) return absl::OkStatus();
  return NetlinkError(err, absl::StrCat("cannot solicit neighbour ", address.ToString()));
}

absl::StatusOr<std::vector<model::IpAddress>> NetlinkSession::ReadAddresses() {
  nl_cache* cache = nullptr;
  if (const int err = rtnl_addr_alloc_cache(questions_.get(), &cache); err < 0) {
    return NetlinkError(err, "cannot list this host's addresses");
  }
  std::vector<model::IpAddress> addresses;
  auto status = ForEach(cache, [&](nl_object* object) {
    const auto address = ToAddress(rtnl_addr_get_local(reinterpret_cast<rtnl_addr*>(object)));
    if (address) addresses.push_back(*address);
  });
  if (!status.ok()) return status;
  return addresses;
}

}  // namespace evenkeel::neighbor
