// SPDX-License-Identifier: Apache-2.0
#include "control/advertise/route_table.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "control/neighbor/libnl.h"

namespace evenkeel::advertise {
namespace {

using neighbor::Message;
using neighbor::NetlinkError;

// The kernel answers at once; a lost answer must not stop the daemon for good.
constexpr timeval kAnswerTimeout{.tv_sec = 5, .tv_usec = 0};

struct CallbackDeleter {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

struct AddressDeleter {
  void operator()(nl_addr* address) const { nl_addr_put(address); }
};

struct RouteDeleter {
  void operator()(rtnl_route* route) const { rtnl_route_put(route); }
};
using Route = std::unique_ptr<rtnl_route, RouteDeleter>;

int FamilyOf(const model::IpAddress& address) { return address.is_ipv4() ? AF_INET : AF_INET6; }

std::optional<model::IpAddress> ToAddress(const nl_addr* address) {
  if (address == nullptr) return std::nullopt;
  char text[64];
  const std::string shown = nl_addr2str(address, text, sizeof(text));
  // "192.0.2.10/24" of a shorter prefix; "none" of a default route.
  auto parsed = model::IpAddress::Parse(shown.substr(0, shown.find('/')));
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

Route MakeRoute(const model::IpAddress& address, uint8_t length, const RouteOptions& options) {
  Route route(rtnl_route_alloc());
  const auto& bytes = address.bytes();
  const std::unique_ptr<nl_addr, AddressDeleter> destination(
      nl_addr_build(FamilyOf(address), bytes.data(), address.is_ipv4() ? 4 : 16));
  if (route == nullptr || destination == nullptr) return nullptr;
  nl_addr_set_prefixlen(destination.get(), length);
  rtnl_route_set_family(route.get(), static_cast<uint8_t>(FamilyOf(address)));
  if (rtnl_route_set_dst(route.get(), destination.get()) != 0) return nullptr;
  rtnl_route_set_table(route.get(), options.table);
  rtnl_route_set_protocol(route.get(), options.protocol);
  rtnl_route_set_scope(route.get(), RT_SCOPE_UNIVERSE);
  return route;
}

struct Sink {
  const RouteOptions* options;
  std::vector<OwnRoute>* routes;
};

int OnRoute(nl_msg* message, void* argument) {
  const Sink& sink = *static_cast<Sink*>(argument);
  if (nlmsg_hdr(message)->nlmsg_type != RTM_NEWROUTE) return NL_OK;
  rtnl_route* raw = nullptr;
  if (rtnl_route_parse(nlmsg_hdr(message), &raw) != 0) return NL_OK;
  const Route route(raw);
  // Also where the kernel filtered: one before 4.20 does not.
  if (rtnl_route_get_table(raw) != sink.options->table ||
      rtnl_route_get_protocol(raw) != sink.options->protocol) {
    return NL_OK;
  }
  nl_addr* destination = rtnl_route_get_dst(raw);
  const auto address = ToAddress(destination);
  if (!address) return NL_OK;
  sink.routes->push_back({.address = *address,
                          .length = static_cast<uint8_t>(nl_addr_get_prefixlen(destination)),
                          .type = rtnl_route_get_type(raw),
                          .metric = rtnl_route_get_priority(raw)});
  return NL_OK;
}

}  // namespace

void RouteTable::SocketDeleter::operator()(nl_sock* socket) const { nl_socket_free(socket); }

absl::StatusOr<std::unique_ptr<RouteTable>> RouteTable::Open(const RouteOptions& options) {
  Socket socket(nl_socket_alloc());
  if (socket == nullptr) return absl::ResourceExhaustedError("no memory for a netlink socket");
  if (const int err = nl_connect(socket.get(), NETLINK_ROUTE); err != 0) {
    return NetlinkError(err, "a netlink socket for routes cannot be opened");
  }
  const int fd = nl_socket_get_fd(socket.get());
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof(kAnswerTimeout));
  // The kernel then leaves out what is not asked for: a router's main table has a million routes.
  const int on = 1;
  ::setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
  return std::unique_ptr<RouteTable>(new RouteTable(std::move(socket), options));
}

absl::Status RouteTable::Dump(int family, std::vector<OwnRoute>* routes) {
  const std::string what = absl::StrCat("routes of table ", options_.table, " cannot be read");
  const Message message(nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP));
  if (message == nullptr) return absl::ResourceExhaustedError("no memory for a netlink message");
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(family);
  header.rtm_protocol = options_.protocol;
  if (nlmsg_append(message.get(), &header, sizeof(header), NLMSG_ALIGNTO) < 0 ||
      nla_put_u32(message.get(), RTA_TABLE, options_.table) < 0) {
    return absl::ResourceExhaustedError("no memory for a netlink message");
  }
  if (const int err = nl_send_auto(socket_.get(), message.get()); err < 0) {
    return NetlinkError(err, what);
  }
  Sink sink{&options_, routes};
  const std::unique_ptr<nl_cb, CallbackDeleter> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (callbacks == nullptr) return absl::ResourceExhaustedError("no memory for netlink callbacks");
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, OnRoute, &sink);
  const int err = nl_recvmsgs(socket_.get(), callbacks.get());
  // There is no such table as long as it has no route.
  if (err < 0 && err != -NLE_OBJ_NOTFOUND) return NetlinkError(err, what);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OwnRoute>> RouteTable::Read() {
  std::vector<OwnRoute> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    if (auto status = Dump(family, &routes); !status.ok()) return status;
  }
  return routes;
}

absl::Status RouteTable::Add(const model::IpAddress& address) {
  const std::string shown = Destination(address);
  const Route route = MakeRoute(address, address.is_ipv4() ? 32 : 128, options_);
  if (route == nullptr) return absl::ResourceExhaustedError("no memory for a route");
  rtnl_route_set_type(route.get(), RTN_BLACKHOLE);
  rtnl_route_set_priority(route.get(), options_.metric);
  const int err = rtnl_route_add(socket_.get(), route.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (err == 0) return absl::OkStatus();
  if (err != -NLE_EXIST) {
    return NetlinkError(
        err, absl::StrCat("route ", shown, " cannot be added to table ", options_.table));
  }
  auto own = Read();
  if (!own.ok()) return own.status();
  const bool ours = std::any_of(own->begin(), own->end(), [&](const OwnRoute& r) {
    return r.address == address && IsAsMade(r, options_);
  });
  if (ours) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("route ", shown, " cannot be added: table ", options_.table,
                   " has one with metric ", options_.metric, " that is not of protocol ",
                   options_.protocol, "; remove it (ip route show table ", options_.table,
                   "), or set another advertise.table or advertise.metric"));
}

absl::Status RouteTable::Remove(const OwnRoute& own) {
  const Route route = MakeRoute(own.address, own.length, options_);
  if (route == nullptr) return absl::ResourceExhaustedError("no memory for a route");
  rtnl_route_set_type(route.get(), own.type);
  rtnl_route_set_priority(route.get(), own.metric);
  const int err = rtnl_route_delete(socket_.get(), route.get(), 0);
  if (err == 0 || err == -NLE_OBJ_NOTFOUND) return absl::OkStatus();
  return NetlinkError(err, absl::StrCat("route ", own.address.ToString(), "/", own.length,
                                        " cannot be removed from table ", options_.table));
}

absl::Status RouteTable::RemoveAll() {
  const auto own = Read();
  if (!own.ok()) return own.status();
  for (const OwnRoute& route : *own) {
    if (auto status = Remove(route); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::advertise
