// SPDX-License-Identifier: Apache-2.0
//
// The contract with scripts: every command, every outcome, and the same code in every format.
#include "control/cli/exit_code.h"

#include "control/cli/command.h"
#include "control/cli/text.h"
#include "tests/unit/cli/cli_fixture.h"

namespace evenkeel::cli {
namespace {

struct ExitCase {
  const char* name;
  std::vector<std::string> args;  // "@good" stands for the file of that name
  int code;
  absl::Status down;
  bool has_socket = false;
};

// Every format that the command has.
std::vector<std::string_view> FormatsOf(const std::string& command) {
  for (const CommandSpec& spec : Commands()) {
    if (spec.name == command) return Split(spec.formats, '|');
  }
  return {};
}

class ExitCodeTest : public CliTest, public testing::WithParamInterface<ExitCase> {
 protected:
  ExitCodeTest() {
    WriteConfig("same", WebConfig(4));
    WriteConfig("good", WebConfig(5));
    WriteConfig("refused", WebConfig(1));
    model::Config warned = WebConfig(4);
    for (int i = 0; i < 4; ++i) warned.pools[0].backends[i].weight = 500;
    warned.pools[0].backends[3].weight = 45;
    for (int i = 5; i <= 6; ++i) {
      model::Backend more = warned.pools[0].backends[0];
      more.name += std::to_string(i);
      more.address = model::IpAddress::FromIpv4({10, 0, 1, static_cast<uint8_t>(10 + i)});
      warned.pools[0].backends.push_back(more);
    }
    WriteConfig("warned", warned);
    WriteFile("broken", "pools: [}\n");
    Run({"plan", "-f", Path("good"), "--out", Path("plan")});
  }

