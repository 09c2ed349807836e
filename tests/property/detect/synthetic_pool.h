// SPDX-License-Identifier: Apache-2.0
//
// A pool in good order, with what happens to pools: day and night, bursts, flash crowds, lost SYNs
// that come again, stuck clients, NAT, flows of all sizes, drains, slow starts, servers that die.
// No page about it is right.
#ifndef EVENKEEL_TESTS_PROPERTY_DETECT_SYNTHETIC_POOL_H_
#define EVENKEEL_TESTS_PROPERTY_DETECT_SYNTHETIC_POOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "control/detect/detector.h"
#include "tests/property/detect/random.h"

namespace evenkeel::detect::simulation {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kStart = 1'700'000'000 * kSecond;
inline constexpr int kDay = 86'400;

model::IpAddress Address(size_t server);
model::IpAddress ClientAddress(uint64_t client);

// How often, in seconds between two on average.
struct Mix {
  double drain = 6 * 3600;
  double death = 7 * kDay;
  double crowd = kDay;      // five times the traffic for two minutes
  double loss = kDay;       // a third of the SYNs twice and more, for a minute
  double stuck = 7 * kDay;  // a client that opens one connection again and again, ten minutes
  double elephant = 600;    // a flow of a heavy-tailed size
};

class SyntheticPool {
 public:
  SyntheticPool(std::string name, uint64_t seed, const Mix& mix);

  // One second passes. True: there is a new plan.
  bool Second(int64_t second);
  const PoolPlan& plan() const { return plan_; }
  void Read(PoolReading& reading) const;
  // What a sampler sees of this second.
  void Sample(Detector& detector);

 private:
  struct Server {
    double weight = 1, part = 1;  // of its share: 0 while it is out
    double flows = 0, packets = 0, bytes = 0;
    double now = 0;     // flows of this second, or packets where flows are not counted
    double affine = 0;  // part of the traffic that its clients make, where clients stick
    Health health = Health::kUp;
  };
  struct Client {
    size_t server = 0;
    double weight = 0;
    uint64_t number = 0;
  };
  struct Elephant {
    size_t server;
    double left, rate;
  };
  enum class Event { kDrain, kDeath, kCrowd, kLoss, kStuck, kElephant, kCount };

  bool Happen(int64_t second);
  bool Serve(int64_t second);
  void Replan(int64_t second);
  void Draw(int64_t second);
  void DrawConnections(size_t i, double rate, int64_t second);
  void DrawElephants();
  size_t ServerOf(const Client& client) const;
  void MakeClient(Client& client);
  void Redistribute();
  double RateAt(int64_t second);
  double MeanOf(Event event) const;
  size_t PickServing();

  Random random_;
  Mix mix_;
  PoolPlan plan_;
  std::vector<Server> servers_;
  std::vector<Client> clients_;
  std::vector<double> cumulated_;
  std::vector<Elephant> elephants_;
  double base_ = 0, night_ = 0, phase_ = 0, repeats_ = 0, rate_ = 0;
  double next_[static_cast<size_t>(Event::kCount)] = {};
  int64_t now_ = 0;
  int64_t crowd_until_ = 0, loss_until_ = 0, stuck_until_ = 0, moving_until_ = 0;
  size_t stuck_ = 0;
  double stuck_rate_ = 0, stuck_now_ = 0;
  // Of the one server that is out, dead, or starts.
  size_t away_ = 0;
  int64_t dead_since_ = 0, out_until_ = 0, next_step_ = 0;
  uint64_t next_client_ = 1;
};

}  // namespace evenkeel::detect::simulation

#endif  // EVENKEEL_TESTS_PROPERTY_DETECT_SYNTHETIC_POOL_H_
