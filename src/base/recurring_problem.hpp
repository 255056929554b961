// Decides when to log a repeated problem: when it begins or its text changes, then at growing
// intervals while it lasts, and when it is over. Pure; one object per operation that can fail
// repeatedly. One thread.
//
//   if (!written) {
//     if (problem_.OnProblem(written.error().message, now)) LOG_WARNING(...);
//   } else if (problem_.OnSolved()) {
//     LOG_INFO(...);
//   }
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace meridian {

class RecurringProblem {
 public:
  static constexpr Duration kFirstReminder = std::chrono::minutes{1};
  static constexpr Duration kMaxReminderInterval = std::chrono::hours{1};

  // Whether to log the problem now.
  bool OnProblem(std::string_view text, TimePoint now) {
    ++count_;
    bool is_new = text_ != text;
    if (!is_new && now < next_) return false;
    reminder_ = is_new ? kFirstReminder : std::min(reminder_ * 2, kMaxReminderInterval);
    next_ = SaturatingAdd(now, reminder_);
    text_ = text;
    return true;
  }

  // Whether to log that the problem is over.
  bool OnSolved() {
    bool was = lasts();
    text_.clear();
    count_ = 0;
    return was;
  }

  bool lasts() const { return count_ > 0; }
  const std::string& text() const { return text_; }
  // Number of failures since the problem began.
  uint64_t count() const { return count_; }

 private:
  std::string text_;
  TimePoint next_ = TimePoint::min();
  Duration reminder_ = kFirstReminder;
  uint64_t count_ = 0;
};

}  // namespace meridian
