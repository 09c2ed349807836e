// SPDX-License-Identifier: Apache-2.0
#include "control/probe/icmp_socket.h"

#include <netinet/in.h>
// After it: both would define the same structures.
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/probe/socket.h"

namespace evenkeel::probe {
namespace {

// The same in both families.
struct Packet {
  uint8_t type = 0;
  uint8_t code = 0;
  uint16_t checksum = 0;
  uint16_t identifier = 0;  // network byte order, as the sequence
  uint16_t sequence = 0;
  uint64_t nonce = 0;
};
static_assert(sizeof(Packet) == 16);

constexpr size_t kMaxIpv4Header = 60;
constexpr uint32_t kIdentifierOffset = 4;

// RFC 1071. The kernel makes that of ICMPv6 by itself: it covers the addresses.
uint16_t Checksum(const Packet& packet) {
  std::array<uint16_t, sizeof(Packet) / 2> words{};
  std::memcpy(words.data(), &packet, sizeof(packet));
  uint32_t sum = 0;
  for (const uint16_t word : words) sum += word;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// Without it, a raw socket gets a copy of the replies to everybody on this host.
bool FilterReplies(int fd, model::Family family, uint16_t identifier) {
  const bool ipv4 = family == model::Family::kIpv4;
  const uint8_t reply = ipv4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
  // The length of the IP header, which a raw IPv6 socket does not have, goes to X.
  std::array<sock_filter, 7> program{{
      ipv4 ? sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
           : sock_filter BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, reply, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, kIdentifierOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0;
}

// What a socket of its own would have as options: the mark, and the source address.
class Ancillary {
 public:
  // `message` must not outlive it.
  void Add(const Target& target, msghdr* message) {
    message->msg_control = buffer_.data();
    message->msg_controllen = buffer_.size();
    cmsghdr* header = CMSG_FIRSTHDR(message);
    size_t used = Put(header, SOL_SOCKET, SO_MARK, target.via->mark);
    header = CMSG_NXTHDR(message, header);
    const std::optional<SocketAddress> source = SourceFor(target);
    if (source && source->storage.ss_family == AF_INET) {
      in_pktinfo info{};
      info.ipi_spec_dst = reinterpret_cast<const sockaddr_in&>(source->storage).sin_addr;
      used += Put(header, IPPROTO_IP, IP_PKTINFO, info);
    } else if (source) {
      in6_pktinfo info{};
      info.ipi6_addr = reinterpret_cast<const sockaddr_in6&>(source->storage).sin6_addr;
      used += Put(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
    message->msg_controllen = used;
  }

 private:
  template <typename Value>
  static size_t Put(cmsghdr* header, int level, int type, const Value& value) {
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof(value));
    std::memcpy(CMSG_DATA(header), &value, sizeof(value));
    return CMSG_SPACE(sizeof(value));
  }

  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(in6_pktinfo))> buffer_{};
};

model::IpAddress AddressOf(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
    return model::IpAddress::FromIpv4(bytes);
  }
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, 16);
  return model::IpAddress::FromIpv6(bytes);
}

}  // namespace

absl::StatusOr<IcmpSocket> IcmpSocket::Open(model::Family family) {
  const bool ipv4 = family == model::Family::kIpv4;
  const int domain = ipv4 ? AF_INET : AF_INET6;
  const int protocol = ipv4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  dataplane::UniqueFd ping(::socket(domain, SOCK_DGRAM | kFlags, protocol));
  if (ping.valid()) return IcmpSocket(family, std::move(ping), /*raw=*/false, 0);
  dataplane::UniqueFd raw(::socket(domain, SOCK_RAW | kFlags, protocol));
  uint16_t identifier = 0;
  if (raw.valid() && ::getrandom(&identifier, sizeof(identifier), 0) == sizeof(identifier) &&
      FilterReplies(raw.get(), family, identifier)) {
    return IcmpSocket(family, std::move(raw), /*raw=*/true, identifier);
  }
  if (errno != EPERM && errno != EACCES) {
    return absl::UnavailableError(absl::StrCat("this host: ", std::strerror(errno)));
  }
  return absl::PermissionDeniedError(
      "this host: evenkeeld may not send ICMP; give it CAP_NET_RAW, or its group "
      "net.ipv4.ping_group_range");
}

int IcmpSocket::Send(const Target& target, const Echo& echo) const {
  const bool ipv4 = family_ == model::Family::kIpv4;
  Packet packet{.type = static_cast<uint8_t>(ipv4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST),
                .identifier = htons(identifier_),
                .sequence = htons(echo.sequence),
                .nonce = echo.nonce};
  if (ipv4) packet.checksum = Checksum(packet);
  SocketAddress address = ToSocketAddress(target.destination(), 0);
  iovec data{.iov_base = &packet, .iov_len = sizeof(packet)};
  msghdr message{};
  message.msg_name = &address.storage;
  message.msg_namelen = address.length;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  Ancillary ancillary;
  if (target.via) ancillary.Add(target, &message);
  return ::sendmsg(fd_.get(), &message, 0) < 0 ? errno : 0;
}

std::optional<IcmpSocket::Reply> IcmpSocket::Receive() const {
  const bool ipv4 = family_ == model::Family::kIpv4;
  while (true) {
    std::array<uint8_t, kMaxIpv4Header + sizeof(Packet)> buffer;
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const ssize_t size = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    std::span<const uint8_t> bytes(buffer.data(), static_cast<size_t>(size));
    if (raw_ && ipv4) {
      const size_t header = bytes.empty() ? 0 : (bytes[0] & 0xfu) * 4u;
      bytes = bytes.subspan(std::min(header, bytes.size()));
    }
    Packet packet;
    if (bytes.size() < sizeof(packet)) continue;
    std::memcpy(&packet, bytes.data(), sizeof(packet));
    if (packet.type != (ipv4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY)) continue;
    if (raw_ && ntohs(packet.identifier) != identifier_) continue;
    return Reply{.from = AddressOf(from),
                 .echo = {.sequence = ntohs(packet.sequence), .nonce = packet.nonce}};
  }
}

}  // namespace evenkeel::probe
