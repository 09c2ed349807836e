// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane/libbpf_log.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace evenkeel::dataplane {
namespace {

constexpr size_t kMaxText = 64 << 10;
constexpr size_t kTailBytes = 1024;
constexpr absl::string_view kExtackMark = "Kernel error message: ";

thread_local std::string* t_sink = nullptr;

int Collect(const char* format, va_list args) {
  char line[4096];
  const int written = std::vsnprintf(line, sizeof(line), format, args);
  if (t_sink != nullptr && t_sink->size() < kMaxText) t_sink->append(line);
  return written;
}

int Print(enum libbpf_print_level level, const char* format, va_list args) {
  return level == LIBBPF_WARN ? Collect(format, args) : 0;
}

int PrintXdp(enum libxdp_print_level level, const char* format, va_list args) {
  return level == LIBXDP_DEBUG ? 0 : Collect(format, args);
}

}  // namespace

LibbpfLog::LibbpfLog() {
  static std::once_flag once;
  std::call_once(once, [] {
    libbpf_set_print(Print);
    libxdp_set_print(PrintXdp);
  });
  t_sink = &text_;
}

LibbpfLog::~LibbpfLog() { t_sink = nullptr; }

std::string LibbpfLog::Tail() const {
  absl::string_view tail = text_;
  if (tail.size() > kTailBytes) tail.remove_prefix(tail.size() - kTailBytes);
  std::vector<absl::string_view> lines = absl::StrSplit(tail, '\n', absl::SkipWhitespace());
  return absl::StrJoin(lines, " | ");
}

std::string LibbpfLog::Extack() const {
  const size_t at = text_.rfind(kExtackMark.data());
  if (at == std::string::npos) return {};
  absl::string_view rest = absl::string_view(text_).substr(at + kExtackMark.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

}  // namespace evenkeel::dataplane
