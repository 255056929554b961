// Watches: which transactions watch which keys (WATCH). Owned by the Engine; one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>

#include "session/engine/client.hpp"

namespace meridian::session {

class Watches {
 public:
  void Watch(Client& client, std::string_view key) {
    if (client.transaction.watched.emplace(key).second) by_key_[std::string(key)].insert(&client);
  }
  // Removes all of the client's; at EXEC, DISCARD and UNWATCH, and before the client goes.
  void Forget(Client& client) {
    for (const std::string& key : client.transaction.watched) {
      auto found = by_key_.find(key);
      found->second.erase(&client);
      if (found->second.empty()) by_key_.erase(found);
    }
    client.transaction.watched.clear();
    client.transaction.stale = false;
  }
  // The key has changed.
  void Touch(std::string_view key) {
    if (by_key_.empty()) return;
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    for (Client* client : found->second) client->transaction.stale = true;
  }
  // As Touch, for each watched key for which `has_changed` returns true.
  template <class HasChanged>
  void TouchThose(HasChanged has_changed) {
    for (const auto& [key, clients] : by_key_) {
      if (!has_changed(key)) continue;
      for (Client* client : clients) client->transaction.stale = true;
    }
  }

 private:
  std::map<std::string, std::unordered_set<Client*>, std::less<>> by_key_;
};

}  // namespace meridian::session
