// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_UNIT_CLI_CLI_FIXTURE_H_
#define EVENKEEL_TESTS_UNIT_CLI_CLI_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "control/cli/app.h"
#include "control/cli/environment.h"
#include "tests/unit/cli/fake_engine.h"

namespace evenkeel::cli {

struct Ran {
  int code = -1;
  std::string out, err;

  // Fails the test if the output is not one JSON document.
  nlohmann::json Json() const;
};

// Runs commands in this process against a FakeEngine that runs WebConfig(4) as revision 1.
class CliTest : public testing::Test {
 protected:
  CliTest();
  ~CliTest() override;

  Ran Run(const std::vector<std::string>& args);
  // A file of the test's own folder, removed afterwards.
  std::string WriteFile(const std::string& name, const std::string& text) const;
  std::string WriteConfig(const std::string& name, const model::Config& config) const;
  std::string Path(const std::string& name) const { return (dir_ / name).string(); }

  FakeEngine daemon_;
  Environment env_;
  std::string typed_;  // on standard input

 private:
  std::filesystem::path dir_;
};

}  // namespace evenkeel::cli

#endif  // EVENKEEL_TESTS_UNIT_CLI_CLI_FIXTURE_H_
