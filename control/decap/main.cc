// SPDX-License-Identifier: Apache-2.0
//
// evenkeel-decap: removes the balancer's outer headers on a backend host. Attaches and exits.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "control/decap/decap.h"

namespace {

using evenkeel::decap::Mode;
using evenkeel::decap::Prefix;
using evenkeel::model::IpAddress;

struct Flags {
  evenkeel::decap::Options options;
  std::vector<std::string> addresses;
  std::vector<std::string> sources;
  std::string output = "text";
  bool detach = false;
  bool status = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  static const std::map<std::string, Mode> modes = {
      {"auto", Mode::kAuto}, {"native", Mode::kNative}, {"generic", Mode::kGeneric}};
  app.add_option("--interface", flags.options.target.interface,
                 "Interface that the balancer's packets arrive on")
      ->required();
  app.add_option("--address", flags.addresses,
                 "Outer destination to accept; repeatable. Default: the interface's own")
      ->allow_extra_args(false);
  app.add_option("--source-prefix", flags.sources,
                 "Outer source to accept (10.0.0.0/8); repeatable. Default: every one")
      ->allow_extra_args(false);
  app.add_option("--gue-port", flags.options.gue_port, "UDP port of GUE packets; 0: take none")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--pin-dir", flags.options.target.pin_dir, "Where the link is pinned")
      ->capture_default_str();
  app.add_option("--mode", flags.options.mode, "auto, native or generic XDP")
      ->transform(CLI::CheckedTransformer(modes))
      ->default_str("auto");
  app.add_option("-o,--output", flags.output, "Format of --status: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  auto* detach = app.add_flag("--detach", flags.detach, "Stop decapsulating");
  app.add_flag("--status", flags.status, "Print addresses and counters")->excludes(detach);
}

std::string Join(const auto& items) {
  return absl::StrJoin(items, " ",
                       [](std::string* out, const auto& item) { out->append(item.ToString()); });
}

absl::Status Parse(Flags& flags) {
  for (const std::string& text : flags.addresses) {
    absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
    if (!address.ok()) return address.status();
    flags.options.addresses.push_back(*address);
  }
  for (const std::string& text : flags.sources) {
    absl::StatusOr<Prefix> prefix = Prefix::Parse(text);
    if (!prefix.ok()) return prefix.status();
    flags.options.sources.push_back(*prefix);
  }
  return absl::OkStatus();
}

absl::Status RunAttach(const Flags& flags) {
  absl::StatusOr<evenkeel::decap::Attached> attached = Attach(flags.options);
  if (!attached.ok()) return attached.status();
  if (!attached->fallback_reason.empty()) {
    std::cerr << "evenkeel-decap: " << attached->fallback_reason << "; using generic mode\n";
  }
  std::cout << flags.options.target.interface << ": "
            << (attached->replaced ? "program replaced, " : "attached, ")
            << ModeName(attached->mode) << " mode, decapsulating for " << Join(attached->addresses)
            << "\n";
  return absl::OkStatus();
}

void PrintText(const std::string& interface, const evenkeel::decap::Report& report) {
  std::cout << "interface  " << interface << " (" << ModeName(report.mode) << ")\n"
            << "addresses  " << Join(report.addresses) << "\n"
            << "sources    " << (report.sources.empty() ? "any" : Join(report.sources)) << "\n"
            << "gue port   " << (report.gue_port == 0 ? "none" : std::to_string(report.gue_port))
            << "\n";
  for (const auto& [name, packets] : report.verdicts) {
    std::printf("%-16s %20llu\n", name.c_str(), static_cast<unsigned long long>(packets));
  }
}

void PrintJson(const std::string& interface, const evenkeel::decap::Report& report) {
  nlohmann::ordered_json json = {
      {"schema", "evenkeel.decap/v1"}, {"interface", interface}, {"mode", ModeName(report.mode)}};
  json["addresses"] = nlohmann::json::array();
  for (const IpAddress& address : report.addresses) json["addresses"].push_back(address.ToString());
  json["sources"] = nlohmann::json::array();
  for (const Prefix& source : report.sources) json["sources"].push_back(source.ToString());
  json["gue_port"] = report.gue_port;
  for (const auto& [name, packets] : report.verdicts) json["packets"][name] = packets;
  std::cout << json.dump(2) << "\n";
}

absl::Status RunStatus(const Flags& flags) {
  const auto& target = flags.options.target;
  absl::StatusOr<evenkeel::decap::Report> report = ReadReport(target);
  if (!report.ok()) return report.status();
  if (flags.output == "json") {
    PrintJson(target.interface, *report);
  } else {
    PrintText(target.interface, *report);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Removes the balancer's outer headers (IP in IP, GUE) on a backend host, in XDP.");
  Flags flags;
  AddFlags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  absl::Status status = Parse(flags);
  if (status.ok()) {
    status = flags.detach   ? Detach(flags.options.target)
             : flags.status ? RunStatus(flags)
                            : RunAttach(flags);
  }
  if (status.ok()) return 0;
  std::cerr << "evenkeel-decap: " << status.message() << "\n";
  return 1;
}
