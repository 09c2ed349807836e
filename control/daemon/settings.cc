// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/settings.h"

#include <algorithm>
#include <functional>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/engine/engine.h"
#include "control/model/nearest.h"

namespace evenkeel::daemon {
namespace {

using Setter = std::function<absl::Status(const std::string&, Settings*)>;

Setter Text(std::string Settings::*member) {
  return [member](const std::string& value, Settings* settings) {
    settings->*member = value;
    return absl::OkStatus();
  };
}

Setter OneOf(std::string Settings::*member, std::vector<std::string> valid) {
  return [member, valid](const std::string& value, Settings* settings) -> absl::Status {
    if (std::find(valid.begin(), valid.end(), value) == valid.end()) {
      std::string names;
      for (const std::string& name : valid)
        absl::StrAppend(&names, names.empty() ? "" : ", ", name);
      return absl::InvalidArgumentError(absl::StrCat("is \"", value, "\"; write one of ", names));
    }
    settings->*member = value;
    return absl::OkStatus();
  };
}

absl::Status SetMode(const std::string& value, Settings* settings) {
  static const std::map<std::string, dataplane::XdpMode> modes = {
      {"auto", dataplane::XdpMode::kAuto},
      {"native", dataplane::XdpMode::kNative},
      {"generic", dataplane::XdpMode::kGeneric}};
  const auto found = modes.find(value);
  if (found == modes.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is \"", value, "\"; write auto, native or generic"));
  }
  settings->attach.mode = found->second;
  return absl::OkStatus();
}

absl::Status SetAttach(const std::string& value, Settings* settings) {
  if (value != "exclusive" && value != "shared") {
    return absl::InvalidArgumentError(
        absl::StrCat("is \"", value, "\"; write exclusive or shared"));
  }
  settings->attach.kind =
      value == "shared" ? dataplane::AttachKind::kShared : dataplane::AttachKind::kExclusive;
  return absl::OkStatus();
}

absl::Status SetAttachPriority(const std::string& value, Settings* settings) {
  constexpr uint32_t kMost = 65535;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("is \"", value, "\"; write 0..", kMost, ", lower ones run first"));
  }
  settings->attach.priority = number;
  return absl::OkStatus();
}

Setter Bool(bool Settings::*member) {
  return [member](const std::string& value, Settings* settings) -> absl::Status {
    if (value != "true" && value != "false") {
      return absl::InvalidArgumentError(absl::StrCat("is \"", value, "\"; write true or false"));
    }
    settings->*member = value == "true";
    return absl::OkStatus();
  };
}

absl::Status SetAdvertiseTable(const std::string& value, Settings* settings) {
  constexpr uint32_t kDefault = 253, kLocal = 255;
  if (value == "main") {
    settings->advertised.table = advertise::kMainTable;
    return absl::OkStatus();
  }
  uint32_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number == 0 || number == kDefault || number == kLocal) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is \"", value, "\"; write main or the number of a routing table, not 0, 253 or 255"));
  }
  settings->advertised.table = number;
  return absl::OkStatus();
}

absl::Status SetProbeTable(const std::string& value, Settings* settings) {
  constexpr uint32_t kFirstSystem = 253, kLastSystem = 255;
  uint32_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number == 0 ||
      (number >= kFirstSystem && number <= kLastSystem)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is \"", value,
        "\"; write the number of a routing table that nobody else uses, not 0 or 253..255"));
  }
  settings->probe_table = number;
  return absl::OkStatus();
}

// Those that the kernel, BIRD (12), zebra (11) and FRR (186..198) set or take for their own.
absl::Status SetAdvertiseProtocol(const std::string& value, Settings* settings) {
  uint32_t number = 0;
  const bool is_number = absl::SimpleAtoi(value, &number);
  if (!is_number || number < 5 || number > 255 || number == 11 || number == 12 ||
      (number >= 186 && number <= 198)) {
    return absl::InvalidArgumentError(
        absl::StrCat("is \"", value,
                     "\"; write the number of a routing protocol that nobody else uses, 5..255 "
                     "without 11, 12 and 186..198, which routing daemons take for their own"));
  }
  settings->advertised.protocol = static_cast<uint8_t>(number);
  return absl::OkStatus();
}

absl::Status SetAdvertiseMetric(const std::string& value, Settings* settings) {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(value, &number) || number == 0) {
    return absl::InvalidArgumentError(absl::StrCat("is \"", value, "\"; write 1..4294967295"));
  }
  settings->advertised.metric = number;
  return absl::OkStatus();
}

Setter Limit(uint32_t dataplane::Limits::*member) {
  constexpr uint32_t kMost = 1u << 20;
  return [member](const std::string& value, Settings* settings) -> absl::Status {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < 1 || number > kMost) {
      return absl::InvalidArgumentError(absl::StrCat("is \"", value, "\"; write 1..", kMost));
    }
    settings->limits.*member = number;
    return absl::OkStatus();
  };
}