  std::vector<std::string> Args(std::string_view format) {
    std::vector<std::string> args = GetParam().args;
    for (std::string& arg : args) {
      if (arg.starts_with("@")) arg = Path(arg.substr(1));
    }
    args.insert(args.end(), {"-o", std::string(format)});
    return args;
  }
};

TEST_P(ExitCodeTest, IsTheSameInEveryFormat) {
  daemon_.down = GetParam().down;
  env_.socket_exists = [](const std::string&) { return GetParam().has_socket; };
  const std::vector<std::string_view> formats = FormatsOf(GetParam().args[0]);
  ASSERT_GE(formats.size(), 2u);
  for (const std::string_view format : formats) {
    const Ran ran = Run(Args(format));
    EXPECT_EQ(ran.code, GetParam().code) << format << "\n" << ran.out << ran.err;
    if (format == "json" || format == "sarif") ran.Json();
    if (ran.code == 1) {
      EXPECT_FALSE((ran.out + ran.err).empty()) << "an error without a word";
    }
  }
}

const absl::Status kDown = absl::UnavailableError("no daemon");
const absl::Status kDenied = absl::PermissionDeniedError("not in the group");

INSTANTIATE_TEST_SUITE_P(
    All, ExitCodeTest,
    testing::Values(
        ExitCase{"check_pass", {"check", "@good"}, 0, kDown},
        ExitCase{"check_warn", {"check", "@warned"}, 0, kDown},
        ExitCase{"check_fail_on_warn", {"check", "@warned", "--fail-on", "warn"}, 4, kDown},
        ExitCase{"check_pass_fail_on_warn", {"check", "@good", "--fail-on", "warn"}, 0, kDown},
        ExitCase{"check_refused", {"check", "@refused"}, 3, kDown},
        ExitCase{
            "check_refused_fail_on_warn", {"check", "@refused", "--fail-on", "warn"}, 3, kDown},
        ExitCase{"check_broken", {"check", "@broken"}, 1, kDown},
        ExitCase{"check_missing", {"check", "@none"}, 1, kDown},
        ExitCase{"check_broken_and_refused", {"check", "@refused", "@broken"}, 1, kDown},
        ExitCase{"check_warned_and_refused",
                 {"check", "@warned", "@refused", "--fail-on", "warn"},
                 3,
                 kDown},
        ExitCase{"check_against_missing", {"check", "@good", "--against", "@none"}, 1, kDown},
        ExitCase{"check_key_missing", {"check", "@good", "--hash-key-file", "@none"}, 1, kDown},
        ExitCase{"check_fail_on_error", {"check", "@warned", "--fail-on", "error"}, 0, kDown},
        ExitCase{"check_by_daemon", {"check", "@good"}, 0, {}, true},
        ExitCase{"check_by_daemon_no_change", {"check", "@same"}, 0, {}, true},
        ExitCase{"check_by_daemon_refused", {"check", "@good", "@refused"}, 3, {}, true},
        ExitCase{"check_by_daemon_broken", {"check", "@broken"}, 1, {}, true},
        ExitCase{"check_daemon_down", {"check", "@good"}, 1, kDown, true},
        ExitCase{"check_daemon_denied", {"check", "@refused"}, 1, kDenied, true},
        ExitCase{"check_offline_beside_a_daemon", {"check", "@good", "--offline"}, 0, kDown, true},
        ExitCase{"check_against_beside_a_daemon",
                 {"check", "@good", "--against", "@same"},
                 0,
                 kDown,
                 true},
        ExitCase{"history_health", {"history", "--health"}, 0, {}},
        ExitCase{"history_health_down", {"history", "--health"}, 1, kDown},
        ExitCase{"plan_changes", {"plan", "-f", "@good"}, 0, {}},
        ExitCase{"plan_detailed", {"plan", "-f", "@good", "--detailed-exitcode"}, 2, {}},
        ExitCase{"plan_same_detailed", {"plan", "-f", "@same", "--detailed-exitcode"}, 0, {}},
        ExitCase{"plan_refused", {"plan", "-f", "@refused"}, 3, {}},
        ExitCase{"plan_refused_detailed", {"plan", "-f", "@refused", "--detailed-exitcode"}, 3, {}},
        ExitCase{"plan_stale", {"plan", "-f", "@good", "--etag", "old"}, 5, {}},
        ExitCase{"plan_broken", {"plan", "-f", "@broken"}, 1, {}},
        ExitCase{"plan_missing", {"plan", "-f", "@none"}, 1, {}},
        ExitCase{"plan_no_such_pool", {"plan", "-f", "@good", "--pool", "x"}, 1, {}},
        ExitCase{"plan_out", {"plan", "-f", "@good", "--out", "@new"}, 0, {}},
        ExitCase{"plan_out_same_detailed",
                 {"plan", "-f", "@same", "--out", "@new", "--detailed-exitcode"},
                 0,
                 {}},
        ExitCase{"plan_out_refused", {"plan", "-f", "@refused", "--out", "@new"}, 3, {}},
        ExitCase{"plan_out_over_a_config", {"plan", "-f", "@good", "--out", "@same"}, 1, {}},
        ExitCase{"plan_out_nowhere", {"plan", "-f", "@good", "--out", "@no/plan"}, 1, {}},
        ExitCase{"plan_down", {"plan", "-f", "@good"}, 1, kDown},
        ExitCase{"plan_denied", {"plan", "-f", "@good"}, 1, kDenied},
        ExitCase{"apply_same", {"apply", "-f", "@same", "--reason", "r"}, 0, {}},
        ExitCase{"apply_same_detailed",
                 {"apply", "-f", "@same", "--reason", "r", "--detailed-exitcode"},
                 0,
                 {}},
        ExitCase{"apply_not_confirmed", {"apply", "-f", "@good", "--reason", "r"}, 1, {}},
        ExitCase{"apply_validate_only",
                 {"apply", "-f", "@good", "--reason", "r", "--validate-only"},
                 0,
                 {}},
        ExitCase{"apply_refused", {"apply", "-f", "@refused", "--reason", "r", "--yes"}, 3, {}},
        ExitCase{"apply_refused_without_yes", {"apply", "-f", "@refused", "--reason", "r"}, 3, {}},
        ExitCase{"apply_stale",
                 {"apply", "-f", "@good", "--reason", "r", "--yes", "--etag", "old"},
                 5,
                 {}},
        ExitCase{"apply_broken", {"apply", "-f", "@broken", "--reason", "r", "--yes"}, 1, {}},
        ExitCase{"apply_down", {"apply", "-f", "@good", "--reason", "r", "--yes"}, 1, kDown},
        ExitCase{
            "apply_plan", {"apply", "@plan", "--reason", "r", "--validate-only", "--yes"}, 0, {}},
        ExitCase{"apply_plan_not_confirmed", {"apply", "@plan", "--reason", "r"}, 1, {}},
        ExitCase{"apply_plan_down", {"apply", "@plan", "--reason", "r", "--yes"}, 1, kDown},
        ExitCase{"apply_no_plan", {"apply", "@none", "--reason", "r", "--yes"}, 1, {}},
        ExitCase{"apply_config_as_plan", {"apply", "@good", "--reason", "r", "--yes"}, 1, {}},
        ExitCase{"apply_plan_and_file",
                 {"apply", "@plan", "-f", "@good", "--reason", "r", "--yes"},
                 1,
                 {}},
        ExitCase{"apply_nothing", {"apply", "--reason", "r", "--yes"}, 1, {}},
        ExitCase{"apply_conflict",
                 {"apply", "-f", "@good", "--reason", "r", "--yes"},
                 5,
                 absl::AbortedError("another change is under way")},
        ExitCase{"get", {"get"}, 0, {}}, ExitCase{"get_revision", {"get", "-r", "1"}, 0, {}},
        ExitCase{"get_no_such_revision", {"get", "-r", "99"}, 1, {}},
        ExitCase{"get_down", {"get"}, 1, kDown},
        ExitCase{"diff_same", {"diff", "-f", "@same", "--detailed-exitcode"}, 0, {}},
        ExitCase{"diff_differs", {"diff", "-f", "@good"}, 0, {}},
        ExitCase{"diff_differs_detailed", {"diff", "-f", "@good", "--detailed-exitcode"}, 2, {}},
        ExitCase{"diff_revisions", {"diff", "1", "1"}, 0, {}},
        ExitCase{"diff_broken", {"diff", "-f", "@broken"}, 1, {}},
        ExitCase{"diff_no_such_revision", {"diff", "1", "99"}, 1, {}},
        ExitCase{"diff_down", {"diff", "-f", "@good"}, 1, kDown},
        ExitCase{"status", {"status"}, 0, {}}, ExitCase{"status_down", {"status"}, 1, kDown},
        ExitCase{"history", {"history"}, 0, {}}, ExitCase{"history_down", {"history"}, 1, kDown},
        ExitCase{"watch_down", {"watch"}, 1, kDown}, ExitCase{"rules", {"rules"}, 0, kDown},
        ExitCase{"rules_one", {"rules", "LB001"}, 0, kDown},
        ExitCase{"rules_by_name", {"rules", "backend-share"}, 0, kDown},
        ExitCase{"rules_unknown", {"rules", "LB999"}, 1, kDown}),
    [](const auto& tested) { return tested.param.name; });

TEST(WorseTest, ErrorOutweighsRefusalOutweighsWarning) {
  EXPECT_EQ(Worse(ExitCode::kRefused, ExitCode::kError), ExitCode::kError);
  EXPECT_EQ(Worse(ExitCode::kWarnings, ExitCode::kRefused), ExitCode::kRefused);
  EXPECT_EQ(Worse(ExitCode::kDone, ExitCode::kWarnings), ExitCode::kWarnings);
  EXPECT_EQ(Worse(ExitCode::kDone, ExitCode::kDone), ExitCode::kDone);
}

}  // namespace
}  // namespace evenkeel::cli
