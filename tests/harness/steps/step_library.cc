// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a daemon under test: counts the calls by which it touches the world, and ends it,
// or fails them, where the test's plan says so. The daemon itself knows nothing of it.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/harness/steps/step_plan.h"

namespace {

using namespace evenkeel::testing;

StepPlan* plan = nullptr;

__attribute__((constructor)) void OpenPlan() {
  const char* path = std::getenv(kPlanVariable);
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  void* memory = mmap(nullptr, sizeof(StepPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) abort();
  plan = static_cast<StepPlan*>(memory);
}

bool Armed() { return plan != nullptr && plan->armed; }

bool EndsWith(const char* text, const char* end) {
  const size_t length = strlen(text), size = strlen(end);
  return length >= size && strcmp(text + length - size, end) == 0;
}

// 0: no file of interest.
uint8_t FileAt(const char* path) {
  if (strncmp(path, plan->dir, strlen(plan->dir)) != 0) return 0;
  StepFile file = StepFile::kOther;
  if (EndsWith(path, ".db")) file = StepFile::kDatabase;
  if (EndsWith(path, ".db-wal")) file = StepFile::kWal;
  if (EndsWith(path, ".db-shm")) file = StepFile::kSharedMemory;
  if (EndsWith(path, ".db-journal")) file = StepFile::kJournal;
  return static_cast<uint8_t>(file);
}

uint8_t FileOf(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return FileAt(path);
}

[[noreturn]] void Die() {
  plan->killed = true;
  while (true) kill(getpid(), SIGKILL);
}

enum class Verdict { kGo, kTear, kFail };

// Which changes of files fail, as on a full or broken disk.
Verdict FailOrGo(StepCall call) {
  const bool changes = call == StepCall::kWrite || call == StepCall::kTruncate ||
                       call == StepCall::kName || (call == StepCall::kSync && plan->error == EIO);
  if (!changes) return Verdict::kGo;
  errno = plan->error;
  return Verdict::kFail;
}

Verdict Take(StepCall call, uint8_t detail) {
  if (plan->killed) Die();  // in another thread
  const Step step{call, detail};
  const bool failing = plan->action == StepAction::kFail || plan->action == StepAction::kFailAfter;
  if (failing && (call == StepCall::kBpf || call == StepCall::kGrace)) return Verdict::kGo;
  const uint32_t number = ++plan->count;
  if (number <= kMaxSteps) plan->steps[number - 1] = step;
  if (plan->action == StepAction::kKillAfter) {
    if (plan->order[plan->seen] == step && ++plan->seen == plan->order_size) Die();
    return Verdict::kGo;
  }
  if (plan->action == StepAction::kFailAfter) {
    if (plan->seen == plan->order_size) return FailOrGo(call);
    if (plan->order[plan->seen] == step) ++plan->seen;
    return Verdict::kGo;
  }
  if (plan->action == StepAction::kCount || number < plan->at) return Verdict::kGo;
  if (plan->action == StepAction::kFail) return FailOrGo(call);
  if (plan->action == StepAction::kTear && call == StepCall::kWrite) return Verdict::kTear;
  Die();
}

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// A call about the file `file`: `real`, or what the plan has for it.
template <typename Call>
auto OnFile(uint8_t file, StepCall call, Call real) -> decltype(real()) {
  if (file != 0 && Take(call, file) == Verdict::kFail) return -1;
  return real();
}

// `real` takes the number of bytes.
template <typename Call>
ssize_t Write(int fd, size_t size, Call real) {
  const uint8_t file = Armed() ? FileOf(fd) : 0;
  if (file == 0) return real(size);
  const Verdict verdict = Take(StepCall::kWrite, file);
  if (verdict == Verdict::kFail) return -1;
  if (verdict == Verdict::kGo) return real(size);
  real(size / 2);
  Die();
}

}  // namespace

extern "C" {

long syscall(long number, ...) noexcept {
  static const auto real = Real<long (*)(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (Armed() && number == SYS_bpf) Take(StepCall::kBpf, static_cast<uint8_t>(a[0]));
  if (Armed() && number == SYS_membarrier) Take(StepCall::kGrace, 0);
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  return Write(fd, size, [&](size_t some) { return real(fd, data, some); });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return Write(fd, size, [&](size_t some) { return real(fd, data, some, at); });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return Write(fd, size, [&](size_t some) { return real(fd, data, some, at); });
}

int fsync(int fd) {
  static const auto real = Real<int (*)(int)>("fsync");
  return OnFile(Armed() ? FileOf(fd) : 0, StepCall::kSync, [&] { return real(fd); });
}
int fdatasync(int fd) {
  static const auto real = Real<int (*)(int)>("fdatasync");
  return OnFile(Armed() ? FileOf(fd) : 0, StepCall::kSync, [&] { return real(fd); });
}
int ftruncate(int fd, off_t size) noexcept {
  static const auto real = Real<int (*)(int, off_t)>("ftruncate");
  return OnFile(Armed() ? FileOf(fd) : 0, StepCall::kTruncate, [&] { return real(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
  static const auto real = Real<int (*)(int, off64_t)>("ftruncate64");
  return OnFile(Armed() ? FileOf(fd) : 0, StepCall::kTruncate, [&] { return real(fd, size); });
}

int unlink(const char* path) noexcept {
  static const auto real = Real<int (*)(const char*)>("unlink");
  return OnFile(Armed() ? FileAt(path) : 0, StepCall::kName, [&] { return real(path); });
}
int rename(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("rename");
  return OnFile(Armed() ? FileAt(to) : 0, StepCall::kName, [&] { return real(from, to); });
}
int link(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("link");
  return OnFile(Armed() ? FileAt(to) : 0, StepCall::kName, [&] { return real(from, to); });
}

}  // extern "C"
