// SPDX-License-Identifier: Apache-2.0
#include "tests/property/detect/synthetic_pool.h"

#include <algorithm>
#include <numbers>

namespace evenkeel::detect::simulation {
namespace {

constexpr double kPacketsOfFlow = 8, kBytesOfPacket = 700;
constexpr int kDrained_s = 1200, kDeadUntilFound_s = 5, kStep_s = 3;
constexpr double kStep = 0.1;
// Packets are sampled for half a second in three, as by the daemon.
constexpr double kSampled = 200, kSampledPart = 0.5;
constexpr int64_t kSampleEvery_s = 3;

// A SYN that is not answered comes again after 1, 3 and 7 s.
double Repeats(int64_t dead_s) { return dead_s < 1 ? 1 : dead_s < 3 ? 2 : dead_s < 7 ? 3 : 4; }

}  // namespace

model::IpAddress Address(size_t server) {
  return model::IpAddress::FromIpv4(
      {10, 0, static_cast<uint8_t>(server >> 8), static_cast<uint8_t>(server)});
}

model::IpAddress ClientAddress(uint64_t client) {
  return model::IpAddress::FromIpv4({100, static_cast<uint8_t>(client >> 16),
                                     static_cast<uint8_t>(client >> 8),
                                     static_cast<uint8_t>(client)});
}

SyntheticPool::SyntheticPool(std::string name, uint64_t seed, const Mix& mix)
    : random_(seed), mix_(mix) {
  plan_.pool = std::move(name);
  plan_.revision = 41;
  const double kind = random_.Uniform();
  plan_.spread = kind < 0.12 ? Spread::kSource : Spread::kConnection;
  plan_.counts_flows = kind < 0.88;
  servers_.resize(static_cast<size_t>(random_.LogBetween(2, 40)));
  const bool even = random_.Chance(0.7);
  for (Server& server : servers_) server.weight = even ? 1 : random_.LogBetween(1, 4);
  base_ = random_.LogBetween(0.5, 2000);
  night_ = random_.Between(0.1, 0.6);
  phase_ = random_.Uniform();
  repeats_ = random_.Between(0.005, 0.05);
  for (size_t i = 0; i < std::size(next_); ++i) {
    next_[i] = random_.Exponential(MeanOf(static_cast<Event>(i)));
  }
  if (plan_.spread == Spread::kSource || !plan_.counts_flows) {
    clients_.resize(static_cast<size_t>(random_.LogBetween(20, 3000)));
  }
  Replan(0);
  for (Client& client : clients_) MakeClient(client);
  Redistribute();
}

double SyntheticPool::MeanOf(Event event) const {
  switch (event) {
    case Event::kDrain:
      return mix_.drain;
    case Event::kDeath:
      return mix_.death;
    case Event::kCrowd:
      return mix_.crowd;
    case Event::kLoss:
      return mix_.loss;
    case Event::kStuck:
      return mix_.stuck;
    case Event::kElephant:
    case Event::kCount:
      break;
  }
  return mix_.elephant;
}

size_t SyntheticPool::PickServing() {
  double draw = random_.Uniform();
  for (size_t i = 0; i < servers_.size(); ++i) {
    draw -= plan_.servers[i].built;
    if (draw < 0) return i;
  }
  return 0;
}

// As health::ApplyAdmission: what one has less than the whole, the others have.
void SyntheticPool::Replan(int64_t second) {
  double all = 0, whole = 0, reduced = 0;
  for (const Server& server : servers_) {
    all += server.part > 0 ? server.weight : 0;
    (server.part == 1 ? whole : reduced) += server.weight * server.part;
  }
  plan_.servers.resize(servers_.size());
  for (size_t i = 0; i < servers_.size(); ++i) {
    ServerPlan& plan = plan_.servers[i];
    plan.address = Address(i);
    plan.name = "s" + std::to_string(i);
    const double weight = servers_[i].weight;
    const double share = servers_[i].part == 1 ? weight / whole * (all - reduced) / all
                                               : weight * servers_[i].part / all;
    // To a slot, as tables are.
    plan.intended = plan.built = std::round(share * plan_.table_size) / plan_.table_size;
    plan.limit = 1;
  }
  ++plan_.generation;
  plan_.since_unix_ns = kStart + second * kSecond;
  for (Client& client : clients_) client.server = ServerOf(client);
  Redistribute();
}

// Weighted rendezvous: shares are right, and who need not move stays, as with a table of slots.
size_t SyntheticPool::ServerOf(const Client& client) const {
  size_t best = 0;
  double most = -1;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (plan_.servers[i].built == 0) continue;
    const double draw = Random(client.number * 1000 + i).Uniform();
    const double score = -plan_.servers[i].built / std::log(draw);
    if (score > most) best = i, most = score;
  }
  return best;
}

