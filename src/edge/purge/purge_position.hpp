// The position of this edge in one purge journal, and how its answers are applied. Pure.
//
// The rule: a stored response may stay only if every order since it was stored has been applied.
// When orders may have been missed (the journal is new to this edge, was replaced, or no longer
// reaches back to the position), the whole cache is dropped.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "site/view/purge.hpp"

namespace meridian::edge {

class PurgePosition {
 public:
  // The actions, in this order.
  struct Step {
    bool drop_all = false;
    std::vector<site::PurgeEntry> apply{};
  };

  // `edge`: this edge's data center.
  explicit PurgePosition(std::string edge) : poll_{.edge = std::move(edge)} {}

  // The next poll to the agent; it reports the orders applied since the last answer.
  const site::PurgePoll& poll() const { return poll_; }

  // Takes an answer to the poll. The step must be done before the next poll.
  Step OnNews(site::PurgePollAnswer news);
  // To be called for each applied order of the step; the next poll reports it.
  void OnApplied(uint64_t number, uint64_t objects);
  // Whether the journal has answered before.
  bool started() const { return poll_.journal != 0; }

 private:
  site::PurgePoll poll_;
};

}  // namespace meridian::edge
