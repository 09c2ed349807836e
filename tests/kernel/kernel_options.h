// SPDX-License-Identifier: Apache-2.0
#ifndef EVENKEEL_TESTS_KERNEL_KERNEL_OPTIONS_H_
#define EVENKEEL_TESTS_KERNEL_KERNEL_OPTIONS_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "control/dataplane/kernel_dataplane.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {

inline dataplane::KernelOptions SmallOptions(const std::string& pin_dir) {
  dataplane::KernelOptions options;
  options.pin_dir = pin_dir;
  options.hash_key = kTestKey;
  options.limits = {.max_tables = 64, .max_vips = 64, .max_backends = 1024};
  return options;
}

inline std::unique_ptr<dataplane::KernelDataPlane> OpenSmall(const std::string& pin_dir) {
  auto opened = dataplane::KernelDataPlane::Open(SmallOptions(pin_dir));
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

}  // namespace evenkeel::testing

#endif  // EVENKEEL_TESTS_KERNEL_KERNEL_OPTIONS_H_
