// SPDX-License-Identifier: Apache-2.0
#include "control/model/validate_health.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/certificates.h"
#include "control/model/text.h"
#include "control/model/validate_policy.h"

namespace evenkeel::model {
namespace {

using std::chrono::milliseconds;
using Type = HealthCheck::Type;

constexpr uint32_t kMaxRiseFall = 100;
constexpr milliseconds kMinInterval{10};
constexpr milliseconds kMaxInterval{3'600'000};
constexpr uint32_t kMaxPassiveCount = 1'000'000;
constexpr size_t kMaxHost = 253;  // RFC 1035
constexpr size_t kMaxStatusRanges = 32;
// 1xx are never an answer's last word.
constexpr uint16_t kFirstStatus = 200;
constexpr uint16_t kLastStatus = 599;

// In a URL, a header and a TLS hello: nothing there that could end one of them.
bool IsName(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHost &&
         absl::ascii_isalnum(static_cast<unsigned char>(host[0])) &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
         });
}

bool IsBracketed(std::string_view host) {
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return false;
  const auto address = IpAddress::Parse(host.substr(1, host.size() - 2));
  return address.ok() && address->is_ipv6();
}

bool IsHost(std::string_view host) {
  const std::string_view name = HostWithoutPort(host);
  if (!IsName(name) && !IsBracketed(name)) return false;
  const std::string_view port = host.substr(name.size());
  return port.empty() || (port.size() > 1 && port.size() <= 6 &&
                          std::all_of(port.begin() + 1, port.end(), absl::ascii_isdigit));
}

class HealthValidator {
 public:
  HealthValidator(std::string_view path, std::vector<Diagnostic>& out) : path_(path), out_(out) {}

  void Run(const HealthCheck& check) {
    CheckRhythm(check);
    CheckTypes(check);
    CheckPath(check.path);
    if (!check.host.empty() && !IsHost(check.host)) {
      Add("host", "write a name or an address, IPv6 in brackets, and :port after it if need be");
    }
    CheckStatus(check.status);
    for (const auto& [field, text] :
         {std::pair("body", &check.body), std::pair("service", &check.service)}) {
      if (const auto problem = TextProblem(*text)) Add(field, *problem);
    }
    if (!check.body.empty() && check.method == HealthCheck::Method::kHead) {
      Add("body", "is looked for, and an answer to HEAD has none; remove it, or write GET");
    }
    if (check.tls) CheckTls(*check.tls);
    CheckDatagrams(check);
    if (check.passive) CheckPassive(*check.passive);
  }

 private:
  void Add(std::string_view field, std::string message) {
    out_.push_back({{}, absl::StrCat(Av(path_), ".", Av(field)), std::move(message)});
  }

  void CheckRhythm(const HealthCheck& check) {
    if (check.interval < kMinInterval || check.interval > kMaxInterval) {
      Add("interval", "write a duration from 10ms to 1h");
    }
    if (check.timeout < milliseconds(1)) {
      Add("timeout", "write a duration of at least 1ms");
    } else if (check.timeout > check.interval) {
      Add("timeout",
          absl::StrFormat("%dms is longer than the interval of %dms; at most the interval",
                          check.timeout.count(), check.interval.count()));
    }
    for (const auto& [name, count] :
         {std::pair("rise", check.rise), std::pair("fall", check.fall)}) {
      if (count < 1 || count > kMaxRiseFall) Add(name, "write 1 to 100");
    }
  }

