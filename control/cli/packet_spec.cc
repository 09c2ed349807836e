// SPDX-License-Identifier: Apache-2.0
#include "control/cli/packet_spec.h"

#include <charconv>
#include <optional>

#include "absl/strings/escaping.h"
#include "control/cli/cat.h"

namespace evenkeel::cli {
namespace {

constexpr char kSourceForm[] = "write ADDRESS:PORT, as in 198.51.100.7:4711 or [2001:db8::7]:4711";
constexpr char kVipForm[] =
    "write ADDRESS:PORT/PROTOCOL, as in 192.0.2.10:443/tcp or [2001:db8::10]:443/quic, or the name "
    "of a VIP";

// "[2001:db8::7]:4711" or "web:443": what stands before the port, and the port.
struct Endpoint {
  std::string host;
  bool bracketed = false;
  std::optional<std::string> port;
};

std::optional<Endpoint> SplitEndpoint(const std::string& text) {
  Endpoint endpoint;
  size_t rest = 0;
  if (text.starts_with("[")) {
    const size_t end = text.find(']');
    if (end == std::string::npos) return std::nullopt;
    endpoint.host = text.substr(1, end - 1);
    endpoint.bracketed = true;
    rest = end + 1;
  } else {
    rest = std::min(text.find(':'), text.size());
    endpoint.host = text.substr(0, rest);
  }
  if (rest == text.size()) return endpoint;
  if (text[rest] != ':') return std::nullopt;
  endpoint.port = text.substr(rest + 1);
  return endpoint;
}

std::optional<uint16_t> ToPort(const std::string& text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<model::Protocol> ToProtocol(const std::string& text) {
  if (text == "tcp") return model::Protocol::kTcp;
  if (text == "udp") return model::Protocol::kUdp;
  if (text == "quic") return model::Protocol::kQuic;
  return std::nullopt;
}

absl::Status Bad(const std::string& given, const std::string& why, const char* form) {
  return absl::InvalidArgumentError(Cat("\"", given, "\": ", why, "; ", form));
}

// An IPv6 address without brackets: its parts cannot be told from a port.
bool LacksBrackets(const std::string& text) {
  return !text.starts_with("[") && model::IpAddress::Parse(text).ok() &&
         text.find(':') != std::string::npos;
}

absl::Status ParseSource(const std::string& text, engine::ExplainPacket* packet) {
  if (LacksBrackets(text))
    return Bad(text, "an IPv6 address needs brackets and a port", kSourceForm);
  const auto endpoint = SplitEndpoint(text);
  if (!endpoint) return Bad(text, "no client's address and port", kSourceForm);
  const auto address = model::IpAddress::Parse(endpoint->host);
  if (!address.ok()) return Bad(text, std::string(address.status().message()), kSourceForm);
  if (!endpoint->port) return Bad(text, "the port is missing", kSourceForm);
  const auto port = ToPort(*endpoint->port);
  if (!port) return Bad(text, Cat("\"", *endpoint->port, "\" is no port, 1 to 65535"), kSourceForm);
  packet->source = *address;
  packet->source_port = *port;
  return absl::OkStatus();
}

absl::Status ParseVip(const std::string& text, engine::ExplainPacket* packet) {
  const size_t slash = text.rfind('/');
  const std::string place = text.substr(0, slash);
  if (LacksBrackets(place)) return Bad(text, "an IPv6 address needs brackets and a port", kVipForm);
  const auto endpoint = SplitEndpoint(place);
  if (!endpoint || endpoint->host.empty()) return Bad(text, "no VIP", kVipForm);
  if (endpoint->port) {
    const auto port = ToPort(*endpoint->port);
    if (!port) return Bad(text, Cat("\"", *endpoint->port, "\" is no port, 1 to 65535"), kVipForm);
    packet->port = *port;
  }
  const auto address = model::IpAddress::Parse(endpoint->host);
  if (!address.ok()) {
    if (endpoint->bracketed) return Bad(text, std::string(address.status().message()), kVipForm);
    if (slash != std::string::npos) {
      return Bad(text,
                 Cat("\"", endpoint->host,
                     "\" is no address, and a VIP that is named has its "
                     "own protocol: leave \"",
                     text.substr(slash), "\" away"),
                 kVipForm);
    }
    packet->vip = endpoint->host;
    return absl::OkStatus();
  }
  packet->address = *address;
  if (!endpoint->port) return Bad(text, "the port is missing", kVipForm);
  if (slash == std::string::npos) return Bad(text, "the protocol is missing", kVipForm);
  const auto protocol = ToProtocol(text.substr(slash + 1));
  if (!protocol) {
    return Bad(text, Cat("\"", text.substr(slash + 1), "\" is none of tcp, udp, quic"), kVipForm);
  }
  packet->protocol = *protocol;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<engine::ExplainPacket> ParsePacket(const std::string& source,
                                                  const std::string& vip) {
  engine::ExplainPacket packet;
  packet.opening = true;
  if (auto status = ParseSource(source, &packet); !status.ok()) return status;
  if (auto status = ParseVip(vip, &packet); !status.ok()) return status;
  return packet;
}

absl::StatusOr<std::vector<uint8_t>> ParseConnectionId(const std::string& hex) {
  constexpr size_t kMaxId = 20;  // RFC 9000, 17.2
  const bool digits = hex.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!digits || hex.empty() || hex.size() % 2 != 0 || hex.size() > 2 * kMaxId) {
    return absl::InvalidArgumentError(
        Cat("--quic-id \"", hex, "\": write 1 to ", kMaxId, " bytes as hex digits, as in 2003"));
  }
  const std::string id = absl::HexStringToBytes(hex);
  std::vector<uint8_t> payload = {0x40};
  payload.insert(payload.end(), id.begin(), id.end());
  payload.resize(payload.size() + 24);  // packet number, tag
  return payload;
}

}  // namespace evenkeel::cli
