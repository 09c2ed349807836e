// SPDX-License-Identifier: Apache-2.0
//
// A change seen from the servers: what a verdict's pools add up to for each of them.
#ifndef EVENKEEL_CONTROL_CLI_SERVER_CHANGES_H_
#define EVENKEEL_CONTROL_CLI_SERVER_CHANGES_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/printer.h"
#include "control/guard/guard.h"

namespace evenkeel::cli {

struct ServerInPool {
  std::string pool;
  double before = 0, after = 0;  // share of that pool's slots, of all its names there
};

// A server is an address: under whatever names, in whatever pools that the change touches. Pools
// are not added up: how much traffic each has is not in a verdict. A backend that gets another
// address counts as its new server.
struct ServerChange {
  model::IpAddress address;
  std::vector<ServerInPool> pools;
};
std::vector<ServerChange> ChangesByServer(const guard::Verdict& verdict);

// The worst that the failure of one server does to a pool: its slots go to the others in proportion
// to what they have.
struct Failure {
  std::string lost, busiest;  // names
  double share = 0;           // that the busiest then has
};
// nullopt: fewer than two servers have slots after the change.
std::optional<Failure> WorstFailure(const guard::PoolChange& pool);

nlohmann::ordered_json ServerChangesJson(const guard::Verdict& verdict);
// Those that are in several of the pools.
void PrintServerChanges(Printer& out, const guard::Verdict& verdict, bool all);

}  // namespace evenkeel::cli

#endif  // EVENKEEL_CONTROL_CLI_SERVER_CHANGES_H_
