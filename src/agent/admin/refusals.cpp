#include "agent/admin/refusals.hpp"

#include <string_view>

#include "base/ip.hpp"

namespace meridian::agent {

bool Refusals::OnRefused(const IpAddress& source, std::string_view why) {
  auto found = last_.find(source);
  if (found != last_.end()) {
    bool news = found->second != why;
    found->second = why;
    return news;
  }
  if (last_.size() == kMaxSources) last_.clear();
  last_.emplace(source, why);
  return true;
}

}  // namespace meridian::agent
