// TermKeeper: keeps a Term in the coordinator: sends its requests, and wakes whoever waits for the
// term to be taken or lost.
//
//   TermKeeper keeper(loop, store, {.key = "/meridian/photos/term/shard-0", ...});
//   scope.Spawn(keeper.Run());
//   keeper.SetWanted(true);
//   co_await keeper.AwaitChange(deadline);
//   if (keeper.Holds()) ... until keeper.held_until()
//
// One thread: the loop's. `store` and `loop` outlive it, and it outlives the fiber in Run.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/coordinator/key_store.hpp"
#include "site/coordinator/term.hpp"

namespace meridian::site {

class TermKeeper {
 public:
  struct Options {
    std::string key;
    std::string holder;  // this data center
    uint64_t life = 0;   // random, for each start
  };
  TermKeeper(io::Loop& loop, KeyStore& store, Options options);

  // Until it is cancelled. The term then runs out by itself: give it up before (SetWanted), if its
  // owner has stopped.
  io::Task<void> Run();

  void SetWanted(bool wanted);
  bool Holds() const { return term_.Holds(loop_.Now()); }
  const Term& term() const { return term_; }
  // Waits until Holds changes. kTimeout, kCancelled.
  io::Task<Result<void>> AwaitChange(TimePoint deadline);
  // Why the key cannot be read or written now. Empty: it can.
  const std::string& problem() const { return problem_text_; }

 private:
  io::Task<Result<void>> Send(TermRequest request);
  Result<void> TakeRead(const StoredKey& key);
  void NoteOutcome(const Result<void>& outcome);

  io::Loop& loop_;
  KeyStore& store_;
  const Options options_;
  Term term_;
  io::WaitQueue changed_;  // perhaps Holds
  RecurringProblem problem_;
  std::string problem_text_;
};

}  // namespace meridian::site
