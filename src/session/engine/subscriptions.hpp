// Subscriptions: which clients want which channels, and the messages to them. A subscriber whose
// messages pile up past kMaxSubscriberBytes is cut off, so that it costs the others nothing.
// Owned by the Engine; one thread. Invariant: what stands here stands in the client's own sets too.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "session/engine/client.hpp"

namespace meridian::session {

class Subscriptions {
 public:
  // False: it had subscribed before.
  bool Subscribe(Client& client, std::string_view channel);
  bool Unsubscribe(Client& client, std::string_view channel);
  bool SubscribePattern(Client& client, std::string_view pattern);
  bool UnsubscribePattern(Client& client, std::string_view pattern);
  // Of everything; before the client goes.
  void Forget(Client& client);

  // How many were sent the message.
  size_t Publish(std::string_view channel, std::string_view message);
  // Whether anybody has subscribed to anything.
  bool any() const { return !channels_.empty() || !patterns_.empty(); }

  // Those with subscribers; nothing: all.
  std::vector<std::string_view> Channels(std::optional<std::string_view> pattern) const;
  size_t channels() const { return channels_.size(); }
  size_t SubscribersOf(std::string_view channel) const;
  size_t patterns() const { return patterns_.size(); }
  uint64_t cut_off() const { return cut_off_; }

 private:
  using Clients = std::unordered_set<Client*>;
  using ByName = std::map<std::string, Clients, std::less<>>;

  static void Remove(ByName& from, std::string_view name, Client& client);
  // False, for whom it was sent to.
  bool CutOff(Client& client);
  bool Send(Client& client, std::string_view pattern, std::string_view channel,
            std::string_view message);

  ByName channels_;
  ByName patterns_;
  uint64_t cut_off_ = 0;
};

}  // namespace meridian::session