  // What a type does not have would be silently without effect. (A path beside tcp has been
  // accepted from the first version on.)
  void CheckTypes(const HealthCheck& check) {
    const bool http = check.type == Type::kHttp || check.type == Type::kHttps;
    const bool grpc = check.type == Type::kGrpc;
    const bool udp = check.type == Type::kUdp;
    const struct {
      const char* field;
      bool set;
      bool fits;
      const char* types;
    } kFields[] = {
        {"path", check.path != "/", http || check.type == Type::kTcp, "http and https"},
        {"host", !check.host.empty(), http || grpc, "http, https and grpc"},
        {"method", check.method != HealthCheck::Method::kGet, http, "http and https"},
        {"status", !check.status.empty(), http, "http and https"},
        {"body", !check.body.empty(), http, "http and https"},
        {"tls", check.tls.has_value(), check.type == Type::kHttps || grpc, "https and grpc"},
        {"service", !check.service.empty(), grpc, "grpc"},
        {"send", !check.send.empty(), udp, "udp"},
        {"expect", !check.expect.empty(), udp, "udp"},
        {"expect_start", !check.expect_start.empty(), udp, "udp"},
    };
    for (const auto& field : kFields) {
      if (!field.set || field.fits) continue;
      // Under `type`, so that nothing is said where the type could not be read.
      Add("type", absl::StrCat("is ", Av(ToString(check.type)), ", and ", field.field, " is for ",
                               field.types, "; remove ", field.field));
    }
    if (check.type == Type::kIcmp && check.port != 0) {
      Add("type", "is icmp, which has no ports; remove port");
    }
  }

  void CheckPath(const std::string& path) {
    if (path.empty() || path[0] != '/') Add("path", "write a path that starts with \"/\"");
    // It stands in a request line: a space or line break would end it.
    const bool printable =
        std::all_of(path.begin(), path.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
    if (!printable) Add("path", "has a space or a character outside ASCII; percent-encode it");
    if (const auto problem = TextProblem(path)) Add("path", *problem);
  }

  void CheckStatus(const std::vector<StatusRange>& status) {
    if (status.size() > kMaxStatusRanges) {
      Add("status", absl::StrCat("has ", status.size(), " entries; at most ", kMaxStatusRanges));
    }
    for (const StatusRange& range : status) {
      if (range.first >= kFirstStatus && range.last <= kLastStatus && range.first <= range.last) {
        continue;
      }
      return Add("status",
                 absl::StrCat("has ", ToString(range), "; write codes from ", kFirstStatus, " to ",
                              kLastStatus, ", of a range the lower one first"));
    }
  }

  void CheckTls(const ProbeTls& tls) {
    if (!tls.server_name.empty() && !IsName(tls.server_name) &&
        !IpAddress::Parse(tls.server_name).ok()) {
      Add("tls.server_name", "write the name, or the address, that the certificate is for");
    }
    if (tls.verify && tls.ca.empty()) {
      Add("tls",
          "verifies, and has no certificates to verify by; add ca_file with those of who signs the "
          "backends', or write verify: false");
    } else if (!tls.verify && !tls.ca.empty()) {
      Add("tls.ca", "only counts with verify: true; add that, or remove it");
    }
    if (tls.ca.empty()) return;
    if (const auto read = CertificatesOf(tls.ca); !read.ok()) {
      Add("tls.ca", std::string(read.status().message()));
    }
  }

  void CheckDatagrams(const HealthCheck& check) {
    if (check.type == Type::kUdp && check.send.empty()) {
      Add("send", "is missing; write what the backend answers to");
    }
    for (const auto& [field, bytes] :
         {std::pair("send", &check.send), std::pair("expect", &check.expect),
          std::pair("expect_start", &check.expect_start)}) {
      if (bytes->size() <= kMaxProbeText) continue;
      Add(field, absl::StrCat("has ", bytes->size(), " bytes; at most ", kMaxProbeText));
    }
  }

  void CheckPassive(const PassiveSignal& passive) {
    // Also what is not a number.
    if (!(passive.min_share > 0 && passive.min_share <= 1)) {
      Add("passive.min_share", "write a fraction above 0, up to 1");
    }
    if (passive.min_count < 1 || passive.min_count > kMaxPassiveCount) {
      Add("passive.min_count", absl::StrCat("write 1 to ", kMaxPassiveCount));
    }
  }

  std::string_view path_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

void CheckHealthCheck(const HealthCheck& check, std::string_view path,
                      std::vector<Diagnostic>& diagnostics) {
  HealthValidator(path, diagnostics).Run(check);
}

std::string_view HostWithoutPort(std::string_view host) {
  const size_t bracket = host.find(']');
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return host.substr(0, std::min(colon, host.size()));
}

}  // namespace evenkeel::model
