// SPDX-License-Identifier: Apache-2.0
//
// A daemon and packets: what is sent into ek1 arrives on ek0, is forwarded to the servers, which
// are behind ek1 too, or reaches the host. es0 and es1 are a second way in.
#ifndef EVENKEEL_TESTS_DAEMON_TRAFFIC_FIXTURE_H_
#define EVENKEEL_TESTS_DAEMON_TRAFFIC_FIXTURE_H_

#include <memory>
#include <string>

#include "tests/daemon/daemon_fixture.h"
#include "tests/harness/packet/packet.h"
#include "tests/harness/scoped_netns/packet_socket.h"

namespace evenkeel::testing {

inline constexpr uint16_t kFilteredPort = 7777;  // what tests/shared's filter drops
inline constexpr uint16_t kOtherPort = 9999;

// How many came out, and where.
struct Seen {
  size_t forwarded = 0;         // encapsulated, on ek1
  size_t vip_to_host = 0;       // for the VIP, but not balanced
  size_t filtered_to_host = 0;  // to kFilteredPort
  size_t other_to_host = 0;     // to kOtherPort

  friend bool operator==(const Seen&, const Seen&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "forwarded " << seen.forwarded << ", VIP to host " << seen.vip_to_host
             << ", filtered to host " << seen.filtered_to_host << ", other to host "
             << seen.other_to_host;
}

class TrafficFixture : public DaemonFixture {
 protected:
  void SetUp() override {
    DaemonFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    netns_->Run(
        "ip link set ek0 address 02:00:00:00:00:02; "
        "ip link add es0 type veth peer name es1; ip link set es0 address 02:00:00:00:00:02; "
        "ip link set es0 up; ip link set es1 up; "
        "ip neigh add 10.9.0.11 lladdr 02:00:00:00:09:11 dev ek0 nud permanent; "
        "ip neigh add 10.9.0.12 lladdr 02:00:00:00:09:12 dev ek0 nud permanent");
    const ScopedNetns::Entered inside(*netns_);
    for (const char* peer : {"ek1", "es1"}) AttachXdpPass(peer);
    outside_ = std::make_unique<PacketSocket>("ek1");
    second_outside_ = std::make_unique<PacketSocket>("es1");
    host_ = std::make_unique<PacketSocket>("ek0");
    second_host_ = std::make_unique<PacketSocket>("es0");
    config_ = Write("web.yaml", MakeYaml(2));
  }
  void TearDown() override {
    outside_.reset();
    second_outside_.reset();
    host_.reset();
    second_host_.reset();
    DaemonFixture::TearDown();
  }

  static Bytes SynToVip(uint16_t sport = 40000) {
    Packet packet;
    packet.sport = sport;
    packet.dport = 80;
    packet.tcp_flags = kTcpSyn;
    packet.payload = 0;
    return Build(packet);
  }
  static Bytes DatagramToHost(uint16_t port) {
    Packet packet;
    packet.dst = "10.9.0.1";
    packet.proto = kUdp;
    packet.dport = port;
    return Build(packet);
  }

  // Adds what came out since the last call.
  void Collect(Seen* seen) {
    constexpr size_t kProtocolAt = 23, kPortAt = 36;
    constexpr uint8_t kIpip = 4;
    for (const auto& frame : outside_->Receive()) {
      if (frame.size() > kProtocolAt && frame[kProtocolAt] == kIpip) ++seen->forwarded;
    }
    for (const PacketSocket* host : {host_.get(), second_host_.get()}) {
      for (const auto& frame : host->Receive()) {
        if (frame.size() <= kPortAt + 1 || EtherType(frame) != 0x0800) continue;
        const int port = frame[kPortAt] << 8 | frame[kPortAt + 1];
        if (frame[kProtocolAt] == kTcp && port == 80) ++seen->vip_to_host;
        if (frame[kProtocolAt] == kUdp && port == kFilteredPort) ++seen->filtered_to_host;
        if (frame[kProtocolAt] == kUdp && port == kOtherPort) ++seen->other_to_host;
      }
    }
  }

  // One packet of each kind into `way_in`. The one for the host is the last: once it and the VIP's
  // are there, what else has not come out was dropped.
  Seen Exchange(const PacketSocket& way_in) {
    Seen seen;
    Collect(&seen);
    seen = {};
    way_in.Send(DatagramToHost(kFilteredPort));
    way_in.Send(SynToVip());
    way_in.Send(DatagramToHost(kOtherPort));
    for (int i = 0; i < 500; ++i) {
      Collect(&seen);
      if (seen.other_to_host > 0 && seen.forwarded + seen.vip_to_host > 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return seen;
  }
  Seen Exchange() { return Exchange(*outside_); }

  std::string config_;
  std::unique_ptr<PacketSocket> outside_, second_outside_, host_, second_host_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_TRAFFIC_FIXTURE_H_
