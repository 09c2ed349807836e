// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_DAEMON_SENDING_H_
#define EVENKEEL_TESTS_DAEMON_SENDING_H_

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/harness/packet/packet.h"
#include "tests/harness/scoped_netns/packet_socket.h"

namespace evenkeel::testing {

// Packets of `flows` connections to 192.0.2.10:80, in turn, some 1,000 a second, until it is
// destroyed. `way_in` must outlive it.
class Sending {
 public:
  Sending(const PacketSocket& way_in, uint16_t flows)
      : thread_([this, &way_in, flows] {
          for (uint16_t i = 0; !stop_; i = static_cast<uint16_t>((i + 1) % flows)) {
            Packet packet;
            packet.sport = static_cast<uint16_t>(20000 + i);
            packet.dport = 80;
            way_in.Send(Build(packet));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        }) {}
  ~Sending() {
    stop_ = true;
    thread_.join();
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_DAEMON_SENDING_H_
