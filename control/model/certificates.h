// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_CONTROL_MODEL_CERTIFICATES_H_
#define EVENKEEL_CONTROL_MODEL_CERTIFICATES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace evenkeel::model {

// The certificates of a PEM text (RFC 7468), without what stands around them. InvalidArgument, with
// the reason and the remedy, where there is none, one is broken, they have more than kMaxCaBytes,
// or the text has a private key: it would be kept and shown with the configuration. That they are
// X.509 is not looked at.
absl::StatusOr<std::string> CertificatesOf(std::string_view pem);

}  // namespace evenkeel::model

#endif  // EVENKEEL_CONTROL_MODEL_CERTIFICATES_H_