Setter Number(uint32_t Settings::*member, uint32_t least, uint32_t most, const char* unit) {
  return [=](const std::string& value, Settings* settings) -> absl::Status {
    uint32_t number = 0;
    if (!absl::SimpleAtoi(value, &number) || number < least || number > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("is \"", value, "\"; write ", unit, least, "..", most));
    }
    settings->*member = number;
    return absl::OkStatus();
  };
}

absl::Status SetSource4(const std::string& value, Settings* settings) {
  const std::string remedy = absl::StrCat("is \"", value,
                                          "\"; write an IPv4 prefix of length 8..32, such as "
                                          "172.16.0.0/16");
  const size_t slash = value.find('/');
  uint32_t length = 0;
  auto address = model::IpAddress::Parse(value.substr(0, slash));
  if (slash == std::string::npos || !absl::SimpleAtoi(value.substr(slash + 1), &length) ||
      length < 8 || length > 32 || !address.ok() || !address->is_ipv4()) {
    return absl::InvalidArgumentError(remedy);
  }
  const auto& bytes = address->bytes();
  const uint32_t bits = static_cast<uint32_t>(bytes[0]) << 24 |
                        static_cast<uint32_t>(bytes[1]) << 16 |
                        static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
  if (length < 32 && (bits & (0xffffffffu >> length)) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("has host bits set; ", remedy));
  }
  settings->encapsulation.source4 = *address;
  settings->encapsulation.source4_prefix = static_cast<uint8_t>(length);
  return absl::OkStatus();
}

absl::Status SetSource6(const std::string& value, Settings* settings) {
  const std::string remedy =
      absl::StrCat("is \"", value, "\"; write an IPv6 prefix of length 64, such as 100::/64");
  const size_t slash = value.find('/');
  auto address = model::IpAddress::Parse(value.substr(0, slash));
  if (slash == std::string::npos || value.substr(slash + 1) != "64" || !address.ok() ||
      !address->is_ipv6()) {
    return absl::InvalidArgumentError(remedy);
  }
  const auto& bytes = address->bytes();
  if (std::any_of(bytes.begin() + 8, bytes.end(), [](uint8_t byte) { return byte != 0; })) {
    return absl::InvalidArgumentError(absl::StrCat("has host bits set; ", remedy));
  }
  settings->encapsulation.source6 = *address;
  return absl::OkStatus();
}

absl::Status SetGuePort(const std::string& value, Settings* settings) {
  uint32_t port = 0;
  if (!absl::SimpleAtoi(value, &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("is \"", value, "\"; write a UDP port, 1..65535"));
  }
  settings->encapsulation.gue_port = static_cast<uint16_t>(port);
  return absl::OkStatus();
}

absl::Status SetWatchWindow(const std::string& value, Settings* settings) {
  const auto least = static_cast<uint32_t>(engine::kMinWindow.count());
  const auto most = static_cast<uint32_t>(engine::kMaxWindow.count());
  if (value == "0") {
    settings->watch_window_s = 0;
    return absl::OkStatus();
  }
  return Number(&Settings::watch_window_s, least, most, "0 for none, or seconds, ")(value,
                                                                                    settings);
}

const std::map<std::string_view, Setter>& Setters() {
  static const auto* const setters = new std::map<std::string_view, Setter>{
      {"config", Text(&Settings::config)},
      {"socket", Text(&Settings::socket)},
      {"state_dir", Text(&Settings::state_dir)},
      {"pin_dir", Text(&Settings::pin_dir)},
      {"instance", Text(&Settings::instance)},
      {"mode", SetMode},
      {"attach", SetAttach},
      {"attach_priority", SetAttachPriority},
      {"detach_on_exit", Bool(&Settings::detach_on_exit)},
      {"hash_key_file", Text(&Settings::hash_key_file)},
      {"log_level", OneOf(&Settings::log_level, {"debug", "info", "warning", "error"})},
      {"log_format", OneOf(&Settings::log_format, {"text", "json"})},
      {"limits.max_tables", Limit(&dataplane::Limits::max_tables)},
      {"limits.max_vips", Limit(&dataplane::Limits::max_vips)},
      {"limits.max_backends", Limit(&dataplane::Limits::max_backends)},
      {"limits.max_pins", Limit(&dataplane::Limits::max_pins)},
      {"flow_idle_timeout", Number(&Settings::flow_idle_timeout_s, 10, 86400, "seconds, ")},
      {"change_interval", Number(&Settings::change_interval_s, 0, 3600, "seconds, ")},
      {"changes_per_hour", Number(&Settings::changes_per_hour, 1, 1000000, "")},
      {"policy_file", Text(&Settings::policy_file)},
      {"watch", Text(&Settings::watch)},
      {"watch_window", SetWatchWindow},
      {"history_days", Number(&Settings::history_days, 0, 36500, "days, ")},
      {"bake_time", Number(&Settings::bake_time_s, 0, 604800, "seconds, ")},
      {"gue_port", SetGuePort},
      {"source_prefix4", SetSource4},
      {"source_prefix6", SetSource6},
      {"probe_mark", Number(&Settings::probe_mark, 1, 65535, "the upper half of a mark, ")},
      {"probe_table", SetProbeTable},
      {"webhook.url", Text(&Settings::webhook_url)},
      {"webhook.secret_file", Text(&Settings::webhook_secret_file)},
      {"webhook.ca_file", Text(&Settings::webhook_ca_file)},
      {"webhook.escalate_after", Number(&Settings::webhook_escalate_minutes, 0, 1440, "minutes, ")},
      {"detector.by_right_after", Number(&Settings::by_right_after_s, 300, 604800, "seconds, ")},
      {"web.socket", Text(&Settings::web_socket)},
      {"web.listen", Text(&Settings::web_listen)},
      {"web.dashboard", Bool(&Settings::web_dashboard)},
      {"web.cert_file", Text(&Settings::web_cert_file)},
      {"web.key_file", Text(&Settings::web_key_file)},
      {"web.client_ca_file", Text(&Settings::web_client_ca_file)},
      {"advertise.enabled", Bool(&Settings::advertise)},
      {"advertise.table", SetAdvertiseTable},
      {"advertise.protocol", SetAdvertiseProtocol},
      {"advertise.metric", SetAdvertiseMetric},
  };
  return *setters;
}

