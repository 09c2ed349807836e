// SPDX-License-Identifier: Apache-2.0
//
// Scenarios share one loaded balancer: none may see what another left in its maps.
#include "tests/harness/prog_runner/loan.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "bpf/abi/maps.h"
#include "bpf/balancer.skel.h"
#include "tests/progrun/world.h"

namespace evenkeel::testing {
namespace {

std::vector<bpf_map*> MapsOf(const ek_balancer& skeleton) {
  std::vector<bpf_map*> maps;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton.obj) {
    if (!bpf_map__is_internal(map)) maps.push_back(map);
  }
  return maps;
}

bool HoldsMaps(const bpf_map* map) { return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS; }

bool IsArray(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY ||
         bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

// Of an element as user space sees it, all CPUs' together.
size_t ValueSize(const bpf_map* map) {
  if (bpf_map__type(map) != BPF_MAP_TYPE_PERCPU_ARRAY) return bpf_map__value_size(map);
  return (bpf_map__value_size(map) + 7) / 8 * 8 * static_cast<size_t>(libbpf_num_possible_cpus());
}

// libbpf forgets the inner maps' shapes when it loads, so they come from an object that is not.
int NewInnerMap(const std::string& outer) {
  ek_balancer* unloaded = ek_balancer__open();
  const bpf_map* inner =
      bpf_map__inner_map(bpf_object__find_map_by_name(unloaded->obj, outer.c_str()));
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = bpf_map__map_flags(inner));
  const int fd = bpf_map_create(bpf_map__type(inner), nullptr, bpf_map__key_size(inner),
                                bpf_map__value_size(inner), bpf_map__max_entries(inner), &options);
  ek_balancer__destroy(unloaded);
  return fd;
}

// The last element, every bit of it.
void Fill(bpf_map* map) {
  SCOPED_TRACE(bpf_map__name(map));
  const uint32_t last = bpf_map__max_entries(map) - 1;
  std::vector<uint8_t> key(bpf_map__key_size(map), 0xff);
  if (HoldsMaps(map) || IsArray(map)) std::memcpy(key.data(), &last, sizeof(last));
  if (HoldsMaps(map)) {
    const int inner = NewInnerMap(bpf_map__name(map));
    ASSERT_GE(inner, 0);
    EXPECT_EQ(bpf_map_update_elem(bpf_map__fd(map), key.data(), &inner, BPF_ANY), 0);
    close(inner);
    return;
  }
  const std::vector<uint8_t> value(ValueSize(map), 0xff);
  EXPECT_EQ(bpf_map_update_elem(bpf_map__fd(map), key.data(), value.data(), BPF_ANY), 0);
}

void ExpectEmpty(bpf_map* map) {
  SCOPED_TRACE(bpf_map__name(map));
  std::vector<uint8_t> key(bpf_map__key_size(map));
  std::vector<uint8_t> value(ValueSize(map));
  if (!IsArray(map) && !HoldsMaps(map)) {
    EXPECT_NE(bpf_map_get_next_key(bpf_map__fd(map), nullptr, key.data()), 0);
    return;
  }
  const uint32_t last = bpf_map__max_entries(map) - 1;
  const int found = bpf_map_lookup_elem(bpf_map__fd(map), &last, value.data());
  if (HoldsMaps(map)) {
    EXPECT_NE(found, 0);
  } else {
    EXPECT_EQ(value, std::vector<uint8_t>(ValueSize(map)));
  }
}

TEST(Loan, WhatComesBackIsEmptied) {
  EK_NEED_KERNEL();
  const ek_balancer* first = nullptr;
  {
    const BalancerLoan loan = BorrowBalancer(kKey, {});
    first = loan.get();
    for (bpf_map* map : MapsOf(*loan)) Fill(map);
  }
  const BalancerLoan again = BorrowBalancer(kKey, {});
  EXPECT_EQ(again.get(), first);
  for (bpf_map* map : MapsOf(*again)) ExpectEmpty(map);
}

TEST(Loan, OtherLimitsAndOtherKeysAreOtherBalancers) {
  EK_NEED_KERNEL();
  const ek_balancer* first = BorrowBalancer(kKey, {}).get();
  const BalancerLoan again = BorrowBalancer(kKey, {});
  EXPECT_EQ(again.get(), first);
  EXPECT_NE(BorrowBalancer(kKey, {}).get(), first);  // it is lent
  EXPECT_NE(BorrowBalancer({1, 2}, {}).get(), first);
  EXPECT_NE(BorrowBalancer(kKey, {.tables = 9}).get(), first);
}

}  // namespace
}  // namespace evenkeel::testing
