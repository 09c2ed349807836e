// SPDX-License-Identifier: Apache-2.0
//
// docs/ci: what people copy into their pipelines is run here as those would, as far as it goes
// without them: every script and hook, in a repository with a target branch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/cli/process.h"

namespace evenkeel::cli {
namespace {

using testing::HasSubstr;

YAML::Node Load(const std::string& name) {
  return YAML::LoadFile(std::string(EK_SOURCE_DIR) + "/docs/ci/" + name);
}

// The scripts of a job, in their order; the pipeline stops at the first that fails.
using Scripts = std::vector<std::string>;

Scripts GithubScripts() {
  Scripts scripts;
  const YAML::Node steps = Load("github-actions.yml")["jobs"]["check"]["steps"];
  for (const YAML::Node& step : steps) {
    if (step["run"]) scripts.push_back(step["run"].as<std::string>());
  }
  return scripts;
}

Scripts GitlabScripts() {
  Scripts scripts;
  const YAML::Node script = Load("gitlab-ci.yml")["evenkeel"]["script"];
  for (const YAML::Node& line : script) scripts.push_back(line.as<std::string>());
  return scripts;
}

// Hooks are given the changed files as arguments.
Scripts HookScripts(const YAML::Node& hooks) {
  Scripts scripts;
  for (const YAML::Node& hook : hooks) {
    EXPECT_EQ(hook["language"].as<std::string>(), "system");
    EXPECT_EQ(hook["id"].as<std::string>(), "evenkeel-check");
    scripts.push_back(hook["entry"].as<std::string>() + " lb/web.yaml");
  }
  return scripts;
}

std::string Backends(int count) {
  std::string yaml =
      "vips:\n  - {name: web, address: 192.0.2.10, port: 443, protocol: tcp, pool: web}\n"
      "pools:\n  - name: web\n    backends:\n";
  for (int i = 1; i <= count; ++i) {
    const std::string number = std::to_string(i);
    yaml += "      - {name: web-" + number + ", address: 10.0.1." + number + "}\n";
  }
  return yaml;
}

// A clone whose target branch "main" has eight backends.
class Clone {
 public:
  Clone() {
    std::filesystem::create_directory(dir_.Path("lb"));
    dir_.Write("lb/web.yaml", Backends(8));
    const Finished made = Shell(
        "git init -q -b main . && git add lb && "
        "git -c user.name=t -c user.email=t@example.com commit -q -m 'web' && "
        "git update-ref refs/remotes/origin/main HEAD");
    EXPECT_EQ(made.code, 0) << made.err;
  }

  void Change(const std::string& yaml) { dir_.Write("lb/web.yaml", yaml); }

  Finished Shell(const std::string& script) const {
    const std::string bin = std::filesystem::path(EvenkeelPath()).parent_path();
    return RunProgram("/bin/bash", {.args = {"-e", "-c",
                                             "cd '" + dir_.Path("") + "'; PATH='" + bin +
                                                 "':$PATH; export HOME=$PWD\n" + script}});
  }

  // Until one fails, but also those that report after a failure.
  int Run(const Scripts& scripts) const {
    const std::string variables =
        "export CONFIG=lb/web.yaml RUNNER_TEMP=$PWD GITHUB_BASE_REF=main "
        "CI_MERGE_REQUEST_DIFF_BASE_SHA=$(git rev-parse origin/main)\n";
    int code = 0;
    for (const std::string& script : scripts) {
      const Finished ran = Shell(variables + script);
      if (code == 0) code = ran.code;
      EXPECT_NE(ran.code, 127) << script << ran.err;
    }
    return code;
  }

  bool Has(const std::string& name) const {
    std::error_code error;
    return std::filesystem::file_size(dir_.Path(name), error) > 0 && !error;
  }

 private:
  TempDir dir_;
};

struct Snippet {
  const char* name;
  std::function<Scripts()> scripts;
  bool compares;       // with the target branch
  const char* report;  // written whatever comes of it
};

class CiDocsTest : public testing::TestWithParam<Snippet> {};

TEST_P(CiDocsTest, PassesWhatIsGoodAndFailsWhatIsNot) {
  const Scripts scripts = GetParam().scripts();
  ASSERT_FALSE(scripts.empty());
  const struct {
    const char* name;
    std::string yaml;
    int code;
  } changes[] = {{"as it was", Backends(8), 0},
                 {"one more", Backends(9), 0},
                 {"one left", Backends(1), 3},
                 {"half is gone", Backends(4), GetParam().compares ? 3 : 0},
                 {"not a configuration", "pools: 3\n", 1}};
  for (const auto& change : changes) {
    Clone clone;
    clone.Change(change.yaml);
    EXPECT_EQ(clone.Run(scripts), change.code) << change.name;
    if (GetParam().report != nullptr) {
      EXPECT_TRUE(clone.Has(GetParam().report)) << change.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CiDocsTest,
    testing::Values(
        Snippet{"github", GithubScripts, true, "evenkeel.sarif"},
        Snippet{"gitlab", GitlabScripts, true, "evenkeel.xml"},
        Snippet{"hooks", [] { return HookScripts(Load("pre-commit-hooks.yaml")); }, false, nullptr},
        Snippet{"hook_config",
                [] { return HookScripts(Load("pre-commit-config.yaml")["repos"][0]["hooks"]); },
                false, nullptr}),
    [](const auto& tested) { return tested.param.name; });

TEST(CiDocsFilesTest, EveryFileIsInTheTable) {
  const std::filesystem::path folder = std::string(EK_SOURCE_DIR) + "/docs/ci";
  std::ifstream in(folder / "README.md");
  const std::string readme(std::istreambuf_iterator<char>(in), {});
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name == "README.md") continue;
    EXPECT_THAT(readme, HasSubstr("(" + name + ")"));
  }
}

}  // namespace
}  // namespace evenkeel::cli