absl::Status CheckAbsolute(std::string_view key, const std::string& path) {
  if (!path.empty() && path.front() == '/') return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(key), " is \"", path, "\"; write an absolute path"));
}

absl::Status CheckWeb(const Settings& settings) {
  if (!settings.WebSocket().empty()) {
    if (auto status = CheckAbsolute("web.socket", settings.WebSocket()); !status.ok()) {
      return status;
    }
  }
  if (settings.WebSocket() == settings.socket) {
    return absl::InvalidArgumentError("web.socket is the socket of the API; name another one");
  }
  if (settings.web_dashboard && settings.web_listen.empty()) {
    return absl::InvalidArgumentError(
        "web.dashboard is true, but nothing listens for a browser; set web.listen, such as "
        "127.0.0.1:9469");
  }
  return web::Check(settings.Web());
}

// The instance is a directory's name.
absl::Status CheckInstance(const std::string& instance) {
  const bool good =
      !instance.empty() && instance.size() <= 63 && instance.front() != '.' &&
      instance.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string::npos;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("instance is \"", instance,
                   "\"; write 1..63 letters, digits, \"-\", \"_\" or \".\", not beginning with "
                   "\".\""));
}

}  // namespace

std::string Settings::PinDir() const {
  return pin_dir.empty() ? absl::StrCat("/sys/fs/bpf/evenkeel/", instance) : pin_dir;
}

std::string Settings::HashKeyFile() const {
  return hash_key_file.empty() ? absl::StrCat(state_dir, "/hash.key") : hash_key_file;
}

// "/run/evenkeel/evenkeeld.sock" -> "/run/evenkeel/evenkeeld-web.sock"
std::string Settings::WebSocket() const {
  if (web_socket == "off") return "";
  if (!web_socket.empty()) return web_socket;
  return absl::StrCat(absl::StripSuffix(socket, ".sock"), "-web.sock");
}

std::vector<std::string_view> Keys() {
  std::vector<std::string_view> keys;
  for (const auto& [key, setter] : Setters()) keys.push_back(key);
  return keys;
}

absl::Status Set(std::string_view key, const std::string& value, Settings* settings) {
  const auto found = Setters().find(key);
  if (found == Setters().end()) {
    std::vector<std::string_view> valid = Keys();
    valid.push_back("interface");
    return absl::InvalidArgumentError(
        absl::StrCat("unknown key \"", std::string(key), "\"", model::DidYouMean(key, valid)));
  }
  absl::Status status = found->second(value, settings);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(std::string(key), " ", status.message()));
}

absl::Status Check(const Settings& settings) {
  if (auto status = CheckInstance(settings.instance); !status.ok()) return status;
  if (auto status = CheckAbsolute("socket", settings.socket); !status.ok()) return status;
  if (auto status = CheckAbsolute("state_dir", settings.state_dir); !status.ok()) return status;
  if (auto status = CheckAbsolute("pin_dir", settings.PinDir()); !status.ok()) return status;
  if (!settings.watch.empty()) {
    if (auto status = CheckAbsolute("watch", settings.watch); !status.ok()) return status;
  }
  if (auto status = CheckWeb(settings); !status.ok()) return status;
  for (const std::string& interface : settings.interfaces) {
    constexpr size_t kLongestName = 15;  // IFNAMSIZ - 1
    if (interface.empty() || interface.size() > kLongestName ||
        interface.find('/') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("interface is \"", interface, "\"; write a name such as eth0"));
    }
  }
  return absl::OkStatus();
}

}  // namespace evenkeel::daemon
