// SPDX-License-Identifier: Apache-2.0
#include "control/model/validate_policy.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/model/text.h"

namespace evenkeel::model {
namespace {

constexpr size_t kMaxTextLength = 1024;
constexpr size_t kMaxFreezes = 1000;

class PolicyValidator {
 public:
  PolicyValidator(std::string_view path, std::vector<Diagnostic>& out) : path_(path), out_(out) {}

  void Run(const Policy& policy, PolicyLevel level) {
    if (level != PolicyLevel::kPool) CheckForAll(policy);
    if (policy.single_backend) {
      Require("single_backend.reason", policy.single_backend->reason,
              "say why one backend is enough");
      Require("single_backend.owner", policy.single_backend->owner, "say who answers for it");
    }
    if (policy.peak_load && !(*policy.peak_load > 0 && std::isfinite(*policy.peak_load))) {
      Add("peak_load",
          absl::StrFormat("%g is not a load; write a number above 0", *policy.peak_load));
    }
    CheckExceptions(policy);
    CheckFreezes(policy);
  }

 private:
  void Add(std::string_view field, std::string message) {
    out_.push_back({{}, absl::StrCat(Av(path_), ".", Av(field)), std::move(message)});
  }

  void Require(std::string_view field, const std::string& text, const char* what) {
    if (text.empty()) Add(field, absl::StrCat("is missing; ", what));
    if (const auto problem = TextProblem(text)) Add(field, *problem);
  }

  // What declares an exception is a matter of one pool, whose owner answers for it.
  void CheckForAll(const Policy& policy) {
    constexpr char kOfAPool[] = "is for one pool; write it there";
    if (policy.min_serving_backends.value_or(2) < 2) {
      Add("min_serving_backends", "is less than the default; write at least 2, or leave it out");
    }
    if (policy.single_backend) Add("single_backend", kOfAPool);
    if (policy.peak_load) Add("peak_load", kOfAPool);
    if (!policy.exceptions.empty()) Add("exceptions", kOfAPool);
  }

  void CheckExceptions(const Policy& policy) {
    std::set<std::string_view> seen;
    for (size_t i = 0; i < policy.exceptions.size(); ++i) {
      const RuleException& exception = policy.exceptions[i];
      const std::string element = absl::StrCat("exceptions[", i, "]");
      Require(element + ".rule", exception.rule, "write the id of a rule, such as LB004");
      Require(element + ".reason", exception.reason, "say why the pool is meant to break the rule");
      Require(element + ".owner", exception.owner, "say who answers for it");
      if (!seen.insert(exception.rule).second) {
        Add(element + ".rule", absl::StrCat(Quoted(exception.rule), " is there twice; remove one"));
      }
    }
  }

  void CheckFreezes(const Policy& policy) {
    if (policy.freeze.size() > kMaxFreezes) {
      Add("freeze", absl::StrCat("has ", policy.freeze.size(), " entries; at most ", kMaxFreezes));
    }
    for (size_t i = 0; i < policy.freeze.size(); ++i) {
      const std::string element = absl::StrCat("freeze[", i, "]");
      Require(element + ".reason", policy.freeze[i].reason, "say why nothing may change");
      const auto& [from, to, reason] = policy.freeze[i];
      if (from < 0 || to > kMaxUnixSeconds) Add(element, "is not between 1970 and 9999");
      if (from < to) continue;
      Add(element + ".to", "is not after from; write the first second after the freeze");
    }
  }

  std::string_view path_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

std::optional<std::string> TextProblem(std::string_view text) {
  if (text.size() > kMaxTextLength) {
    return absl::StrCat("has ", text.size(), " bytes; at most ", kMaxTextLength);
  }
  if (text.find('\0') != std::string::npos) return "has a NUL character; remove it";
  return std::nullopt;
}

void CheckPolicy(const Policy& policy, std::string_view path, PolicyLevel level,
                 std::vector<Diagnostic>& diagnostics) {
  PolicyValidator(path, diagnostics).Run(policy, level);
}

}  // namespace evenkeel::model
