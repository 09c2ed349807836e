// SPDX-License-Identifier: Apache-2.0
#include "control/publish/readback.h"

#include <gtest/gtest.h>

#include "control/maglev/maglev.h"
#include "tests/harness/fake_dataplane/fleets.h"

namespace evenkeel::testing {
namespace {

using dataplane::BackendImage;
using dataplane::TableImage;

BackendImage Backend(const std::string& address, uint8_t method = EK_METHOD_IPIP4) {
  BackendImage backend;
  backend.address = Ip(address);
  backend.method = method;
  return backend;
}

TEST(ReadbackTest, LocalIdsDoNotShow) {
  // The same ownership under different local ids, with a draining backend in one of them.
  const TableImage a{.slots = {1, 2, 1, 0}, .backends = {Backend("10.0.0.9"), Backend("10.0.0.1")}};
  const TableImage b{
      .slots = {4, 2, 4, 0},
      .backends = {Backend("10.0.0.5"), Backend("10.0.0.1"), BackendImage{}, Backend("10.0.0.9")}};
  auto table_a = publish::TableFromKernel(a, model::Forwarding::kIpip);
  auto table_b = publish::TableFromKernel(b, model::Forwarding::kIpip);
  ASSERT_TRUE(table_a.ok() && table_b.ok());
  EXPECT_EQ(table_a->ComputeDigest(), table_b->ComputeDigest());
  EXPECT_EQ(table_a->owner, (std::vector<uint16_t>{1, 0, 1, maglev::kNoOwner}));
}

TEST(ReadbackTest, ForwardingIsReadFromTheEntries) {
  const TableImage l2{.slots = {1}, .backends = {Backend("10.0.0.1", EK_METHOD_L2)}};
  const TableImage none{.slots = {0}, .backends = {}};
  EXPECT_EQ(publish::TableFromKernel(l2, model::Forwarding::kIpip)->forwarding,
            model::Forwarding::kL2);
  EXPECT_EQ(publish::TableFromKernel(none, model::Forwarding::kL2)->forwarding,
            model::Forwarding::kL2);
}

TEST(ReadbackTest, DamageIsDataLoss) {
  const std::pair<const char*, TableImage> cases[] = {
      {"id-beyond-the-entries", {.slots = {2}, .backends = {Backend("10.0.0.1")}}},
      {"id-of-an-unused-entry",
       {.slots = {1, 2}, .backends = {BackendImage{}, Backend("10.0.0.1")}}},
      {"one-address-twice",
       {.slots = {1, 2}, .backends = {Backend("10.0.0.1"), Backend("10.0.0.1")}}},
  };
  for (const auto& [name, image] : cases) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(
        absl::IsDataLoss(publish::TableFromKernel(image, model::Forwarding::kIpip).status()));
  }
}

}  // namespace
}  // namespace evenkeel::testing