void SyntheticPool::MakeClient(Client& client) {
  client.number = next_client_++;
  client.server = ServerOf(client);
  client.weight = std::min(random_.Pareto(1, 1.1), 3000.0);
}

void SyntheticPool::Redistribute() {
  double sum = 0;
  cumulated_.clear();
  for (Server& server : servers_) server.affine = 0;
  for (const Client& client : clients_) {
    sum += client.weight;
    cumulated_.push_back(sum);
    servers_[client.server].affine += client.weight;
  }
  if (sum == 0) return;
  for (Server& server : servers_) server.affine /= sum;
}

bool SyntheticPool::Happen(int64_t second) {
  const bool whole = out_until_ == 0 && dead_since_ == 0 && next_step_ == 0;
  for (size_t i = 0; i < std::size(next_); ++i) {
    if (static_cast<double>(second) < next_[i]) continue;
    const auto event = static_cast<Event>(i);
    next_[i] = static_cast<double>(second) + random_.Exponential(MeanOf(event));
    switch (event) {
      case Event::kDrain:
      case Event::kDeath:
        if (!whole || servers_.size() < 3) break;
        away_ = random_.Below(servers_.size());
        if (event == Event::kDeath) {
          dead_since_ = second;
          break;
        }
        servers_[away_].part = 0;
        out_until_ = second + kDrained_s;
        moving_until_ = second + 60;
        Replan(second);
        return true;
      case Event::kCrowd:
        crowd_until_ = second + 120;
        break;
      case Event::kLoss:
        loss_until_ = second + 60;
        break;
      case Event::kStuck:
        stuck_until_ = second + 600;
        stuck_ = PickServing();
        stuck_rate_ = random_.LogBetween(0.3, 5);
        break;
      case Event::kElephant:
      case Event::kCount: {
        const double size = std::min(random_.Pareto(1e3, 1.2), 1e8);
        elephants_.push_back({PickServing(), size, random_.LogBetween(10, 3000)});
        break;
      }
    }
  }
  return false;
}

// The server that is away goes out of the table, and comes back step by step.
bool SyntheticPool::Serve(int64_t second) {
  Server& away = servers_[away_];
  if (dead_since_ != 0 && second >= dead_since_ + kDeadUntilFound_s) {
    dead_since_ = 0;
    away.part = 0;
    away.health = Health::kDown;
    out_until_ = second + kDrained_s;
    Replan(second);
    return true;
  }
  if (out_until_ != 0 && second >= out_until_) {
    out_until_ = 0;
    away.health = Health::kUp;
    next_step_ = second;
  }
  if (next_step_ == 0 || second < next_step_) return false;
  away.part = std::min(1.0, away.part + kStep);
  if (away.part > 1 - kStep / 2) away.part = 1;
  next_step_ = away.part < 1 ? second + kStep_s : 0;
  moving_until_ = second + 60;
  Replan(second);
  return true;
}

double SyntheticPool::RateAt(int64_t second) {
  const double day = static_cast<double>(second % kDay) / kDay + phase_;
  const double sun = 0.5 + 0.5 * std::sin(2 * std::numbers::pi * day);
  double rate = base_ * (night_ + (1 - night_) * sun);
  if (second < crowd_until_) rate *= 5;
  return rate * std::exp(0.3 * random_.Normal());  // clients come in bursts
}

