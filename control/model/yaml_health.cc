// SPDX-License-Identifier: Apache-2.0
#include "control/model/yaml_health.h"

#include <limits>

#include "control/model/certificates.h"
#include "control/model/escaped_bytes.h"

namespace evenkeel::model {
namespace {

class HealthReader : public YamlFields {
 public:
  explicit HealthReader(const YamlFields& fields) : YamlFields(fields) {}

  void Read(const YamlNode& node, const std::string& path, HealthCheck& check) {
    const Keys keys = {"type",    "port",  "path",   "interval",     "timeout", "rise",   "fall",
                       "start",   "panic", "host",   "method",       "status",  "body",   "tls",
                       "service", "send",  "expect", "expect_start", "through", "passive"};
    constexpr int64_t kMaxCount = std::numeric_limits<uint32_t>::max();
    ReadMap(node, path, keys, {"type"},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "type") {
                SetEnum(v, p, &ParseHealthCheckType,
                        {"tcp", "http", "https", "grpc", "udp", "icmp"}, check.type);
              }
              if (key == "port") Set(v, p, ReadInteger(v, 0, 65535), check.port);
              if (key == "interval") Set(v, p, ReadDuration(v), check.interval);
              if (key == "timeout") Set(v, p, ReadDuration(v), check.timeout);
              if (key == "rise") Set(v, p, ReadInteger(v, 0, kMaxCount), check.rise);
              if (key == "fall") Set(v, p, ReadInteger(v, 0, kMaxCount), check.fall);
              if (key == "start") {
                SetEnum(v, p, &ParseHealthCheckStart, {"up", "down"}, check.start);
              }
              if (key == "panic") {
                SetEnum(v, p, &ParseHealthCheckPanic, {"keep_all", "hold_last", "withdraw"},
                        check.panic);
              }
              if (key == "through") {
                SetEnum(v, p, &ParseHealthCheckThrough, {"direct", "vip"}, check.through);
              }
              if (key == "passive") ReadPassive(v, p, check.passive.emplace());
              ReadQuestion(key, v, p, check);
              ReadAnswer(key, v, p, check);
            });
  }

 private:
  void ReadPassive(const YamlNode& node, const std::string& path, PassiveSignal& passive) {
    constexpr int64_t kMaxCount = std::numeric_limits<uint32_t>::max();
    const Keys keys = {"min_share", "min_count"};
    ReadMap(node, path, keys, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "min_share") Set(v, p, ReadNumber(v), passive.min_share);
              if (key == "min_count") Set(v, p, ReadInteger(v, 0, kMaxCount), passive.min_count);
            });
  }

  // What is sent.
  void ReadQuestion(std::string_view key, const YamlNode& v, const std::string& p,
                    HealthCheck& check) {
    if (key == "path") Set(v, p, ReadText(v), check.path);
    if (key == "host") Set(v, p, ReadText(v), check.host);
    if (key == "method") {
      SetEnum(v, p, &ParseHealthCheckMethod, {"GET", "HEAD"}, check.method);
    }
    if (key == "tls") ReadTls(v, p, check.tls.emplace());
    if (key == "service") Set(v, p, ReadText(v), check.service);
    if (key == "send") Set(v, p, ReadBytes(v), check.send);
  }

  // What has to come back.
  void ReadAnswer(std::string_view key, const YamlNode& v, const std::string& p,
                  HealthCheck& check) {
    if (key == "status") ReadStatus(v, p, check.status);
    if (key == "body") Set(v, p, ReadText(v), check.body);
    if (key == "expect") Set(v, p, ReadBytes(v), check.expect);
    if (key == "expect_start") Set(v, p, ReadBytes(v), check.expect_start);
  }

  void ReadStatus(const YamlNode& node, const std::string& path, std::vector<StatusRange>& status) {
    if (node.kind == YamlNode::Kind::kScalar) {
      return ReadStatusRange(node, path, status.emplace_back());
    }
    if (node.kind == YamlNode::Kind::kSequence && node.children.empty()) {
      return Error(node, path, "is empty; write the codes that are healthy, or leave it out");
    }
    ReadList(node, path, status, &HealthReader::ReadStatusRange);
  }

  void ReadStatusRange(const YamlNode& node, const std::string& path, StatusRange& range) {
    std::optional<StatusRange> read;
    if (node.kind == YamlNode::Kind::kScalar) read = ParseStatusRange(node.scalar);
    if (read) {
      range = *read;
      return;
    }
    // In its place, so that the check of the values has nothing more to say.
    range = {200, 200};
    Error(node, path, "is not a status; write a code such as 204, or a range such as 200-299");
  }

  static absl::StatusOr<std::string> ReadBytes(const YamlNode& node) {
    const absl::StatusOr<std::string> text = ReadText(node);
    if (!text.ok()) return text;
    return ParseEscaped(*text);
  }

  void ReadTls(const YamlNode& node, const std::string& path, ProbeTls& tls) {
    const Keys keys = {"verify", "ca", "ca_file", "server_name"};
    bool has_ca = false;
    ReadMap(node, path, keys, {},
            [&](std::string_view key, const YamlNode& v, const std::string& p) {
              if (key == "verify") Set(v, p, ReadBoolean(v), tls.verify);
              if (key == "server_name") Set(v, p, ReadText(v), tls.server_name);
              if (key != "ca" && key != "ca_file") return;
              if (std::exchange(has_ca, true)) {
                return Error(v, p, "is there beside the other of ca and ca_file; remove one");
              }
              if (key == "ca") ReadCa(v, p, ReadText(v), tls.ca);
              if (key == "ca_file") ReadCaFile(v, p, tls.ca);
            });
  }

  void ReadCa(const YamlNode& node, const std::string& path, const absl::StatusOr<std::string>& pem,
              std::string& ca) {
    if (!pem.ok()) return Error(node, path, std::string(pem.status().message()));
    Set(node, path, CertificatesOf(*pem), ca);
  }

  // As with lists of prefixes: who reads the configuration reads the file, and its text is what is
  // sent, shown and kept.
  void ReadCaFile(const YamlNode& node, const std::string& path, std::string& ca) {
    const absl::StatusOr<std::string> name = ReadText(node);
    if (!name.ok()) return Error(node, path, "is not a file name; write one");
    if (!read_list_) {
      return Error(node, path, "names a file, which is not read here; write it out as ca");
    }
    ReadCa(node, path, read_list_(*name), ca);
  }
};

}  // namespace

void ReadHealthCheck(const YamlFields& fields, const YamlNode& node, const std::string& path,
                     HealthCheck& check) {
  HealthReader(fields).Read(node, path, check);
}

}  // namespace evenkeel::model
