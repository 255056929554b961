#include "site/load/key_log.hpp"

#include <algorithm>

namespace meridian::site {

void KeyLog::AddKey(const KeyRead& read) {
  auto found = std::ranges::find_if(
      keys_, [&](const KeyRead& each) { return each.table == read.table && each.key == read.key; });
  if (found == keys_.end()) {
    keys_.push_back(read);
  } else if (found->type.empty()) {
    *found = read;
  }
}

void KeyLog::AddTable(const TableRead& read) {
  if (std::ranges::find(tables_, read.table, &TableRead::table) == tables_.end()) {
    tables_.push_back(read);
  }
}

}  // namespace meridian::site
