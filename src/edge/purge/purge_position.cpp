#include "edge/purge/purge_position.hpp"

#include <cstdint>
#include <utility>

#include "site/view/purge.hpp"

namespace meridian::edge {

PurgePosition::Step PurgePosition::OnNews(site::PurgePollAnswer news) {
  poll_.applied.clear();
  // A journal with fewer entries than this edge has followed has lost some: it counts as another.
  bool follows =
      news.journal == poll_.journal && poll_.after + 1 >= news.oldest && poll_.after <= news.newest;
  // The entries must begin at the position in the poll, or they do not answer it.
  if (follows && !news.entries.empty()) {
    follows = news.entries.front().number == poll_.after + 1;
  }
  if (!follows) {
    poll_.journal = news.journal;
    poll_.after = news.newest;
    return {.drop_all = true};
  }
  if (!news.entries.empty()) poll_.after = news.entries.back().number;
  return {.apply = std::move(news.entries)};
}

void PurgePosition::OnApplied(uint64_t number, uint64_t objects) {
  poll_.applied.push_back({.number = number, .objects = objects});
}

}  // namespace meridian::edge
