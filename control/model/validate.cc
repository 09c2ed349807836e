// SPDX-License-Identifier: Apache-2.0
//
// Structural validity: what must hold before a configuration can be built and judged at all.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/nearest.h"
#include "control/model/primes.h"
#include "control/model/text.h"
#include "control/model/yaml.h"

namespace evenkeel::model {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMaxNameLength = 63;
constexpr size_t kMaxTextLength = 1024;
constexpr size_t kMaxLabels = 64;
constexpr uint32_t kMaxRiseFall = 100;
constexpr milliseconds kMinInterval{10};
constexpr milliseconds kMaxInterval{3'600'000};

class Validator {
 public:
  explicit Validator(const Config& config) : config_(config) {}

  std::vector<Diagnostic> Run() {
    CheckVips();
    CheckPools();
    return std::move(diagnostics_);
  }

 private:
  void Add(std::string field, std::string message) {
    diagnostics_.push_back({{}, std::move(field), std::move(message)});
  }

  // `seen` maps each name to the field that used it first.
  void CheckName(const std::string& name, const std::string& field,
                 std::map<std::string_view, std::string>& seen) {
    constexpr std::string_view kForm =
        "write a name of lower-case letters, digits, '.', '_' and '-' that starts with a letter "
        "or digit, at most 63 characters";
    if (name.empty()) return Add(field, absl::StrCat("is missing; ", Av(kForm)));
    const bool valid_start = absl::ascii_islower(name[0]) || absl::ascii_isdigit(name[0]);
    const bool valid = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == '-';
    });
    if (!valid_start || !valid || name.size() > kMaxNameLength) {
      return Add(field, absl::StrCat(Quoted(name), " is not a valid name; ", Av(kForm)));
    }
    auto [it, inserted] = seen.emplace(name, field);
    if (!inserted) {
      Add(field, absl::StrCat("\"", name, "\" is already the name of ",
                              it->second.substr(0, it->second.rfind('.')), "; names are unique"));
    }
  }

  void CheckText(const std::string& text, const std::string& field) {
    if (text.size() > kMaxTextLength) {
      Add(field, absl::StrCat("has ", text.size(), " bytes; at most ", kMaxTextLength));
    }
    if (text.find('\0') != std::string::npos) Add(field, "has a NUL character; remove it");
  }

  void CheckVips() {
    std::map<std::string_view, std::string> names;
    std::map<std::tuple<IpAddress, uint16_t, bool>, size_t> keys;
    for (size_t i = 0; i < config_.vips.size(); ++i) {
      const Vip& vip = config_.vips[i];
      const std::string field = absl::StrFormat("vips[%d]", i);
      CheckName(vip.name, field + ".name", names);
      const bool tcp = vip.protocol == Protocol::kTcp;
      auto [it, inserted] = keys.emplace(std::tuple(vip.address, vip.port, tcp), i);
      if (!inserted) {
        Add(field + ".address",
            absl::StrFormat("%s port %d %s is already VIP \"%s\" (vips[%d]); one address, port and "
                            "IP protocol is one VIP (quic is udp)",
                            vip.address.ToString(), vip.port, ToString(vip.protocol),
                            config_.vips[it->second].name, it->second));
      }
      CheckReference(vip, field + ".pool");
    }
  }

  void CheckReference(const Vip& vip, const std::string& field) {
    if (vip.pool.empty()) return Add(field, "is missing; write the name of a pool");
    if (pool_names_.empty()) {
      for (const Pool& pool : config_.pools) pool_names_.insert(pool.name);
    }
    if (pool_names_.contains(vip.pool)) return;
    const std::vector<std::string_view> names(pool_names_.begin(), pool_names_.end());
    Add(field, absl::StrCat("there is no pool ", Quoted(vip.pool), DidYouMean(vip.pool, names)));
  }

  void CheckPools() {
    std::map<std::string_view, std::string> names;
    for (size_t i = 0; i < config_.pools.size(); ++i) {
      const Pool& pool = config_.pools[i];
      const std::string field = absl::StrFormat("pools[%d]", i);
      CheckName(pool.name, field + ".name", names);
      CheckTableSize(pool.table_size, field + ".table_size");
      std::map<std::string_view, std::string> backend_names;
      for (size_t j = 0; j < pool.backends.size(); ++j) {
        const std::string backend = absl::StrFormat("%s.backends[%d]", field, j);
        CheckName(pool.backends[j].name, backend + ".name", backend_names);
        CheckBackend(pool.backends[j], backend);
      }
      if (pool.health_check) CheckHealth(*pool.health_check, field + ".health_check");
      if (pool.policy.single_backend) {
        CheckSingle(*pool.policy.single_backend, field + ".policy.single_backend");
      }
    }
  }

  void CheckTableSize(uint32_t size, const std::string& field) {
    if (size >= kMinTableSize && size <= kMaxTableSize && IsPrime(size)) return;
    Add(field, absl::StrFormat("%d is not a prime from %d to %d; the nearest is %d", size,
                               kMinTableSize, kMaxTableSize, NearestTableSize(size)));
  }

  void CheckBackend(const Backend& backend, const std::string& field) {
    if (backend.capacity && !(*backend.capacity > 0 && std::isfinite(*backend.capacity))) {
      Add(field + ".capacity",
          absl::StrFormat("%g is not a capacity; write a number above 0", *backend.capacity));
    }
    CheckText(backend.zone, field + ".zone");
    CheckText(backend.rack, field + ".rack");
    if (backend.labels.size() > kMaxLabels) {
      Add(field + ".labels",
          absl::StrCat("has ", backend.labels.size(), " labels; at most ", kMaxLabels));
    }
    for (const auto& [key, value] : backend.labels) {
      if (key.empty()) Add(field + ".labels", "has an empty key; name it");
      CheckText(key, field + ".labels");
      CheckText(value, field + ".labels");
    }
  }

  void CheckHealth(const HealthCheck& check, const std::string& field) {
    if (check.interval < kMinInterval || check.interval > kMaxInterval) {
      Add(field + ".interval", "write a duration from 10ms to 1h");
    }
    if (check.timeout < milliseconds(1)) {
      Add(field + ".timeout", "write a duration of at least 1ms");
    } else if (check.timeout > check.interval) {
      Add(field + ".timeout",
          absl::StrFormat("%dms is longer than the interval of %dms; at most the interval",
                          check.timeout.count(), check.interval.count()));
    }
    if (check.rise < 1 || check.rise > kMaxRiseFall) Add(field + ".rise", "write 1 to 100");
    if (check.fall < 1 || check.fall > kMaxRiseFall) Add(field + ".fall", "write 1 to 100");
    if (check.path.empty() || check.path[0] != '/') {
      Add(field + ".path", "write a path that starts with \"/\"");
    }
    for (unsigned char c : check.path) {
      if (c > ' ' && c < 0x7f) continue;
      // It stands in a request line: a space or line break would end it.
      Add(field + ".path", "has a space or a character outside ASCII; percent-encode it");
      break;
    }
    CheckText(check.path, field + ".path");
  }

  void CheckSingle(const SingleBackend& single, const std::string& field) {
    if (single.reason.empty()) {
      Add(field + ".reason", "is missing; say why one backend is enough");
    }
    if (single.owner.empty()) {
      Add(field + ".owner", "is missing; say who answers for it");
    }
    CheckText(single.reason, field + ".reason");
    CheckText(single.owner, field + ".owner");
  }

  const Config& config_;
  std::set<std::string_view> pool_names_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace

std::vector<Diagnostic> Validate(const Config& config) { return Validator(config).Run(); }

}  // namespace evenkeel::model
