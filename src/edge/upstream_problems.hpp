// UpstreamProblems: the upstreams that fail, for the log: one line for the process when an upstream
// begins to fail, reminders while it does, and one when it answers again. Owned by the edge, shared
// by the Forwarders of its loops; any thread. It must outlive them.
//
// While no upstream fails, an answer only reads a flag that nobody writes.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"

namespace meridian::edge {

class UpstreamProblems {
 public:
  // `now`: the caller's time; times of different loops may differ a little. True: it was logged.
  bool OnFailure(std::string_view upstream, const Error& error, TimePoint now);
  bool OnAnswer(std::string_view upstream, TimePoint now) {
    return any_.load(std::memory_order_relaxed) && EndProblem(upstream, now);
  }

 private:
  struct Problem {
    RecurringProblem log;
    TimePoint last = TimePoint::min();  // failure
  };
  bool EndProblem(std::string_view upstream, TimePoint now);

  // Whether `problems_` is not empty. Read for each answer, written under the mutex.
  alignas(64) std::atomic<bool> any_ = false;
  alignas(64) std::mutex mutex_;
  // By the upstream's name: at most those of a route.
  std::map<std::string, Problem, std::less<>> problems_;
};

}  // namespace meridian::edge
