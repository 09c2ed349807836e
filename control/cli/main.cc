// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "control/cli/app.h"
#include "control/cli/environment.h"
#include "control/history/history.h"
#include "control/rpc/client.h"

int main(int argc, char** argv) {
  evenkeel::cli::Environment env = evenkeel::cli::ProcessEnvironment();
  if (env.socket.empty()) env.socket = evenkeel::rpc::kDefaultSocket;
  env.connect = evenkeel::rpc::Connect;
  env.inspect_history = evenkeel::history::History::Inspect;
  return evenkeel::cli::Run(std::vector<std::string>(argv + 1, argv + argc), env);
}
