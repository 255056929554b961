// Filler: fetches the batches of mirrored partitions that this data center lacks, from their home:
// what was there before it began to mirror, or what a crash took before a checkpoint. Batches that
// arrive in the journal meanwhile are left out until the gap before them is closed.
//
// Owned by Mirrors; one thread: the main loop's.
#pragma once

#include <cstdint>
#include <string>

#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/state/journal_record.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {

class Filler {
 public:
  // Of the topics whose home is `home`.
  Filler(io::Loop& loop, DurableState& durable, NodeId home, store::MirrorClient::Dial dial);
  void Start();
  io::Task<void> Stop();
  // Why it fails now. Empty: it does not.
  const std::string& problem() const { return problem_text_; }

 private:
  io::Task<void> Run();
  io::Task<Result<void>> FillAll();
  io::Task<Result<void>> Fill(PartitionId id);
  // Whether it has got anything.
  io::Task<Result<bool>> FetchOnce(PartitionId id);
  io::Task<Result<bool>> Take(PartitionId id,
                              const wire::kafka::FetchResponse::Topic::Partition& fetched);

  io::Loop& loop_;
  DurableState& durable_;
  NodeId home_;
  PeerCaller caller_;
  RecurringProblem problem_;
  std::string problem_text_;
  bool fetched_ = false;  // since the last checkpoint
  io::Scope scope_;
};

}  // namespace meridian::queue
