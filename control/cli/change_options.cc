// SPDX-License-Identifier: Apache-2.0
#include "control/cli/change_options.h"

#include "control/cli/command.h"
#include "control/cli/duration.h"

namespace evenkeel::cli {

void AddFailOn(CLI::App& app, std::string& value) {
  AddChoice(app, "--fail-on", value, "error|warn",
            "warn: exit with 4 if there are warnings; default error");
}

CLI::Option* ChangeFlags::Declare(CLI::App& app) {
  CLI::Option* file =
      app.add_option("-f,--file", options_.path, "The configuration; - is standard input")
          ->type_name(kFileType);
  app.add_option("--pool", options_.pool, "Change this pool only; VIPs and other pools stay")
      ->type_name("NAME");
  app.add_option("--etag", options_.etag, "Of the state that the file was made from (see get)")
      ->type_name("ETAG");
  DeclareCommon(app);
  return file;
}

void ChangeFlags::DeclareCommon(CLI::App& app) {
  app.add_flag("--detailed-exitcode", options_.detailed_exitcode,
               "Exit with 2 if it changes something");
  AddFailOn(app, fail_on_);
  app.add_flag("--allow-live", options_.consent.allow_live,
               "Also if a VIP or pool goes that carried traffic just now (LB015)");
  app.add_option("--override", options_.consent.overrides,
                 "Let these rules only warn, \"LB005,LB006\"; shown until it ends")
      ->type_name(kRuleType)
      ->delimiter(',');
  app.add_option("--expires", expires_, "When the override ends, 1m to 168h; required with it")
      ->type_name("DURATION");
  app.add_flag("--all", options_.all, "Print every pool and backend, also of long lists");
}

absl::StatusOr<ChangeOptions> ChangeFlags::Take() const {
  ChangeOptions options = options_;
  if (options.consent.overrides.empty() != expires_.empty()) {
    return absl::InvalidArgumentError(
        expires_.empty() ? "--override needs --expires: say for how long, such as --expires 1h"
                         : "--expires is of an override; name the rules with --override");
  }
  if (!expires_.empty()) {
    const auto expires =
        ReadDuration("--expires", expires_, engine::kMinOverride, engine::kMaxOverride);
    if (!expires.ok()) return expires.status();
    options.consent.expires = *expires;
  }
  options.fail_on_warn = fail_on_ == "warn";
  return options;
}

}  // namespace evenkeel::cli
