// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/cli_fixture.h"

#include <stdlib.h>

#include <fstream>

#include "control/model/yaml.h"

namespace evenkeel::cli {

nlohmann::json Ran::Json() const {
  nlohmann::json document = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(document.is_discarded()) << "not JSON: " << out << "\nstderr: " << err;
  return document;
}

CliTest::CliTest() : daemon_(WebConfig(4)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "evenkeel-cli-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  dir_ = pattern;
  env_.socket = "/nowhere/evenkeeld.sock";
  env_.connect = [this](const std::string&) { return ConnectTo(daemon_); };
  env_.socket_exists = [](const std::string&) { return false; };
  env_.host.root = dir_;
  env_.inspect_history = [](const std::string&) { return absl::OkStatus(); };
  env_.now_unix_ns = [] { return int64_t{1'772'366'400'000'000'000} + 300'000'000'000; };
  env_.sleep = [](std::chrono::milliseconds) { return false; };
}

CliTest::~CliTest() {
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

Ran CliTest::Run(const std::vector<std::string>& args) {
  std::istringstream in(typed_);
  std::ostringstream out, err;
  env_.in = &in;
  env_.out = &out;
  env_.err = &err;
  Ran ran;
  ran.code = cli::Run(args, env_);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

std::string CliTest::WriteFile(const std::string& name, const std::string& text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
  return Path(name);
}

std::string CliTest::WriteConfig(const std::string& name, const model::Config& config) const {
  return WriteFile(name, model::ToYaml(config));
}

}  // namespace evenkeel::cli
