#include "edge/purge/purge_position.hpp"

#include <cstdint>
#include <utility>

#include "site/view/purge.hpp"

namespace meridian::edge {

PurgePosition::Step PurgePosition::OnNews(site::PurgeNews news) {
  question_.applied.clear();
  // A journal with fewer entries than this edge has followed has lost some: it counts as another.
  bool follows = news.journal == question_.journal && question_.after + 1 >= news.oldest &&
                 question_.after <= news.newest;
  // The entries must begin at the position in the question, or they do not answer it.
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
