// SPDX-License-Identifier: Apache-2.0
//
// The canonical encodings. Every integer is big-endian, an address is its family (4 or 6) and 16
// bytes, so that the digest is the same on every host:
//
//   table  "evenkeel.table/1" u8 forwarding (1 ipip, 2 l2, 3 gue), u32 size, u32 n, n addresses,
//          u32 slots, one u16 owner per slot; where connection ids name servers also u8 config id,
//          u8 length of an id, u32 n, n times u64 id and address
//   rules  "evenkeel.rules/1" u32 n, then per prefix, ascending: address, u8 length, u8 deny
//   fleet  "evenkeel.fleet/1" u32 n, then per VIP, sorted: address, u16 port, u8 IP protocol,
//          32 bytes of the table's digest
//          Where some VIP has source rules or limits: "evenkeel.fleet/2" and, after each table's
//          digest, those of the global and of the VIP's own rules, 32 zero bytes for none; then
//          interval and burst of the limits per source and of new flows, four u32, 0 for none
//          Where some VIP's treatment is not the default: "evenkeel.fleet/3", the same and u8
//          tracking, u8 quic, u8 what spreads, u8 and u8 prefixes, u8 whether the DSCP is copied,
//          u8 DSCP, u8 whether fragments are forwarded
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/guard/fleet.h"
#include "control/guard/source_rules.h"

namespace evenkeel::guard {
namespace {

class Encoder {
 public:
  explicit Encoder(std::string_view tag) : bytes_(tag.begin(), tag.end()) {}

  template <typename T>
  void Integer(T value) {
    for (size_t shift = sizeof(T) * 8; shift > 0; shift -= 8) {
      bytes_.push_back(static_cast<uint8_t>(value >> (shift - 8)));
    }
  }

  void Address(const model::IpAddress& address) {
    bytes_.push_back(static_cast<uint8_t>(address.family()));
    bytes_.insert(bytes_.end(), address.bytes().begin(), address.bytes().end());
  }

  void Raw(const Digest& digest) {
    bytes_.insert(bytes_.end(), digest.bytes.begin(), digest.bytes.end());
  }

  void Add(const Treatment& treatment) {
    for (const auto byte :
         {static_cast<uint8_t>(treatment.tracking), static_cast<uint8_t>(treatment.quic),
          static_cast<uint8_t>(treatment.spread.by), treatment.spread.prefix4,
          treatment.spread.prefix6, static_cast<uint8_t>(treatment.dscp.copy), treatment.dscp.value,
          static_cast<uint8_t>(treatment.forward_fragments)}) {
      bytes_.push_back(byte);
    }
  }

  void Reserve(size_t bytes) { bytes_.reserve(bytes_.size() + bytes); }

  Digest Sha256() const {
    Digest digest;
    unsigned int length = 0;
    // Fails only where OpenSSL has no SHA-256 at all; a made-up digest must never compare equal.
    if (EVP_Digest(bytes_.data(), bytes_.size(), digest.bytes.data(), &length, EVP_sha256(),
                   nullptr) != 1 ||
        length != digest.bytes.size()) {
      throw std::runtime_error("OpenSSL cannot compute SHA-256");
    }
    return digest;
  }

 private:
  std::vector<uint8_t> bytes_;
};

uint8_t CodeOf(model::Forwarding forwarding) {
  switch (forwarding) {
    case model::Forwarding::kIpip:
      return 1;
    case model::Forwarding::kL2:
      return 2;
    case model::Forwarding::kGue:
      return 3;
  }
  return 0;
}

}  // namespace

std::string Digest::ToHex() const {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string Digest::ToShort() const { return ToHex().substr(0, 12); }

absl::StatusOr<Digest> Digest::FromHex(std::string_view hex) {
  const bool valid = hex.size() == 64 && std::all_of(hex.begin(), hex.end(), [](unsigned char c) {
                       return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
                     });
  if (!valid) {
    return absl::InvalidArgumentError("a digest is 64 lower-case hexadecimal digits");
  }
  const std::string raw = absl::HexStringToBytes(absl::string_view(hex.data(), hex.size()));
  Digest digest;
  std::copy(raw.begin(), raw.end(), digest.bytes.begin());
  return digest;
}

Digest BuiltTable::ComputeDigest() const {
  Encoder encoder("evenkeel.table/1");
  encoder.Reserve(16 + servers.size() * 17 + owner.size() * 2);
  encoder.Integer<uint8_t>(CodeOf(forwarding));
  encoder.Integer<uint32_t>(size);
  encoder.Integer<uint32_t>(static_cast<uint32_t>(servers.size()));
  for (const model::IpAddress& server : servers) encoder.Address(server);
  encoder.Integer<uint32_t>(static_cast<uint32_t>(owner.size()));
  for (uint16_t o : owner) encoder.Integer<uint16_t>(o);
  if (quic) {
    encoder.Integer<uint8_t>(quic->config_id);
    encoder.Integer<uint8_t>(quic->server_id_length);
    encoder.Integer<uint32_t>(static_cast<uint32_t>(server_ids.size()));
    for (const ServerId& entry : server_ids) {
      encoder.Integer<uint64_t>(entry.id);
      encoder.Address(entry.server);
    }
  }
  return encoder.Sha256();
}

Digest ComputeRulesDigest(std::span<const SourceRule> rules) {
  Encoder encoder("evenkeel.rules/1");
  encoder.Reserve(4 + rules.size() * 19);
  encoder.Integer<uint32_t>(static_cast<uint32_t>(rules.size()));
  for (const SourceRule& rule : rules) {
    encoder.Address(rule.prefix.address);
    encoder.Integer<uint8_t>(rule.prefix.length);
    encoder.Integer<uint8_t>(rule.deny ? 1 : 0);
  }
  return encoder.Sha256();
}

Digest ComputeFleetDigest(std::span<const VipBinding> bindings) {
  std::vector<VipBinding> sorted(bindings.begin(), bindings.end());
  const auto key = [](const VipBinding& b) {
    return std::tie(b.address, b.port, b.ip_protocol, b.table.bytes);
  };
  std::sort(sorted.begin(), sorted.end(),
            [&](const VipBinding& a, const VipBinding& b) { return key(a) < key(b); });
  const bool treated = std::any_of(sorted.begin(), sorted.end(),
                                   [](const VipBinding& b) { return b.treatment != Treatment{}; });
  const bool has_rules = std::any_of(sorted.begin(), sorted.end(), [](const VipBinding& b) {
    return b.global_rules != Digest{} || b.rules != Digest{} || b.source_limit != Limit{} ||
           b.new_flow_limit != Limit{};
  });
  Encoder encoder(treated     ? "evenkeel.fleet/3"
                  : has_rules ? "evenkeel.fleet/2"
                              : "evenkeel.fleet/1");
  encoder.Integer<uint32_t>(static_cast<uint32_t>(sorted.size()));
  for (const VipBinding& b : sorted) {
    encoder.Address(b.address);
    encoder.Integer<uint16_t>(b.port);
    encoder.Integer<uint8_t>(b.ip_protocol);
    encoder.Raw(b.table);
    if (!has_rules && !treated) continue;
    encoder.Raw(b.global_rules);
    encoder.Raw(b.rules);
    for (const Limit& limit : {b.source_limit, b.new_flow_limit}) {
      encoder.Integer<uint32_t>(limit.interval_ns);
      encoder.Integer<uint32_t>(limit.burst);
    }
    if (treated) encoder.Add(b.treatment);
  }
  return encoder.Sha256();
}

}  // namespace evenkeel::guard
