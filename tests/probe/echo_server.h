// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_ECHO_SERVER_H_
#define EVENKEEL_TESTS_PROBE_ECHO_SERVER_H_

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "control/dataplane/unique_fd.h"
#include "tests/harness/scoped_netns/packet_socket.h"

namespace evenkeel::testing {

// An ICMP echo request or reply as it is on the wire (RFC 791, RFC 792), with a number as its data.
struct EchoPacket {
  iphdr ip{};
  icmphdr icmp{};
  uint64_t number = 0;
} __attribute__((packed));

// Answers each echo request that leaves through the veth whose other end is `interface`, in the
// calling thread's namespace, once for each of `edits`: with the reply of who was asked, after it
// was edited.
class EchoServer {
 public:
  using Edit = std::function<void(EchoPacket&)>;
  EchoServer(const std::string& interface, std::vector<Edit> edits)
      : requests_(interface),
        replies_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
        edits_(std::move(edits)),
        thread_([this] { Serve(); }) {
    EXPECT_TRUE(replies_.valid());
  }
  ~EchoServer() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Serve() {
    while (!stopping_) {
      for (const std::vector<uint8_t>& frame : requests_.Receive()) {
        EchoPacket request;
        if (frame.size() != ETH_HLEN + sizeof(request)) continue;
        std::memcpy(&request, frame.data() + ETH_HLEN, sizeof(request));
        if (request.ip.protocol != IPPROTO_ICMP || request.icmp.type != ICMP_ECHO) continue;
        for (const Edit& edit : edits_) Reply(request, edit);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }
  // The kernel fills in the checksum of IP, not that of ICMP (RFC 1071).
  void Reply(EchoPacket packet, const Edit& edit) const {
    const in_addr_t asked = packet.ip.daddr;
    packet.ip.daddr = packet.ip.saddr;
    packet.ip.saddr = asked;
    packet.icmp.type = ICMP_ECHOREPLY;
    edit(packet);
    packet.icmp.checksum = 0;
    uint16_t words[(sizeof(packet.icmp) + sizeof(packet.number)) / 2];
    std::memcpy(words, reinterpret_cast<const uint8_t*>(&packet) + sizeof(packet.ip),
                sizeof(words));
    uint32_t sum = 0;
    for (const uint16_t word : words) sum += word;
    sum = (sum & 0xffff) + (sum >> 16);
    packet.icmp.checksum = static_cast<uint16_t>(~(sum + (sum >> 16)));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = packet.ip.daddr;
    EXPECT_EQ(::sendto(replies_.get(), &packet, sizeof(packet), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
              static_cast<ssize_t>(sizeof(packet)));
  }

  const PacketSocket requests_;
  const dataplane::UniqueFd replies_;
  const std::vector<Edit> edits_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // last: it uses the others
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_ECHO_SERVER_H_
