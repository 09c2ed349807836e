// SPDX-License-Identifier: Apache-2.0
#include "tests/harness/steps/steps.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <new>
#include <set>

#include "absl/strings/str_cat.h"

namespace evenkeel::testing {
namespace {

void Require(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

std::string NameOf(const Step& step) {
  static constexpr const char* kFiles[] = {"", "database", "wal", "shm", "journal", "other file"};
  const std::string file = step.detail < std::size(kFiles) ? kFiles[step.detail] : "?";
  switch (step.call) {
    case StepCall::kBpf:
      return absl::StrCat("bpf ", static_cast<int>(step.detail));
    case StepCall::kGrace:
      return "grace period";
    case StepCall::kWrite:
      return "write " + file;
    case StepCall::kSync:
      return "sync " + file;
    case StepCall::kTruncate:
      return "truncate " + file;
    case StepCall::kName:
      return "name " + file;
  }
  return "?";
}

bool IsOnFile(const Step& step) {
  return step.call != StepCall::kBpf && step.call != StepCall::kGrace;
}

}  // namespace

Steps::Steps(const std::string& file, const std::string& dir) : file_(file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  Require(fd >= 0 && ftruncate(fd, sizeof(StepPlan)) == 0, file.c_str());
  void* memory = mmap(nullptr, sizeof(StepPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  Require(memory != MAP_FAILED, "mmap");
  plan_ = new (memory) StepPlan{};
  Require(dir.size() < sizeof(plan_->dir), "a shorter directory");
  dir.copy(plan_->dir, dir.size());
}

Steps::~Steps() { munmap(plan_, sizeof(StepPlan)); }

std::vector<std::string> Steps::CommandPrefix() const {
  return {"env", "LD_PRELOAD=" EK_STEP_LIBRARY, absl::StrCat(kPlanVariable, "=", file_)};
}

void Steps::Arm(StepAction action, uint32_t step, int error) {
  plan_->armed = false;
  plan_->count = 0;
  plan_->seen = 0;
  plan_->killed = false;
  plan_->action = action;
  plan_->at = step;
  plan_->error = error;
  plan_->armed = true;
}

void Steps::SetOrder(const std::vector<Step>& order) {
  plan_->armed = false;
  Require(!order.empty() && order.size() <= std::size(plan_->order), "a shorter order");
  std::copy(order.begin(), order.end(), plan_->order);
  plan_->order_size = static_cast<uint32_t>(order.size());
}

void Steps::KillAfter(const std::vector<Step>& order) {
  SetOrder(order);
  Arm(StepAction::kKillAfter, 0, 0);
}

void Steps::FailAfter(const std::vector<Step>& order, int error) {
  SetOrder(order);
  Arm(StepAction::kFailAfter, 0, error);
}

std::vector<Step> Steps::Disarm() {
  plan_->armed = false;
  plan_->killed = false;
  return {plan_->steps, plan_->steps + std::min<uint32_t>(plan_->count, kMaxSteps)};
}

std::vector<uint32_t> Choose(const std::vector<Step>& steps, size_t most) {
  struct Place {
    uint32_t first = 0, last = 0;
  };
  std::map<std::string, Place> passages;  // by the names of a step and the one before it
  std::set<uint32_t> chosen;
  for (uint32_t i = 0; i < steps.size(); ++i) {
    const Step before = i == 0 ? Step{} : steps[i - 1];
    Place& place = passages[absl::StrCat(NameOf(before), " -> ", NameOf(steps[i]))];
    if (place.first == 0) chosen.insert(place.first = i + 1);
    if (before.call != steps[i].call || IsOnFile(steps[i])) place.last = i + 1;
  }
  for (const auto& [name, place] : passages) {
    if (place.last != 0) chosen.insert(place.last);
  }
  const size_t rest = most > chosen.size() ? most - chosen.size() : 0;
  for (size_t i = 0; i < rest; ++i) {
    chosen.insert(static_cast<uint32_t>(1 + i * steps.size() / rest));
  }
  return {chosen.begin(), chosen.end()};
}

std::vector<uint32_t> ChooseFew(const std::vector<Step>& steps, bool only_files) {
  std::map<std::string, uint32_t> first, last;
  for (uint32_t i = 0; i < steps.size(); ++i) {
    if (only_files && !IsOnFile(steps[i])) continue;
    const std::string name = NameOf(steps[i]);
    first.emplace(name, i + 1);
    if (IsOnFile(steps[i])) last[name] = i + 1;
  }
  std::set<uint32_t> chosen;
  for (const auto* places : {&first, &last}) {
    for (const auto& [name, number] : *places) chosen.insert(number);
  }
  return {chosen.begin(), chosen.end()};
}

std::vector<Step> OnFiles(const std::vector<Step>& steps) {
  std::vector<Step> chosen;
  std::copy_if(steps.begin(), steps.end(), std::back_inserter(chosen), IsOnFile);
  return chosen;
}

std::string Describe(const std::vector<Step>& steps) {
  std::string text = absl::StrCat(steps.size(), " steps");
  for (size_t i = 0, end = 0; i < steps.size(); i = end) {
    for (end = i; end < steps.size() && steps[end] == steps[i];) ++end;
    absl::StrAppend(&text, i == 0 ? ": " : ", ", end - i, " ", NameOf(steps[i]));
  }
  return text;
}

}  // namespace evenkeel::testing
