// TopicHomes: the homes of topics that site.toml asks for.
//
// The controller makes each topic at itself. The data center that the file names takes it over as
// soon as it hears of it, while nothing has been published to it. After that no home moves by
// itself: a promotion may have moved it away, for a reason. A home that is not where the file says
// is a problem at the present home.
//
// Owned by the Queue; one thread: the main loop's.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"

namespace meridian::queue {

class TopicHomes {
 public:
  struct Declared {
    std::string topic;
    NodeId home = 0;
    std::string home_name;
  };
  // `state` outlives it; the topics that it has now were known before this start, and stay.
  TopicHomes(const QueueState& state, std::vector<Declared> topics);

  // The topics to take over now: new here, without messages, and at home where they were made. To
  // be asked again until it gives none.
  std::vector<std::string> ToTake();
  // Of the topics whose home is here, and elsewhere by the file; at most a few. Empty: none.
  std::string problem() const;

 private:
  const QueueState& state_;
  const std::vector<Declared> topics_;
  std::set<std::string, std::less<>> settled_;
};

}  // namespace meridian::queue
