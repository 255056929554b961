#include "edge/upstream_problems.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {

bool UpstreamProblems::OnFailure(std::string_view upstream, const Error& error, TimePoint now) {
  uint64_t times = 0;
  {
    const std::lock_guard lock(mutex_);
    Problem& problem = problems_[std::string(upstream)];
    any_.store(true, std::memory_order_relaxed);
    problem.last = std::max(problem.last, now);
    // One text for all errors: an upstream that fails in two ways by turns is one problem.
    if (!problem.log.OnProblem("fails", now)) return false;
    times = problem.log.count();
  }
  LOG_WARNING("an upstream could not answer", {"to", upstream}, {"problem", error.message},
              {"times", times});
  return true;
}

bool UpstreamProblems::EndProblem(std::string_view upstream, TimePoint now) {
  uint64_t failed = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto problem = problems_.find(upstream);
    if (problem == problems_.end() || now - problem->second.last < kUpstreamSolvedAfter) {
      return false;
    }
    failed = problem->second.log.count();
    problems_.erase(problem);
    any_.store(!problems_.empty(), std::memory_order_relaxed);
  }
  LOG_INFO("an upstream answers again", {"to", upstream}, {"failed", failed});
  return true;
}

}  // namespace meridian::edge
