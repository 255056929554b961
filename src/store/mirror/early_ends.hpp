// EarlyEnds: whether connections to a peer (or streams of one) keep ending soon after they begin.
// Such a peer is connected most of the time while nothing gets through; an operator must not be
// told that all is well.
//
// Pure; owned by whatever connects again. One thread.
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "store/limits.hpp"

namespace meridian::store {

class EarlyEnds {
 public:
  void OnBegin(TimePoint now) { begun_ = now; }
  // The one that has begun last has ended.
  void OnEnd(TimePoint now) { in_a_row_ = lasted(now) ? 0 : in_a_row_ + 1; }

  bool recur() const { return in_a_row_ >= kMaxEarlyEnds; }
  // Whether the present one may be called connected.
  bool IsSteady(TimePoint now) const { return !recur() || lasted(now); }
  // `error` of the last one that ended, with what is known of those before it.
  std::string Describe(std::string_view error) const {
    if (!recur()) return std::string(error);
    return fmt::format("{} connections in a row ended early, the last one: {}", in_a_row_, error);
  }

 private:
  bool lasted(TimePoint now) const { return now - begun_ >= kSteadyConnection; }

  TimePoint begun_{};
  int in_a_row_ = 0;
};

}  // namespace meridian::store
