// The purge orders of this data center: the journal, and the orders that each edge of the site has
// applied.
//
// Owned by the agent's main; one thread: the loop's. Invariants: edges receive an order only after
// it is on disk; an order counts as applied by an edge when the edge reports it, and not before.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "agent/context.hpp"
#include "agent/purges/purge_journal.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/file/disk.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/view/purge.hpp"

namespace meridian::agent {

class Purges {
 public:
  Purges(const Context& context, io::Disk& disk, Metrics& metrics);
  Purges(const Purges&) = delete;
  Purges& operator=(const Purges&) = delete;

  // Errors: the disk's.
  io::Task<Result<void>> Open() { return journal_.Open(); }
  // Runs until cancelled.
  io::Task<void> Run() { return journal_.Run(); }
  // Ends all waits: of polls for new orders, and of purges for edges.
  void Stop();

  // Appends the order, and waits until every edge of the site has applied it, at most `timeout`.
  // The report has no result for edges that did not reply in time. Errors: the disk's.
  io::Task<Result<site::PurgeReport>> Purge(site::PurgeOrder order, Duration timeout);
  // Records the orders that an edge has applied, and waits for new orders, at most
  // kPurgePollTimeout. kInvalid: the site has no such edge.
  io::Task<Result<site::PurgePollAnswer>> OnPoll(site::PurgePoll poll);

 private:
  // A purge that waits for edges.
  struct PendingPurge {
    TimePoint since{};
    site::PurgeReport report{};
    io::WaitQueue edge_replied;
  };

  void RecordApplied(const site::PurgePoll& poll);
  static void RecordEdge(PendingPurge& purge, const site::PurgePoll& poll, TimePoint now);

  const Context& context_;
  PurgeJournal journal_;
  Counter& orders_;
  std::list<PendingPurge> pending_;
  bool stopping_ = false;
};

}  // namespace meridian::agent
