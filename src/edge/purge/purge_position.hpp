// How far this edge has followed one journal of purges, and what is to be done with its news. Pure.
//
// The rule: what is stored may stay only if every order since it was stored has been followed.
// Where orders may have been missed (the journal is heard for the first time, is another one than
// before, or no longer reaches back to where we were), all that is stored goes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "site/view/purge.hpp"

namespace meridian::edge {

class PurgePosition {
 public:
  // What to do, in this order.
  struct Step {
    bool drop_all = false;
    std::vector<site::PurgeEntry> apply{};
  };

  // `edge`: this one's data center.
  explicit PurgePosition(std::string edge) : question_{.edge = std::move(edge)} {}

  // What to ask next; it says what was done since the last answer.
  const site::PurgePoll& question() const { return question_; }

  // Takes an answer to the question. The step is to be done before the next question.
  Step OnNews(site::PurgePollAnswer news);
  // To be called for each of the step's orders: what it did goes into the next question.
  void OnApplied(uint64_t number, uint64_t objects);
  // It has heard of the journal.
  bool started() const { return question_.journal != 0; }

 private:
  site::PurgePoll question_;
};

}  // namespace meridian::edge
