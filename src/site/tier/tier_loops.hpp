// TierLoops: the loops of a tier's process: the main loop, which the process has, and further loops
// with a thread each. Used on the main loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/tier_loop.hpp"

namespace meridian::site {

class TierLoops {
 public:
  // `count`: of all loops, at least 1. The further threads have the names NAME-2, NAME-3 ...
  TierLoops(const std::string& name, TierLoop main, size_t count);
  // Ends the threads. EndScopes must have returned if the loops have run.
  ~TierLoops();
  TierLoops(const TierLoops&) = delete;
  TierLoops& operator=(const TierLoops&) = delete;

  size_t size() const { return 1 + further_.size(); }
  // `index`: below size().
  TierLoop operator[](size_t index);
  // The scopes of all loops, for io::PerLoop.
  std::vector<io::Scope*> scopes();

  // The thread of a loop that does not answer by `deadline`. Empty: all answer.
  io::Task<std::string> FindHung(TimePoint deadline);
  // Cancels the tier's fibers of every loop and waits for their ends.
  io::Task<void> EndScopes();

 private:
  struct Further;
  void Ask(Further& loop);

  TierLoop main_;
  std::vector<std::unique_ptr<Further>> further_;
  uint64_t asked_ = 0;  // how often the loops were asked to answer
  io::WaitQueue answered_;
};

}  // namespace meridian::site
