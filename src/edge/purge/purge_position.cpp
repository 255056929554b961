#include "edge/purge/purge_position.hpp"

#include <cstdint>
#include <utility>

#include "site/view/purge.hpp"

namespace meridian::edge {

PurgePosition::Step PurgePosition::OnNews(site::PurgePollAnswer news) {
  question_.applied.clear();
  // A journal that has fewer than we followed has lost some: it is another one, whatever it says.
  bool follows = news.journal == question_.journal && question_.after + 1 >= news.oldest &&
                 question_.after <= news.newest;
  // Its entries begin where we asked, or they are not the answer to our question.
  if (follows && !news.entries.empty()) {
    follows = news.entries.front().number == question_.after + 1;
  }
  if (!follows) {
    question_.journal = news.journal;
    question_.after = news.newest;
    return {.drop_all = true};
  }
  if (!news.entries.empty()) question_.after = news.entries.back().number;
  return {.apply = std::move(news.entries)};
}

void PurgePosition::OnApplied(uint64_t number, uint64_t objects) {
  question_.applied.push_back({.number = number, .objects = objects});
}

}  // namespace meridian::edge
