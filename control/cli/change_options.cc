// SPDX-License-Identifier: Apache-2.0
#include "control/cli/change_options.h"

#include "control/cli/command.h"

namespace evenkeel::cli {

void AddFailOn(CLI::App& app, std::string& value) {
  AddChoice(app, "--fail-on", value, "error|warn",
            "warn: exit with 4 if there are warnings; default error");
}

void ChangeFlags::Declare(CLI::App& app) {
  app.add_option("-f,--file", options_.path, "The configuration; - is standard input")
      ->type_name(kFileType)
      ->required();
  app.add_option("--pool", options_.pool, "Change this pool only; VIPs and other pools stay")
      ->type_name("NAME");
  app.add_option("--etag", options_.etag, "Of the state that the file was made from (see get)")
      ->type_name("ETAG");
  app.add_flag("--detailed-exitcode", options_.detailed_exitcode,
               "Exit with 2 if it changes something");
  AddFailOn(app, fail_on_);
  app.add_flag("--all", options_.all, "Print every pool and backend, also of long lists");
}

ChangeOptions ChangeFlags::Take() const {
  ChangeOptions options = options_;
  options.fail_on_warn = fail_on_ == "warn";
  return options;
}

}  // namespace evenkeel::cli
