// SPDX-License-Identifier: Apache-2.0
#include "control/model/certificates.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/model/config.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr char kDerSequence = 0x30;  // what a certificate is, outermost

absl::Status Broken(size_t number) {
  return absl::InvalidArgumentError(
      absl::StrCat("has a certificate, number ", number, ", that is broken; write it as PEM"));
}

}  // namespace

absl::StatusOr<std::string> CertificatesOf(std::string_view pem) {
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    return absl::InvalidArgumentError(
        "has a private key, which nobody needs here; give the certificates alone");
  }
  std::string certificates;
  size_t number = 0;
  for (size_t begin = pem.find(kBegin); begin != std::string_view::npos; begin = pem.find(kBegin)) {
    ++number;
    pem.remove_prefix(begin);
    const size_t end = pem.find(kEnd);
    if (end == std::string_view::npos) return Broken(number);
    const std::string_view body = pem.substr(kBegin.size(), end - kBegin.size());
    std::string der;
    if (!absl::Base64Unescape(Av(body), &der) || der.empty() || der[0] != kDerSequence) {
      return Broken(number);
    }
    for (const char c : pem.substr(0, end + kEnd.size())) {
      if (c != '\r') certificates.push_back(c);
    }
    certificates.push_back('\n');
    if (certificates.size() > kMaxCaBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("has certificates of more than ", kMaxCaBytes,
                       " bytes; give only those that sign the backends' certificates"));
    }
    pem.remove_prefix(end + kEnd.size());
  }
  if (number == 0) {
    return absl::InvalidArgumentError(
        "has no certificate; write PEM, which begins with -----BEGIN CERTIFICATE-----");
  }
  return certificates;
}

}  // namespace evenkeel::model
