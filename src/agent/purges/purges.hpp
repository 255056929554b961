// The purges of this data center: its journal, and how far each edge of the site has followed it.
//
// Owned by the agent's main; one thread: the loop's. Invariants: an order is heard by edges only
// once it is safe; an edge has applied an order when it says so, and not before.
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

  // An error is the disk's.
  io::Task<Result<void>> Open() { return journal_.Open(); }
  // Runs until cancelled.
  io::Task<void> Run() { return journal_.Run(); }
  // From now on nobody waits any more: not edges for news, nor purges for edges.
  void Stop();

  // Gives the order, and waits until every edge of the site has followed it, at most `timeout`
  // from now on; what the report does not know then it leaves open. Errors: the disk's.
  io::Task<Result<site::PurgeReport>> Purge(site::PurgeOrder order, Duration timeout);
  // Hears what an edge has applied, and waits for news for it, at most kPurgePollTimeout.
  // kInvalid: the site has no such edge.
  io::Task<Result<site::PurgePollAnswer>> Answer(site::PurgePoll question);

 private:
  // A purge whose edges are awaited.
  struct Awaited {
    TimePoint since{};
    site::PurgeReport report{};
    io::WaitQueue heard;
  };

  void Hear(const site::PurgePoll& question);
  static void Settle(Awaited& awaited, const site::PurgePoll& question, TimePoint now);

  const Context& context_;
  PurgeJournal journal_;
  Counter& orders_;
  std::list<Awaited> awaited_;
  bool stopping_ = false;
};

}  // namespace meridian::agent