void SyntheticPool::DrawConnections(size_t i, double rate, int64_t second) {
  Server& server = servers_[i];
  const double mean = rate * plan_.servers[i].built;
  const double repeats = second < loss_until_ ? 0.3 : repeats_;
  server.now = random_.Poisson(mean * (1 - repeats));
  server.now += 2 * random_.Poisson(mean * repeats / 2) + random_.Poisson(mean * repeats / 8) * 4;
  if (dead_since_ != 0 && i == away_) {
    server.now *= Repeats(second - dead_since_);
    server.flows += server.now;
    server.packets += server.now;
    server.bytes += 60 * server.now;
    return;
  }
  if (i == stuck_ && second < stuck_until_) server.now += stuck_now_ = random_.Poisson(stuck_rate_);
  const double packets = std::max(
      server.now, kPacketsOfFlow * server.now + 20 * std::sqrt(server.now) * random_.Normal());
  server.flows += server.now;
  server.packets += packets;
  server.bytes += kBytesOfPacket * packets;
}

void SyntheticPool::DrawElephants() {
  for (Elephant& elephant : elephants_) {
    const double packets = std::min(elephant.left, elephant.rate);
    elephant.left -= packets;
    servers_[elephant.server].packets += packets;
    servers_[elephant.server].bytes += 1400 * packets;
  }
  std::erase_if(elephants_, [](const Elephant& e) { return e.left <= 0; });
}

void SyntheticPool::Draw(int64_t second) {
  rate_ = RateAt(second);
  stuck_now_ = 0;
  if (!clients_.empty() && second % 60 == 0) {
    for (size_t i = 0; i < 1 + clients_.size() / 50; ++i) {
      MakeClient(clients_[random_.Below(clients_.size())]);
    }
    Redistribute();
  }
  for (size_t i = 0; i < servers_.size(); ++i) {
    Server& server = servers_[i];
    if (clients_.empty()) {
      DrawConnections(i, rate_, second);
      continue;
    }
    server.now = random_.Poisson(rate_ * server.affine * (plan_.counts_flows ? 1 : 50));
    if (plan_.counts_flows) server.flows += server.now;
    server.packets += server.now * (plan_.counts_flows ? kPacketsOfFlow : 1);
    server.bytes += server.now * kBytesOfPacket;
  }
  if (plan_.counts_flows) DrawElephants();
}

bool SyntheticPool::Second(int64_t second) {
  now_ = second;
  // What came before the plan is counted by the reading that it begins with.
  Draw(second);
  const bool happened = Happen(second);
  return Serve(second) || happened;
}

// Into the reading of the second before: a month makes a quarter of a billion.
void SyntheticPool::Read(PoolReading& reading) const {
  reading.pool = plan_.pool;
  reading.generation = plan_.generation;
  reading.readback = Readback::kMatches;
  reading.moving_slots = now_ < moving_until_ ? 1 : 0;
  reading.servers.resize(servers_.size());
  for (size_t i = 0; i < servers_.size(); ++i) {
    const Server& server = servers_[i];
    ServerReading& read = reading.servers[i];
    read.address = plan_.servers[i].address;
    read.packets = static_cast<uint64_t>(server.packets);
    read.bytes = static_cast<uint64_t>(server.bytes);
    read.new_flows = static_cast<uint64_t>(server.flows);
    read.health = server.health;
  }
}

void SyntheticPool::Sample(Detector& detector) {
  if (now_ % kSampleEvery_s != 0) return;
  double all = 0;
  for (const Server& server : servers_) all += server.now;
  const auto n = static_cast<size_t>(std::min(all * kSampledPart, kSampled));
  for (size_t draw = 0; draw < n; ++draw) {
    FlowSample sample{.pool = plan_.pool,
                      .server = {},
                      .source = {},
                      .source_port = 1,
                      .destination_port = 443,
                      .ip_protocol = 6,
                      .opening = plan_.counts_flows,
                      .packets = 1,
                      .bytes = 60};
    if (!clients_.empty()) {
      const double at = random_.Uniform() * cumulated_.back();
      const auto place = std::upper_bound(cumulated_.begin(), cumulated_.end(), at);
      const Client& client = clients_[static_cast<size_t>(place - cumulated_.begin())];
      sample.server = Address(client.server);
      sample.source = ClientAddress(client.number);
      detector.NoteFlow(sample);
      continue;
    }
    double at = random_.Uniform() * all;
    size_t i = 0;
    while (i + 1 < servers_.size() && at >= servers_[i].now) at -= servers_[i++].now;
    sample.server = Address(i);
    const bool stuck = i == stuck_ && at < stuck_now_;
    sample.source = ClientAddress(stuck ? 0 : next_client_++);
    detector.NoteFlow(sample);
  }
}

}  // namespace evenkeel::detect::simulation
