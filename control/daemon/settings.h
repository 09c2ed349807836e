// SPDX-License-Identifier: Apache-2.0
//
// How this daemon runs on this host (docs/daemon.md); what it balances is another file, --config.
#ifndef EVENKEEL_CONTROL_DAEMON_SETTINGS_H_
#define EVENKEEL_CONTROL_DAEMON_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/advertise/plan.h"
#include "control/dataplane/kernel_dataplane.h"
#include "control/web/server.h"

namespace evenkeel::daemon {

inline constexpr char kDefaultSettingsFile[] = "/etc/evenkeel/evenkeeld.yaml";

struct Settings {
  std::string config;                   // path; empty: none
  std::vector<std::string> interfaces;  // empty: attachments stay as they are
  std::string socket = "/run/evenkeel/evenkeeld.sock";
  std::string state_dir = "/var/lib/evenkeel";
  std::string pin_dir;  // empty: /sys/fs/bpf/evenkeel/<instance>
  std::string instance = "default";
  dataplane::AttachOptions attach;  // the keys mode, attach and attach_priority
  bool detach_on_exit = false;
  std::string hash_key_file;  // empty: <state_dir>/hash.key
  std::string log_level = "info";
  std::string log_format = "text";
  dataplane::Limits limits;
  uint32_t flow_idle_timeout_s = 900;  // how long a flow without packets counts as alive
  uint32_t change_interval_s = 30;     // between two changes of a pool (LB014)
  uint32_t changes_per_hour = 10;      // of a pool (LB014)
  std::string policy_file;             // of the host, for every pool; empty: none
  std::string watch;            // path of a file that is applied when it changes; empty: none
  uint32_t watch_window_s = 0;  // how long each of its changes awaits; 0: not at all
  uint32_t history_days = 400;  // 0: kept for ever
  uint32_t bake_time_s = 600;   // how long a confirmed revision runs until it is known as good
  dataplane::Encapsulation encapsulation;
  uint32_t probe_mark = 0x454b;            // upper half of the mark of probes through VIPs
  uint32_t probe_table = 151;              // routing table that these probes follow
  std::string webhook_url;                 // for alarms; empty: none
  std::string webhook_secret_file;         // required with it
  std::string webhook_ca_file;             // empty: the certificates that the host trusts
  uint32_t webhook_escalate_minutes = 10;  // until an unacknowledged page is told again; 0: never
  uint32_t by_right_after_s = 300;         // until what clients make by right is a ticket
  std::string web_socket;                  // of metrics; empty: beside the API's; "off": none
  std::string web_listen;                  // address:port of metrics and dashboard; empty: none
  bool web_dashboard = false;
  std::string web_cert_file, web_key_file, web_client_ca_file;
  bool advertise = false;              // by routes, to a routing daemon
  advertise::RouteOptions advertised;  // the routes

  std::string PinDir() const;
  std::string HashKeyFile() const;
  std::string WebSocket() const;  // empty: none
  web::Options Web() const {
    return {WebSocket(), web_listen, web_cert_file, web_key_file, web_client_ca_file};
  }
  std::string DispatcherDir() const { return state_dir + "/libxdp"; }
};

// Reads one setting from text, as a flag and a key of the settings file have it. `key` is the key's
// name ("state_dir", "limits.max_tables"). InvalidArgument: unknown key or bad value.
absl::Status Set(std::string_view key, const std::string& value, Settings* settings);

// Names of all keys that Set takes, except lists ("interface").
std::vector<std::string_view> Keys();

// What one setting alone cannot tell: relative paths, names that are no path component.
absl::Status Check(const Settings& settings);

// Settings from YAML text; each problem with "path:line:column".
absl::Status ReadSettingsText(const std::string& text, const std::string& path, Settings* settings);
// NotFound: there is no such file.
absl::Status ReadSettingsFile(const std::string& path, Settings* settings);

}  // namespace evenkeel::daemon

#endif  // EVENKEEL_CONTROL_DAEMON_SETTINGS_H_
