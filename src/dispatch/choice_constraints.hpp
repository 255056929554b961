// ChoiceConstraints: the instances that may be chosen for a request. Owned by the request.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "dispatch/limits.hpp"

namespace meridian::dispatch {

struct SharedInstance;

class ChoiceConstraints {
 public:
  // The request may go to an instance on trial (half-open: after an ejection it is tested with one
  // request at a time). For idempotent requests only: if the test fails, they are sent elsewhere.
  bool may_use_trial = false;

  // The instances at which the request was tried; none of them is chosen again.
  std::span<const SharedInstance* const> tried() const { return std::span(tried_).first(tries_); }
  // At most kMaxRetries + 1 times.
  void AddTried(const SharedInstance* instance) { tried_[tries_++] = instance; }

 private:
  std::array<const SharedInstance*, kMaxRetries + 1> tried_{};
  size_t tries_ = 0;
};

}  // namespace meridian::dispatch
