// SPDX-License-Identifier: Apache-2.0
//
// Numbers and causes as alarms and reports show them.
#ifndef EVENKEEL_CONTROL_DETECT_WORDS_H_
#define EVENKEEL_CONTROL_DETECT_WORDS_H_

#include <cstdint>
#include <span>
#include <string>

#include "control/detect/alarm.h"

namespace evenkeel::detect {

std::string Percent(double fraction);                   // 0.914 -> "91.4 %"
std::string Times(double ratio);                        // 3.04 -> "3.0x"
std::string Number(double n);                           // 12345.6 -> "12346"
std::string Ago(int64_t ns);                            // "5 s", "12 min", "6 h", "3 d"
std::string Describe(const Heavy& heavy);               // "192.0.2.1 port 4000 to port 443 (tcp)"
std::string DescribeAll(std::span<const Heavy> heavy);  // with their shares

// "gets 3.0x its share of new flows: 30.1 % instead of 10.0 % (301 of 1000 in 10 s)"
std::string Describe(const Evidence& evidence);

}  // namespace evenkeel::detect

#endif  // EVENKEEL_CONTROL_DETECT_WORDS_H_
