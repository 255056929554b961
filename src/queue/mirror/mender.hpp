// Mender: repairs damaged segment files with the batches of any other data center that has them:
// the topic's home, or a mirror. It asks for the topic by its id and under the leader epoch that is
// known here, so that no copy with another history answers, and writes nothing that does not fit
// (repair_patch.hpp). What cannot be repaired is tried again with growing pauses.
//
// Damage is found by SegmentCheck. Owned by Mirrors; one thread: the main loop's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/partition.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/mirror/repair_patch.hpp"
#include "queue/state/journal_record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "wire/kafka/messages/fetch.hpp"

namespace meridian::queue {

class Mender {
 public:
  struct Peer {
    NodeId node = 0;
    std::string name;
    store::MirrorClient::Dial dial;
  };
  Mender(io::Loop& loop, DurableState& durable, std::vector<Peer> peers);
  void Start();
  io::Task<void> Stop();
  // Why a partition is not repaired yet. Empty: none has failed.
  std::string problem() const;

 private:
  struct Source {
    NodeId node = 0;
    std::string name;
    std::unique_ptr<PeerCaller> caller;
  };
  // Of a damaged partition.
  struct Attempts {
    TimePoint next{};
    Duration pause{};
    RecurringProblem problem;
    std::string text;
  };
  // Bad batches in the segment that begins at `base_offset`.
  struct Damage {
    int64_t base_offset = 0;
    uint64_t position = 0;
  };

  io::Task<void> Run();
  std::vector<std::shared_ptr<Partition>> DamagedPartitions() const;
  io::Task<Result<void>> Mend(std::shared_ptr<Partition> partition);
  io::Task<Result<void>> MendPlace(std::shared_ptr<Partition> partition, Damage damage);
  io::Task<Result<void>> MendFrom(Source& source, std::shared_ptr<Partition> partition,
                                  Damage& damage);
  io::Task<Result<PeerResponse<wire::kafka::FetchResponse>>> Fetch(Source& source, PartitionId id,
                                                                   int64_t offset);
  io::Task<Result<uint64_t>> PatchOnce(Source& source, std::shared_ptr<Partition> partition,
                                       Damage damage, DamagedPlace place);
  std::vector<Source*> SourcesOf(PartitionId id);
  void Note(Partition& partition, const Result<void>& done);

  io::Loop& loop_;
  DurableState& durable_;
  std::vector<Source> sources_;
  std::map<PartitionId, Attempts> attempts_;
  io::Scope scope_;
};

}  // namespace meridian::queue
