// SPDX-License-Identifier: Apache-2.0
//
// Every program loads in every load-time variant: the verifier sees load-time configuration as
// constants and judges what remains, so that each kernel may refuse another variant. The variants
// are read from the objects' type information; a new setting is in the matrix by itself.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstdarg>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/prog_runner/prog_runner.h"

namespace evenkeel {
namespace {

constexpr size_t kMaxVariants = 1024;

struct ObjectCloser {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, ObjectCloser>;

// A scalar in the read-only data, by the variable and member that it is.
struct Setting {
  std::string name;
  uint32_t offset = 0;
  uint32_t size = 0;
  std::vector<uint64_t> values;
};

std::string g_log;

int Log(enum libbpf_print_level level, const char* format, va_list args) {
  if (level != LIBBPF_WARN) return 0;
  char line[8192];
  const int written = std::vsnprintf(line, sizeof(line), format, args);
  g_log += line;
  return written;
}

Object Open(const std::string& name) {
  g_log.clear();
  return Object(bpf_object__open_file((EK_BINARY_DIR "/bpf/" + name + ".o").c_str(), nullptr));
}

const btf_type* Resolve(const btf* types, uint32_t id) {
  return btf__type_by_id(types, static_cast<uint32_t>(btf__resolve_type(types, id)));
}

// Arrays (keys, addresses) are data and switch nothing.
void AddSettings(const btf* types, uint32_t id, const std::string& name, uint32_t offset,
                 std::vector<Setting>& settings) {
  const btf_type* type = Resolve(types, id);
  if (btf_is_composite(type)) {
    for (uint32_t i = 0; i < btf_vlen(type); ++i) {
      const btf_member& member = btf_members(type)[i];
      const std::string member_name = btf__name_by_offset(types, member.name_off);
      AddSettings(types, member.type, name + "." + member_name,
                  offset + btf_member_bit_offset(type, i) / 8, settings);
    }
  } else if (btf_is_int(type) || btf_is_any_enum(type)) {
    Setting setting{name, offset, type->size, {0, 1}};
    const bool is_bool = btf_is_int(type) && (btf_int_encoding(type) & BTF_INT_BOOL) != 0;
    if (!is_bool) setting.values.push_back(~0ULL);
    settings.push_back(setting);
  }
}

std::vector<Setting> SettingsOf(const bpf_object* object) {
  std::vector<Setting> settings;
  const btf* types = bpf_object__btf(object);
  const int section = btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC);
  if (section < 0) return settings;
  const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(section));
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    const btf_var_secinfo& info = btf_var_secinfos(type)[i];
    const btf_type* variable = btf__type_by_id(types, info.type);
    AddSettings(types, variable->type, btf__name_by_offset(types, variable->name_off), info.offset,
                settings);
  }
  return settings;
}

size_t CountVariants(const std::vector<Setting>& settings) {
  size_t count = 1;
  for (const Setting& setting : settings) count *= setting.values.size();
  return count;
}

// Sets variant `number` and says what it is.
std::string Choose(bpf_object* object, const std::vector<Setting>& settings, size_t number) {
  std::string text;
  bpf_map* map = bpf_object__find_map_by_name(object, ".rodata");
  if (map == nullptr) return "without settings";
  size_t size = 0;
  auto* data = static_cast<char*>(const_cast<void*>(bpf_map__initial_value(map, &size)));
  for (const Setting& setting : settings) {
    const uint64_t value = setting.values[number % setting.values.size()];
    number /= setting.values.size();
    std::memcpy(data + setting.offset, &value, setting.size);  // little endian
    text += setting.name + "=" + (value == ~0ULL ? "max" : std::to_string(value)) + " ";
  }
  return text;
}

class LoadTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { libbpf_set_print(Log); }
};

TEST_P(LoadTest, InEveryVariant) {
  EK_NEED_KERNEL();
  const Object first = Open(GetParam());
  ASSERT_NE(first, nullptr) << g_log;
  const std::vector<Setting> settings = SettingsOf(first.get());
  const size_t variants = CountVariants(settings);
  ASSERT_LE(variants, kMaxVariants) << "give this test a choice of combinations";
  for (size_t number = 0; number < variants; ++number) {
    const Object object = Open(GetParam());
    ASSERT_NE(object, nullptr) << g_log;
    const std::string variant = Choose(object.get(), settings, number);
    const int error = bpf_object__load(object.get());
    const std::string end = g_log.substr(g_log.size() - std::min<size_t>(g_log.size(), 3000));
    EXPECT_EQ(error, 0) << GetParam() << " " << variant << "\n" << end;
  }
  std::printf("%s: %zu variants of %zu settings\n", GetParam(), variants, settings.size());
}

TEST(SettingsTest, TheDecapsulationsSwitchIsFound) {
  const Object object = Open("decap");
  ASSERT_NE(object, nullptr) << g_log;
  bool found = false;
  for (const Setting& setting : SettingsOf(object.get())) {
    found |= setting.name == "ek_decap_config.check_source";
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(Programs, LoadTest,
                         ::testing::Values("balancer", "capture", "decap", "dispatcher",
                                           "xdp_pass"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace evenkeel
