// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_PROBE_PROBE_FIXTURE_H_
#define EVENKEEL_TESTS_PROBE_PROBE_FIXTURE_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/probe/probe.h"
#include "tests/harness/scoped_netns/kernel_test.h"
#include "tests/harness/scoped_netns/scoped_netns.h"

namespace evenkeel::testing {

using Type = model::HealthCheck::Type;
using Millis = std::chrono::milliseconds;

inline constexpr Millis kLimit{10'000};  // for what takes much less

struct Seen {
  std::chrono::steady_clock::time_point at;
  probe::Result result;
};

// The results of one prober, by target's address and port.
class Seeing {
 public:
  using Key = std::pair<std::string, uint16_t>;

  void Add(const probe::Target& target, const probe::Result& result);
  std::vector<Seen> Of(const std::string& address, uint16_t port) const;
  size_t total() const;
  std::map<Key, std::vector<Seen>> All() const;
  void Clear();
  // False if `limit` goes by first.
  bool WaitFor(const std::string& address, uint16_t port, size_t count, Millis limit) const;

 private:
  mutable std::mutex mu_;
  mutable std::condition_variable changed_;
  std::map<Key, std::vector<Seen>> seen_;  // mu_
  size_t total_ = 0;                       // mu_
};

// A test whose thread, servers and probers are in a namespace of their own. 10.99.0.0/24 there is
// a black hole: packets to it vanish.
class ProbeTest : public KernelTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  static probe::Target To(const std::string& address, uint16_t port, Type type = Type::kTcp,
                          Millis interval = Millis{1000}, Millis timeout = Millis{1000});

  // `sink` is called besides.
  void Start(probe::Options options = {}, probe::Sink sink = nullptr);
  void SetTargets(const std::vector<probe::Target>& targets);
  // The first result for a target, and the only one that is asked for.
  probe::Result Ask(const probe::Target& target);
  // Waits until nobody uses more descriptors than `count`; returns how many there are.
  static size_t DescriptorsDownTo(size_t count);
  static size_t Descriptors();

  std::unique_ptr<ScopedNetns> netns_;
  std::optional<ScopedNetns::Entered> entered_;
  Seeing seeing_;
  std::unique_ptr<probe::Prober> prober_;
};

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_PROBE_PROBE_FIXTURE_H_
