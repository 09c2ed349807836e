// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/flags.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace evenkeel::daemon {
namespace {

constexpr char kAbout[] =
    "evenkeeld - XDP layer-4 load balancer that refuses updates which would concentrate traffic.\n"
    "\n"
    "Attaches the balancer to the interfaces, keeps its tables, and serves the evenkeel command "
    "on\n"
    "a Unix socket. Forwarding does not need the daemon: it goes on when the daemon ends.\n";

constexpr char kFooter[] =
    "\nEvery flag is also a key of the settings file (with _ for -); flags win.\n"
    "Signals: SIGTERM and SIGINT end the daemon, SIGHUP compares the config file again.\n"
    "Exit codes: 0 ended as asked, 1 error, 3 the first configuration was refused.";

// Flags that are one setting each.
struct Flag {
  const char* name;
  const char* key;
  const char* type;
  const char* text;
};
constexpr Flag kFlags[] = {
    {"--config", "config", "FILE",
     "Configuration to begin with. Used only while nothing was ever applied; later the state that "
     "was applied last counts, and a file that differs is reported"},
    {"--watch", "watch", "FILE",
     "Configuration that something else writes: applied whenever it changes, if the rules let it. "
     "What is empty, cut off or sharply shrunken is held"},
    {"--watch-window", "watch_window", "SECONDS",
     "Watch each change of that file for so long before it counts as confirmed; 0: not at all [0]"},
    {"--socket", "socket", "PATH",
     "Unix socket of the API [/run/evenkeel/evenkeeld.sock]. Who may open it may change the "
     "balancer"},
    {"--state-dir", "state_dir", "DIR", "Revisions, refusals, the hash key [/var/lib/evenkeel]"},
    {"--pin-dir", "pin_dir", "DIR",
     "Where programs, maps and links are pinned [/sys/fs/bpf/evenkeel/<instance>]"},
    {"--instance", "instance", "NAME", "Tells several balancers of one host apart [default]"},
    {"--mode", "mode", "MODE",
     "auto, native (in the driver) or generic (any interface, slower) [auto]"},
    {"--attach", "attach", "KIND",
     "exclusive (the only XDP program of its interfaces) or shared (beside others, through "
     "libxdp's dispatcher) [exclusive]"},
    {"--attach-priority", "attach_priority", "N",
     "Place among the programs that share an interface; lower ones run first [50]"},
    {"--hash-key-file", "hash_key_file", "FILE",
     "The fleet's secret, 32 hexadecimal digits, mode 0600; made if absent [<state-dir>/hash.key]"},
    {"--policy-file", "policy_file", "FILE",
     "This host's policy for every pool: a configuration with nothing but `policy`. The stricter "
     "of it, the configuration's and the pool's counts"},
    {"--change-interval", "change_interval", "SECONDS",
     "What must lie between two changes of a pool, rule LB014 [30]"},
    {"--changes-per-hour", "changes_per_hour", "N",
     "How often a pool may change in an hour, rule LB014 [10]"},
    {"--web-listen", "web.listen", "ADDR:PORT",
     "Serve metrics by HTTP there, for Prometheus: 127.0.0.1:9469. An address that others can "
     "reach "
     "needs TLS, key web of the settings file. Metrics are on a Unix socket anyway [none]"},
    {"--log-level", "log_level", "LEVEL", "debug, info, warning or error [info]"},
    {"--log-format", "log_format", "FORMAT", "text or json, to standard error [text]"},
};

void AddFlags(CLI::App* app, std::map<std::string, std::string>* values,
              std::vector<std::string>* interfaces) {
  for (const Flag& flag : kFlags) {
    app->add_option(flag.name, (*values)[flag.key], flag.text)
        ->type_name(flag.type)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  app->add_option("--interface", *interfaces,
                  "Interface on which packets for VIPs arrive; repeat for more. Interfaces that an "
                  "earlier run attached and that are not named are detached; without this flag "
                  "attachments stay as they are")
      ->type_name("IF")
      ->allow_extra_args(false);
}

absl::Status Merge(const CLI::App& app, const std::map<std::string, std::string>& values,
                   Settings* settings) {
  for (const Flag& flag : kFlags) {
    if (app.count(flag.name) == 0) continue;
    if (auto status = Set(flag.key, values.at(flag.key), settings); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReadSettings(const CLI::App& app, const std::string& path, Settings* settings) {
  std::error_code error;
  // The default file may be absent, a named one may not.
  if (app.count("--settings") == 0 && !std::filesystem::exists(path, error)) {
    return absl::OkStatus();
  }
  return ReadSettingsFile(path, settings);
}

// CLI11 takes the arguments in reverse order.
std::vector<std::string> Arguments(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) arguments.emplace_back(argv[i]);
  return arguments;
}

Parsed UsageError(const std::string& message) {
  std::cerr << "evenkeeld: " << message << "\n";
  return {.settings = std::nullopt, .exit_code = kExitError};
}

}  // namespace

Parsed ParseFlags(int argc, const char* const* argv) {
  CLI::App app(kAbout, "evenkeeld");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("evenkeeld " EK_VERSION));
  std::map<std::string, std::string> values;
  std::vector<std::string> interfaces;
  std::string settings_path = kDefaultSettingsFile;
  bool detach = false, advertise = false, dashboard = false;
  AddFlags(&app, &values, &interfaces);
  app.add_flag("--detach-on-exit", detach,
               "When ended by a signal, remove programs, maps and pins: packets are no longer "
               "balanced. Without it the data plane stays");
  app.add_flag(
      "--dashboard", dashboard,
      "Serve the dashboard, too, where --web-listen says: it only shows, and changes nothing");
  app.add_flag(
      "--advertise", advertise,
      "Keep a route for each VIP address that this host can serve, for a routing daemon to "
      "announce; which table, protocol and metric: key advertise of the settings file");
  app.add_option("--settings", settings_path, "Settings file [/etc/evenkeel/evenkeeld.yaml]")
      ->type_name("FILE");
  try {
    app.parse(Arguments(argc, argv));
  } catch (const CLI::Success& done) {
    return {.settings = std::nullopt, .exit_code = app.exit(done)};
  } catch (const CLI::ParseError& error) {
    return UsageError(std::string(error.what()) + "; see evenkeeld --help");
  }
  Settings settings;
  if (auto status = ReadSettings(app, settings_path, &settings); !status.ok()) {
    return UsageError(std::string(status.message()));
  }
  if (auto status = Merge(app, values, &settings); !status.ok()) {
    return UsageError("--" + std::string(status.message()));
  }
  if (!interfaces.empty()) settings.interfaces = interfaces;
  if (detach) settings.detach_on_exit = true;
  if (advertise) settings.advertise = true;
  if (dashboard) settings.web_dashboard = true;
  if (auto status = Check(settings); !status.ok()) return UsageError(std::string(status.message()));
  return {.settings = settings, .exit_code = kExitOk};
}

}  // namespace evenkeel::daemon
