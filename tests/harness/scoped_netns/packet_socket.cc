// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/scoped_netns/packet_socket.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

namespace evenkeel::testing {

using dataplane::UniqueFd;

PacketSocket::PacketSocket(const std::string& interface)
    : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
  const int room = 64 << 20;  // for what comes while nobody reads
  EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  EXPECT_NE(address.sll_ifindex, 0) << interface;
  EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << interface;
}

void PacketSocket::Send(std::span<const uint8_t> frame) const {
  EXPECT_EQ(::send(fd_.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
}

std::vector<std::vector<uint8_t>> PacketSocket::Receive() const {
  std::vector<std::vector<uint8_t>> frames;
  while (true) {
    std::vector<uint8_t> frame(1 << 16);
    sockaddr_ll from{};
    socklen_t length = sizeof(from);
    const ssize_t size = ::recvfrom(fd_.get(), frame.data(), frame.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) return frames;
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.resize(static_cast<size_t>(size));
    frames.push_back(std::move(frame));
  }
}

UniqueFd LoadXdpPass() {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP);
  UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", code, std::size(code), &options));
  EXPECT_TRUE(program.valid());
  return program;
}

void AttachXdpPass(const std::string& interface) {
  const UniqueFd program = LoadXdpPass();
  EXPECT_EQ(bpf_xdp_attach(static_cast<int>(if_nametoindex(interface.c_str())), program.get(),
                           XDP_FLAGS_DRV_MODE, nullptr),
            0)
      << interface;
}

}  // namespace evenkeel::testing
